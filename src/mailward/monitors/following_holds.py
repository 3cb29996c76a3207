"""
What follows from holds for probes and monitors, and what must be looked at again when one begins or ends.

Everything here compares what should be with what is, so that it comes out the same after a restart, a reload, or a time
without a store. At the end of a hold nothing stale is left behind: what it concerned is probed at once (complaint 13 of
the managed-availability reference).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mailward.model.holds import Component, HeldState, Hold, HoldKind
from mailward.model.identity import subject_of
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.monitors.coverage import Coverage
from mailward.monitors.definition import MonitorDefinition
from mailward.monitors.overrides import MONITOR, overridden, read_override
from mailward.monitors.samples import ProbeKey
from mailward.monitors.scope import Scope, scope_of
from mailward.monitors.transitions import MonitorEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldChange:
    """What is in force now and was not, and what no longer is."""

    began: tuple[Hold, ...] = ()
    ended: tuple[Hold, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.began or self.ended)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be ordered of one monitor."""

    key: MonitorKey
    event: MonitorEvent
    because: str


def coverage_under(coverage: Coverage, holds: Iterable[Hold], *, now: datetime) -> Coverage:
    """What is watched while *holds* are present: overrides, and servers on which nothing is probed."""
    present = tuple(holds)
    return overridden(coverage, present, now=now, unwatched=unwatched(present, now=now))


def unwatched(holds: Iterable[Hold], *, now: datetime) -> frozenset[str]:
    """The servers on which nothing is probed at *now*: their component Monitoring is Inactive."""
    return frozenset(hold.server for hold in holds if hold.is_in_force(now) and _stops_watching(hold))


def orders(
    coverage: Coverage, statuses: Iterable[MonitorStatus], holds: Iterable[Hold], *, now: datetime
) -> tuple[Order, ...]:
    """
    What must be ordered of monitors so that they are as the holds say: switched off or on, under repair or not.

    Carried out in this order; asked again afterwards, there is nothing left to order.

    Args:
        coverage: What is watched under these holds, see `coverage_under`.
        statuses: The monitors as they are.
        holds: Present ones of any kind.
        now: The moment of the question.
    """
    in_force = [hold for hold in holds if hold.is_in_force(now)]
    repairs = {hold.subject.lower(): hold for hold in in_force if hold.kind is HoldKind.REPAIRING}
    known = {status.key: status for status in statuses}
    found: list[Order] = []
    for definition in coverage.monitors:
        status = known.get(definition.key)
        if status is not None:
            repair = repairs.get(subject_of(definition.key).lower())
            found += _orders(definition, status, repair, in_force)
    return tuple(found)


def to_look_at(change: HoldChange, *, before: Coverage, after: Coverage) -> tuple[ProbeKey, ...]:
    """
    The probes to run at once after a change of holds.

    Those that are new or have another interval or time-out, those of monitors that are judged otherwise now, and those
    of servers and monitors whose maintenance, component state or repair has just ended.

    Args:
        change: What began and ended.
        before: What was watched before it.
        after: What is watched now.
    """
    old_probes = {probe.key: probe for probe in before.probes}
    old_monitors = {one.key: one for one in before.monitors}
    wanted: dict[ProbeKey, None] = {}
    for probe in after.probes:
        if old_probes.get(probe.key) != probe and not probe.on_request:
            wanted[probe.key] = None
    for definition in after.monitors:
        is_new = old_monitors.get(definition.key) != definition
        if definition.settings.enabled and (is_new or any(_concerns(hold, definition) for hold in change.ended)):
            wanted |= dict.fromkeys(definition.probes)
    return tuple(probe.key for probe in after.probes if probe.key in wanted)


def _orders(
    definition: MonitorDefinition, status: MonitorStatus, repair: Hold | None, in_force: Iterable[Hold]
) -> Iterator[Order]:
    is_off = status.state is AlertValue.DISABLED
    is_repairing = status.state is AlertValue.REPAIRING
    if not definition.settings.enabled:
        if not is_off:
            because = _why_off(definition, in_force)
            yield Order(key=status.key, event=MonitorEvent.SWITCHED_OFF, because=because)
        return
    if is_off:
        because = "switched on again: nothing holds it off any more"
        yield Order(key=status.key, event=MonitorEvent.SWITCHED_ON, because=because)
    if repair is not None and not is_repairing:
        yield Order(key=status.key, event=MonitorEvent.REPAIR_STARTED, because=f"under repair by {repair.by_whom}")
    if repair is None and is_repairing:
        because = "the repair ended; it has yet to prove itself"
        yield Order(key=status.key, event=MonitorEvent.REPAIR_ENDED, because=because)


def _why_off(definition: MonitorDefinition, in_force: Iterable[Hold]) -> str:
    key = definition.key
    for hold in in_force:
        if _stops_watching(hold) and hold.is_on(key.server):
            return f"nothing is probed on {key.server}: {Component.MONITORING.value} is Inactive, by {hold.by_whom}"
        override = read_override(hold)
        if override is not None and override.property == "enabled" and override.value is False:
            is_own = hold.data.get("item_type") == MONITOR and override.scope.covers(
                key.server, key.health_set, key.item, key.target
            )
            if is_own or any(_covers_probe(override.scope, probe, key) for probe in definition.probes):
                return f"switched off by an override of {hold.by_whom}"
    return "switched off in the configuration"


def _stops_watching(hold: Hold) -> bool:
    return hold.component is Component.MONITORING and hold.state is HeldState.INACTIVE


def _covers_probe(scope: Scope, probe: ProbeKey, monitor: MonitorKey) -> bool:
    return scope.covers(probe.server, monitor.health_set, probe.probe, probe.target)


def _concerns(hold: Hold, definition: MonitorDefinition) -> bool:
    """Whether what a monitor says may be stale after this hold."""
    match hold.kind:
        case HoldKind.MAINTENANCE | HoldKind.COMPONENT_STATE | HoldKind.UPGRADE:
            return hold.is_on(definition.key.server)
        case HoldKind.REPAIRING:
            scope = scope_of(hold.subject)
            key = definition.key
            return scope is not None and scope.covers(key.server, key.health_set, key.item, key.target)
        case HoldKind.PAUSE | HoldKind.OVERRIDE | HoldKind.ACTIVATION:
            return False
