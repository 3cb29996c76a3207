"""The rows of `mailward report`: each health set of each server, as healthy as its worst monitor (Get-HealthReport)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from mailward.health.components import ShownStates
from mailward.health.filters import matches
from mailward.health.order import RANK, worst, worst_component, worst_monitor
from mailward.model.health import HealthSetReport
from mailward.model.holds import Hold
from mailward.model.items import HEALTH_SETS, HealthGroup
from mailward.model.monitoring import AlertValue, MonitorStatus

_GROUP_OF = {health_set.name: health_set.group for health_set in HEALTH_SETS}


def report(
    statuses: Iterable[MonitorStatus],
    *,
    server: str | None = None,
    health_set: str | None = None,
    holds: Iterable[Hold] = (),
) -> tuple[HealthSetReport, ...]:
    """The health sets that match, worst first, then by server and name; *holds* are those in force now."""
    members: dict[tuple[str, str], list[MonitorStatus]] = {}
    for status in statuses:
        if matches(server, status.key.server) and matches(health_set, status.key.health_set):
            members.setdefault((status.key.server, status.key.health_set), []).append(status)
    shown = ShownStates(holds)
    rows = [set_report(group, shown=shown) for group in members.values()]
    rows.sort(key=lambda row: (RANK[row.alert_value], row.server, row.health_set))
    return tuple(rows)


def set_report(members: Sequence[MonitorStatus], *, shown: ShownStates | None = None) -> HealthSetReport:
    """
    One health set of one server, from all its monitors; without *shown* as if nothing was held.

    Raises:
        ValueError: *members* is empty: a set without monitors does not exist.
    """
    key = worst_monitor(members).key
    value = worst(status.state for status in members)
    shown = shown or ShownStates(())
    return HealthSetReport(
        server=key.server,
        state=worst_component(shown.of(status) for status in members),
        health_set=key.health_set,
        group=_GROUP_OF.get(key.health_set, HealthGroup.SERVICE_COMPONENTS),
        alert_value=value,
        last_transition=_last_transition(members, value),
        monitor_count=len(members),
        because=_because(members, value),
    )


def _last_transition(members: Sequence[MonitorStatus], value: AlertValue) -> datetime:
    """
    When the set came to *value*: a good state with the last monitor to reach it, a bad one with the first.

    What the set was before its present worst monitor was bad is not remembered, so this is the latest it can have been.
    """
    moments = [status.since for status in members if status.state is value]
    return max(moments) if RANK[value] >= RANK[AlertValue.HEALTHY] else min(moments)


def _because(members: Sequence[MonitorStatus], value: AlertValue) -> str:
    if value is AlertValue.HEALTHY:
        healthy = sum(status.state is AlertValue.HEALTHY for status in members)
        off = len(members) - healthy
        who = "its monitor is healthy" if healthy == 1 else f"all {healthy} monitors are healthy"
        return who + (f", {off} more disabled" if off else "")
    speaks = worst_monitor(members)
    more = sum(status.state is value for status in members) - 1
    where = f" {speaks.key.target}" if speaks.key.target != speaks.key.server else ""
    others = f" ({more} more {value.value})" if more else ""
    return f"{speaks.key.item}{where}: {speaks.because}{others}"
