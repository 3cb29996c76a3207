"""
Which state is worse: the order by which a health set is as bad as its worst monitor.

Exchange's order of the odd states is not documented (managed-availability reference, section 12); ours, worst first:

- **Unhealthy**: users are harmed, proven.
- **Degraded**: broken for less than the grace period, or about to break: there is evidence of trouble.
- **Unavailable**: nothing is known. Below Degraded, lest what we cannot see hides what we have seen.
- **Repairing**: known, and somebody is at it.
- **Uninitialized**: nothing is known yet, but will be in a moment.
- **Healthy**.
- **Disabled**: somebody decided not to look. It makes no set worse, and none better: only a set whose monitors are all
  disabled is Disabled.
"""

from collections.abc import Iterable

from mailward.model.health import ComponentState
from mailward.model.monitoring import AlertValue, MonitorStatus

WORST_FIRST: tuple[AlertValue, ...] = (
    AlertValue.UNHEALTHY,
    AlertValue.DEGRADED,
    AlertValue.UNAVAILABLE,
    AlertValue.REPAIRING,
    AlertValue.UNINITIALIZED,
    AlertValue.HEALTHY,
    AlertValue.DISABLED,
)
RANK = {value: rank for rank, value in enumerate(WORST_FIRST)}
"""0 is the worst."""

_COMPONENT_WORST_FIRST = (
    ComponentState.OFFLINE,
    ComponentState.DRAINING,
    ComponentState.ONLINE,
    ComponentState.NOT_APPLICABLE,
)


def worst(values: Iterable[AlertValue]) -> AlertValue:
    """The worst of *values*; Uninitialized when there are none, since nothing is known."""
    return min(values, key=RANK.__getitem__, default=AlertValue.UNINITIALIZED)


def worst_monitor(statuses: Iterable[MonitorStatus]) -> MonitorStatus:
    """
    The monitor that speaks for its health set: the worst; of equals the one that has been so for longest, then by name.

    Raises:
        ValueError: There is none.
    """
    return min(statuses, key=lambda status: (RANK[status.state], status.since, status.key))


def worst_component(states: Iterable[ComponentState]) -> ComponentState:
    """The state of a set of components: Offline before Draining before Online."""
    return min(states, key=_COMPONENT_WORST_FIRST.index, default=ComponentState.NOT_APPLICABLE)
