"""What can be overridden, and how values are read."""

from dataclasses import fields
from datetime import timedelta

import pytest

from mailward.model.errors import NotFound, Refused
from mailward.model.items import MONITORS, PROBES
from mailward.model.recovery import ActionClass, Mode
from mailward.monitors.properties import (
    monitor_properties,
    probe_properties,
    read_value,
    responder_properties,
    with_value,
)
from mailward.monitors.settings import FIELD_OF_ITEM, MonitorSettings, PercentSettings

CTP, DISK = "ImapCTPMonitor", "DiskSpaceForecastMonitor"


def read(known, name, text):
    return read_value(known, name, text, of="it")


@pytest.mark.parametrize("monitor", [item.name for item in MONITORS])
def test_every_setting_of_every_monitor_can_be_overridden_and_is_written_as_it_is_read(monitor):
    settings = getattr(MonitorSettings(), FIELD_OF_ITEM[monitor])
    known = monitor_properties(monitor)

    assert {field.name for field in fields(settings)} == {name.partition(".")[0] for name in known}
    for name, one in known.items():
        value = settings
        for part in name.split("."):
            value = getattr(value, part) if value is not None else None
        if value is not None:
            assert value == one.read(one.write(value))


@pytest.mark.parametrize("probe", [item.name for item in PROBES])
def test_every_probe_can_be_switched_off_slowed_down_and_given_more_time(probe):
    assert {"enabled", "interval", "timeout"} <= probe_properties(probe).keys()


def test_only_the_deep_test_has_writing_turns():
    assert ["ImapDeepTestProbe"] == [one.name for one in PROBES if "write_turn_every" in probe_properties(one.name)]


def test_a_responder_has_a_mode_for_each_class_of_action_and_one_for_all():
    assert {"mode", *(action.value for action in ActionClass)} == responder_properties().keys()
    assert ("restart", Mode.APPROVE) == read(responder_properties(), "Restart", "Approve")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("enabled", "False", False),
        ("grace", "0s", timedelta(0)),
        ("GRACE", " 2m ", timedelta(minutes=2)),
        ("successes_to_recover", "3", 3),
        ("confirm_after", "1s, 2s", (timedelta(seconds=1), timedelta(seconds=2))),
        ("confirm_after", "none", ()),
        ("recheck_while_degraded", "30s", timedelta(seconds=30)),
        ("percent.minimum_percent", "82.5", 82.5),
        ("percent.window", "1h30m", timedelta(minutes=90)),
    ],
)
def test_values_are_read_as_a_configuration_would(name, text, value):
    assert (name.lower(), value) == read(monitor_properties(CTP), name, text)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("enabled", "yes", "the value 'yes' of it: enabled is neither true nor false"),
        ("grace", "60", "is not a duration; write a number with its unit"),
        ("consecutive_failures", "0", "is not a whole number from 1 to"),
        ("consecutive_failures", "1000001", "is not a whole number from 1 to"),
        ("consecutive_failures", "²", "is not a whole number from 1 to"),
        ("consecutive_failures", "9" * 5000, "is not a whole number from 1 to"),
        ("percent.minimum_percent", "101", "is not a percentage from 0 to 100"),
        ("percent.minimum_percent", "nan", "is not a percentage from 0 to 100"),
        ("recheck_while_degraded", "0s", "must be longer than nothing"),
        ("confirm_after", ",".join(["1s"] * 21), "has more than 20 durations"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_how_to_write_one(name, text, said):
    with pytest.raises(Refused) as refusal:
        read(monitor_properties(CTP), name, text)

    assert said in str(refusal.value)


def test_an_interval_that_would_flood_a_server_is_refused():
    with pytest.raises(Refused, match="at least one second"):
        read(probe_properties("ImapSelfTestProbe"), "interval", "10ms")


def test_an_unknown_property_is_told_with_the_nearest():
    with pytest.raises(NotFound, match="it has no property 'intervall'; did you mean 'interval'"):
        read(probe_properties("ImapSelfTestProbe"), "intervall", "10s")


def test_an_unknown_mode_is_told_with_the_nearest():
    with pytest.raises(Refused, match="did you mean 'recommend'"):
        read(responder_properties(), "restart", "recomend")


def test_a_field_of_a_table_that_is_absent_begins_with_its_defaults():
    settings = MonitorSettings().deep_test

    changed = with_value(settings, "percent.minimum_percent", 80.0)

    assert settings.percent is None
    assert PercentSettings(minimum_percent=80.0) == changed.percent
