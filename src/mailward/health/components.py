"""
Component states: whether a server takes part in the service, and who keeps it from that.

Rules (managed-availability reference, section 6):

1. Several requesters may each hold an entry. Any Inactive wins, then any Draining; else the component is Active.
2. ServerWideOffline and maintenance of a server reach every component but Monitoring and RecoveryActionsEnabled.
3. Every answer names those who hold it, lest a component stays Inactive and nobody knows why (complaint 7 there).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailward.model import items
from mailward.model.durations import moment_words, spoken
from mailward.model.health import ComponentState
from mailward.model.holds import APART, Component, HeldState, Hold, HoldKind, components_of
from mailward.model.monitoring import MonitorStatus
from mailward.model.organization import Server

_WORST_FIRST = (HeldState.INACTIVE, HeldState.DRAINING, HeldState.ACTIVE)
_SHOWN = {
    HeldState.ACTIVE: ComponentState.ONLINE,
    HeldState.DRAINING: ComponentState.DRAINING,
    HeldState.INACTIVE: ComponentState.OFFLINE,
}
_COMPONENT_OF = {item.name: Component(item.component) for item in items.MONITORS if item.component is not None}
_SERVES = {
    items.IMAP: (Component.IMAP_PROXY, Component.IMAP),
    items.IMAP_PROTOCOL: (Component.IMAP,),
    items.IMAP_PROXY: (Component.IMAP_PROXY,),
}
"""Health set -> the components whose being away explains its monitors."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComponentStanding:
    """One component of one server: its state, and who holds it there."""

    server: str
    component: Component
    state: HeldState
    because: str
    holders: tuple[Hold, ...] = ()
    """Those that keep it from being Active, the worst first; those that will in future are not among them."""


def component_standing(server: str, component: Component, *, holds: Iterable[Hold], now: datetime) -> ComponentStanding:
    """
    Say how a component stands at *now*, and who holds it there.

    Args:
        server: Its name in the organization.
        component: One that exists there, see `components_of`.
        holds: Present ones; those that are not in force at *now* are passed over.
        now: The moment of the question; ages are counted to it.
    """
    holders = sorted(
        (hold for hold in holds if hold.is_in_force(now) and keeps(hold, server, component)),
        key=lambda hold: (_WORST_FIRST.index(hold.state), hold.since, hold.id),
    )
    if not holders:
        return ComponentStanding(
            server=server, component=component, state=HeldState.ACTIVE, because="nobody holds it in another state"
        )
    because = "; ".join(holder_words(hold, now=now) for hold in holders)
    return ComponentStanding(
        server=server, component=component, state=holders[0].state, because=because, holders=tuple(holders)
    )


def component_standings(server: Server, *, holds: Iterable[Hold], now: datetime) -> tuple[ComponentStanding, ...]:
    """Every component of a server."""
    present = tuple(holds)
    return tuple(
        component_standing(server.name, component, holds=present, now=now) for component in components_of(server)
    )


def holder_words(hold: Hold, *, now: datetime) -> str:
    """Who holds what, for whom, since when, until when, and why: one clause."""
    what = "maintenance" if hold.kind is HoldKind.MAINTENANCE else f"{hold.subject.rpartition('/')[2]} {hold.value}"
    requester = f" for {hold.requester.value}" if hold.requester is not None else ""
    end = f"until {moment_words(hold.until)}" if hold.until is not None else "until it is taken back"
    return f"{what}{requester} by {hold.owner} for {spoken(now - hold.since)}, {end}: {hold.reason}"


class ShownStates:
    """What the rows of `mailward health` and `mailward report` show as State, looked up once for all of them."""

    def __init__(self, in_force: Iterable[Hold]) -> None:
        """Take the holds that are in force now."""
        self._away: dict[str, dict[Component, HeldState]] = {}
        for hold in in_force:
            component = Component.SERVER_WIDE_OFFLINE if hold.kind is HoldKind.MAINTENANCE else hold.component
            if component is not None and component not in APART:
                of_server = self._away.setdefault(hold.server, {})
                of_server[component] = _worse(of_server.get(component, HeldState.ACTIVE), hold.state)

    def of(self, status: MonitorStatus) -> ComponentState:
        """
        Online, Draining or Offline for a monitor with a component, as in Exchange.

        Monitors without one read NotApplicable, but Offline or Draining while the whole server, or what they watch, is:
        on a server that was taken out of service nobody should take a red row for news.
        """
        of_server: Mapping[Component, HeldState] = self._away.get(status.key.server, {})
        component = _COMPONENT_OF.get(status.key.item)
        about = (component,) if component is not None else _SERVES.get(status.key.health_set, ())
        state = HeldState.ACTIVE
        for part in (Component.SERVER_WIDE_OFFLINE, *about):
            state = _worse(state, of_server.get(part, HeldState.ACTIVE))
        if state is HeldState.ACTIVE and component is None:
            return ComponentState.NOT_APPLICABLE
        return _SHOWN[state]


def keeps(hold: Hold, server: str, component: Component) -> bool:
    """Whether an entry keeps *component* of *server* from being Active."""
    if hold.state is HeldState.ACTIVE or not hold.is_on(server):
        return False
    reaches_all = hold.kind is HoldKind.MAINTENANCE or hold.component is Component.SERVER_WIDE_OFFLINE
    return hold.component is component or (reaches_all and component not in APART)


def _worse(one: HeldState, other: HeldState) -> HeldState:
    return min(one, other, key=_WORST_FIRST.index)
