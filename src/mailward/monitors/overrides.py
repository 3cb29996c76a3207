"""
Overrides put over what is watched: a dated change of one property of one item (Add-ServerMonitoringOverride).

Rules:

1. An override that is not in force changes nothing. One that cannot be read any more, such as one a newer version
   wrote, changes nothing either.
2. Of several overrides of one property the more precise wins: a server before every server, a target before all
   targets; of equals the newest.
3. A probe that is switched off is not run. A monitor all of whose probes are switched off is Disabled, since silence
   would make it Unavailable.
4. A longer interval makes the monitors of that probe more patient.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mailward.model.errors import Refused
from mailward.model.holds import Hold, HoldKind
from mailward.model.monitoring import MonitorKey
from mailward.model.recovery import ActionClass, Mode
from mailward.monitors.coverage import Coverage, rule_of
from mailward.monitors.definition import MonitorDefinition
from mailward.monitors.planned import Lane, PlannedProbe
from mailward.monitors.properties import (
    EVERY_CLASS,
    Property,
    monitor_properties,
    probe_properties,
    read_value,
    responder_properties,
    with_value,
)
from mailward.monitors.resource_rules import CertificateRule
from mailward.monitors.samples import ProbeKey
from mailward.monitors.scope import Scope, scope_of

PROBE, MONITOR, RESPONDER = ITEM_TYPES = ("probe", "monitor", "responder")
"""`item_type` of an override."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """An override in force, as it is read from its hold."""

    hold: Hold
    scope: Scope
    property: str
    value: object


def overridden(
    coverage: Coverage, holds: Iterable[Hold], *, now: datetime, unwatched: Collection[str] = ()
) -> Coverage:
    """
    *coverage* with the overrides in force put over it.

    Args:
        coverage: What follows from the configuration.
        holds: Present ones of any kind; only overrides in force are read.
        now: The moment of the question.
        unwatched: Servers on which nothing is probed now, and whose monitors are Disabled.
    """
    present = tuple(holds)
    of_probes = _InForce(present, PROBE, now)
    of_monitors = _InForce(present, MONITOR, now)
    if not of_probes and not of_monitors and not unwatched:
        return coverage
    probes = {probe.key: _probe(probe, of_probes) for probe in coverage.probes}
    running = {key: probe for key, (probe, enabled) in probes.items() if enabled and key.server not in unwatched}
    changed = {probe.key for probe in coverage.probes if running.get(probe.key, probe) != probe}
    return Coverage(
        probes=tuple(running.values()),
        monitors=tuple(_monitor(one, of_monitors, running, changed, unwatched) for one in coverage.monitors),
        lanes=tuple(_lanes(coverage.lanes, running)),
    )


def mode_override(
    holds: Iterable[Hold], *, server: str, action: ActionClass, key: MonitorKey | None, now: datetime
) -> tuple[Mode, Hold] | None:
    """
    The mode that an override gives a class of action on a server, and that override; None when there is none.

    Args:
        holds: Present ones of any kind.
        server: The server the action would touch.
        action: Its class.
        key: The monitor the action follows from; None for orders by hand, which only overrides of all items meet.
        now: The moment of the question.
    """
    health_set, item, target = (key.health_set, key.item, key.target) if key is not None else ("", "", "")
    found = _InForce(tuple(holds), RESPONDER, now).of(server, health_set, item, target)
    either = [one for one in (found.get(action.value), found.get(EVERY_CLASS)) if one is not None]
    if not either:
        return None
    wins = max(either, key=lambda one: one.scope.precision)  # of equals the first: the class by name
    return (wins.value, wins.hold) if isinstance(wins.value, Mode) else None


def properties_of(item_type: str, item: str) -> Mapping[str, Property]:
    """
    What can be overridden of an item.

    Raises:
        Refused: There is no such type of item.
    """
    match item_type:
        case "probe":
            return probe_properties(item)
        case "monitor":
            return monitor_properties(item)
        case "responder":
            return responder_properties()
    raise Refused(f"there is no item type {item_type!r}; write one of {', '.join(ITEM_TYPES)}")


def read_override(hold: Hold) -> Override | None:
    """Read an override; None for other holds, and for what this version cannot read."""
    if hold.kind is not HoldKind.OVERRIDE:
        return None
    scope = scope_of(hold.subject)
    if scope is None:
        return None
    try:
        known = properties_of(str(hold.data.get("item_type", "")), scope.item)
        name, value = read_value(known, str(hold.data.get("property", "")), hold.value, of=hold.subject)
    except (Refused, KeyError):
        return None
    return Override(hold=hold, scope=scope, property=name, value=value)


class _InForce:
    """The overrides of one type of item that are in force, the more precise and newer ones last."""

    def __init__(self, holds: Iterable[Hold], item_type: str, now: datetime) -> None:
        read = (
            read_override(hold)
            for hold in holds
            if hold.kind is HoldKind.OVERRIDE and hold.is_in_force(now) and hold.data.get("item_type") == item_type
        )
        self._overrides = sorted(
            (one for one in read if one is not None),
            key=lambda one: (one.scope.precision, one.hold.since, one.hold.id),
        )

    def __bool__(self) -> bool:
        return bool(self._overrides)

    def of(self, server: str, health_set: str, item: str, target: str) -> dict[str, Override]:
        """Property -> the override that wins for it on that item."""
        return {one.property: one for one in self._overrides if one.scope.covers(server, health_set, item, target)}


def _probe(probe: PlannedProbe, overrides: _InForce) -> tuple[PlannedProbe, bool]:
    """A probe as it is overridden, and whether it is run."""
    found = overrides.of(probe.key.server, probe.health_set, probe.key.probe, probe.key.target)
    values = {name: one.value for name, one in found.items()}
    enabled = values.pop("enabled", True) is not False
    every = values.pop("write_turn_every", None)
    if every is not None and probe.write_every is not None:
        values["write_every"] = every
    if "timeout" in values and probe.target is not None:
        values["target"] = with_value(probe.target, "timeout", values["timeout"])
    for name, value in values.items():
        probe = with_value(probe, name, value)
    return probe, enabled


def _monitor(
    definition: MonitorDefinition,
    overrides: _InForce,
    running: Mapping[ProbeKey, PlannedProbe],
    changed: Collection[ProbeKey],
    unwatched: Collection[str],
) -> MonitorDefinition:
    key = definition.key
    settings = definition.settings
    for name, one in overrides.of(key.server, key.health_set, key.item, key.target).items():
        settings = with_value(settings, name, one.value)
    probes = tuple(probe for probe in definition.probes if probe in running)
    if not probes or key.server in unwatched:
        settings = replace(settings, enabled=False)
    if settings != definition.settings:
        verify = definition.rule.verify if isinstance(definition.rule, CertificateRule) else True
        definition = replace(definition, settings=settings, rule=rule_of(settings, verify=verify))
    slowed = [3 * running[probe].interval + running[probe].timeout for probe in probes[:1] if probe in changed]
    return replace(definition, probes=probes or definition.probes, patience=max((definition.patience, *slowed)))


def _lanes(lanes: Iterable[Lane], running: Mapping[ProbeKey, PlannedProbe]) -> Iterator[Lane]:
    for lane in lanes:
        members = tuple(key for key in lane.members if key in running)
        if members:
            yield replace(lane, members=members)
