"""The rows of `mailward health`: every monitor as seen from outside (Get-ServerHealth)."""

from collections.abc import Iterable

from mailward.health.components import ShownStates
from mailward.health.filters import matches, state_named
from mailward.health.order import RANK
from mailward.model.health import MonitorHealth
from mailward.model.holds import Hold
from mailward.model.items import MONITORS
from mailward.model.monitoring import MonitorStatus

_COMPONENT_OF = {item.name: item.component for item in MONITORS}


def health(
    statuses: Iterable[MonitorStatus],
    *,
    server: str | None = None,
    health_set: str | None = None,
    state: str | None = None,
    holds: Iterable[Hold] = (),
) -> tuple[MonitorHealth, ...]:
    """
    The monitors that match, worst first, then by server, health set, name and target.

    Args:
        statuses: Of every monitor there is.
        server: A server's or access point's name, already resolved; a pattern serves as well.
        health_set: A name or pattern, see `matches`.
        state: The name of a state.
        holds: Those in force now; component states and maintenance show in `state`.

    Raises:
        Refused: There is no such state.
    """
    wanted = None if state is None else state_named(state)
    chosen = [
        status
        for status in statuses
        if matches(server, status.key.server)
        and matches(health_set, status.key.health_set)
        and wanted in (None, status.state)
    ]
    chosen.sort(key=lambda status: (RANK[status.state], status.key))
    shown = ShownStates(holds)
    return tuple(monitor_health(status, shown=shown) for status in chosen)


def monitor_health(status: MonitorStatus, *, shown: ShownStates) -> MonitorHealth:
    """One row."""
    return MonitorHealth(
        server=status.key.server,
        state=shown.of(status),
        name=status.key.item,
        target_resource=status.key.target,
        health_set_name=status.key.health_set,
        alert_value=status.state,
        server_component=_COMPONENT_OF.get(status.key.item),
        since=status.since,
        because=status.because,
        verdict=status.verdict,
        mailbox_server=status.mailbox_server,
        last_result_at=status.last_result_at,
        flapping=status.flapping,
    )
