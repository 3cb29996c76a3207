from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.alerts.settings import EscalationSettings
from mailward.config.fields import Table, plainly
from mailward.config.schema import FLAPPING, PROBE_KEYS, PROBES_KEYS, Configuration, leaf_keys, table_at
from mailward.config.tuning import monitors, over, probing, recovery
from mailward.health.settings import RollupSettings
from mailward.model.recovery import ActionClass, Mode
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import FIELD_OF_ITEM, MonitorSettings, PercentSettings
from mailward.ports.store import Retention
from mailward.recovery.settings import CLASS_DEFAULTS, RecoverySettings, Throttles

NONE_SAID = Configuration()
PROBING = [((item, key), field) for item, keys in PROBE_KEYS.items() for key, field in keys.items()]
PROBING += [((key,), field) for key, field in PROBES_KEYS.items()]
JUDGING = [
    ((item, *key), (field, *key))
    for item, field in {**FIELD_OF_ITEM, FLAPPING: FLAPPING}.items()
    for key in leaf_keys(table_at(("monitors", item)))
]


def nested(path: tuple[str, ...], value: object) -> dict[str, object]:
    for key in reversed(path):
        value = {key: value}
    return value


def other_than(default: object) -> object:
    """A value of the same kind as *default* that is not it."""
    match default:
        case Mode():
            return Mode.OBSERVE
        case str():
            return f"{default}other"
        case bool():
            return not default
        case int() | float():
            return default + 1
        case tuple():
            return (timedelta(seconds=77),)
    return timedelta(seconds=77)


def test_where_nothing_is_said_the_rooms_defaults_hold():
    assert (ProbingSettings(), MonitorSettings()) == (probing(NONE_SAID), monitors(NONE_SAID))
    assert Retention() == over(Retention(), None)


@pytest.mark.parametrize(("path", "field"), PROBING, ids=str)
def test_every_key_of_a_probe_changes_its_own_setting_and_no_other(path, field):
    wanted = other_than(getattr(ProbingSettings(), field))

    changed = probing(Configuration.model_validate({"probes": nested(path, plainly(wanted))}))

    assert {field: wanted} == {
        name: getattr(changed, name)
        for name in ProbingSettings.__dataclass_fields__
        if getattr(changed, name) != getattr(ProbingSettings(), name)
    }


def test_every_setting_of_probes_has_a_key():
    assert set(ProbingSettings.__dataclass_fields__) == {field for _, field in PROBING}


@pytest.mark.parametrize(("path", "field"), JUDGING, ids=str)
def test_every_key_of_a_monitor_changes_its_own_setting(path, field):
    default = value_at(MonitorSettings(), field)
    # a rule that is absent by default begins with its own defaults
    wanted = other_than(value_at(PercentSettings(), path[2:]) if "percent" in path else default)

    changed = monitors(Configuration.model_validate({"monitors": nested(path, plainly(wanted))}))

    assert wanted == value_at(changed, field)
    assert default != wanted


def test_every_monitor_item_can_be_told_something():
    assert set(MonitorSettings.__dataclass_fields__) == {*FIELD_OF_ITEM.values(), FLAPPING}


@pytest.mark.parametrize(
    ("section", "defaults"),
    [("retention", Retention()), ("rollup", RollupSettings()), ("escalation", EscalationSettings())],
)
def test_every_other_setting_has_a_key(section, defaults):
    table = table_at((section,))

    assert set(type(defaults).__dataclass_fields__) == set(table.model_fields)
    for key in table.model_fields:
        wanted = other_than(getattr(defaults, key))
        given: Table = getattr(Configuration.model_validate({section: {key: plainly(wanted)}}), section)
        assert wanted == getattr(over(defaults, given), key)


@pytest.mark.parametrize("key", leaf_keys(table_at(("recovery",))), ids=".".join)
def test_every_key_of_recovery_changes_its_own_setting_and_no_other(key):
    wanted = Mode.OBSERVE if key[0] == "classes" else other_than(value_at(RecoverySettings(), key))

    changed = recovery(Configuration.model_validate({"recovery": nested(key, plainly(wanted))}))

    if key[0] == "classes":
        assert {**CLASS_DEFAULTS, ActionClass(key[1]): Mode.OBSERVE} == changed.classes
        assert RecoverySettings() == replace(changed, classes=dict(CLASS_DEFAULTS))
    elif key[0] == "throttles":
        assert replace(RecoverySettings(), throttles=replace(Throttles(), **{key[1]: wanted})) == changed
    else:
        assert replace(RecoverySettings(), **{key[0]: wanted}) == changed


def test_every_setting_of_recovery_has_a_key():
    keys = leaf_keys(table_at(("recovery",)))

    assert set(RecoverySettings.__dataclass_fields__) == {key[0] for key in keys}
    assert set(Throttles.__dataclass_fields__) == {key[1] for key in keys if key[0] == "throttles"}
    assert {action.value for action in ActionClass} == {key[1] for key in keys if key[0] == "classes"}


def test_where_nothing_is_said_of_recovery_it_recommends():
    assert RecoverySettings() == recovery(NONE_SAID)
    assert Mode.RECOMMEND is recovery(NONE_SAID).mode


def value_at(settings: object, path: tuple[str, ...]) -> object:
    for key in path:
        settings = getattr(settings, key, None)
    return settings
