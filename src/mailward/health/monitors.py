"""The rows of `mailward health`: every monitor as seen from outside (Get-ServerHealth)."""

from collections.abc import Iterable, Mapping

from mailward.health.filters import matches, state_named
from mailward.health.order import RANK
from mailward.model.health import ComponentState, MonitorHealth
from mailward.model.items import MONITORS
from mailward.model.monitoring import MonitorStatus

Components = Mapping[tuple[str, str], ComponentState]
"""(server, component) -> its state; what is not in it is Online."""

_COMPONENT_OF = {item.name: item.component for item in MONITORS}


def health(
    statuses: Iterable[MonitorStatus],
    *,
    server: str | None = None,
    health_set: str | None = None,
    state: str | None = None,
    components: Components | None = None,
) -> tuple[MonitorHealth, ...]:
    """
    The monitors that match, worst first, then by server, health set, name and target.

    Args:
        statuses: Of every monitor there is.
        server: A server's or access point's name, already resolved; a pattern serves as well.
        health_set: A name or pattern, see `matches`.
        state: The name of a state.
        components: Of the components that were made inactive or are draining.

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
    return tuple(monitor_health(status, components=components) for status in chosen)


def monitor_health(status: MonitorStatus, *, components: Components | None = None) -> MonitorHealth:
    """One row."""
    return MonitorHealth(
        server=status.key.server,
        state=component_state(status, components),
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


def component_state(status: MonitorStatus, components: Components | None = None) -> ComponentState:
    """The state of the component a monitor belongs to; NotApplicable for most."""
    component = _COMPONENT_OF.get(status.key.item)
    if component is None:
        return ComponentState.NOT_APPLICABLE
    return (components or {}).get((status.key.server, component), ComponentState.ONLINE)
