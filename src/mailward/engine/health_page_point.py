"""
An access point whose load balancer polls /health/SERVER: a proxy is taken out by a component state, and put back by
releasing it.

It takes effect at the load balancer's next polls, which nobody here can see; sessions that are there stay until their
server ends them.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from mailward.model.errors import Refused
from mailward.model.event import OURSELVES
from mailward.model.holds import Component, HeldState, Hold, HoldKind, Requester
from mailward.ports.access_point_control import PUT_BACK, TAKE_OUT, Member, Membership

COMPONENT = Component.IMAP_PROXY
_REASONS = {
    TAKE_OUT: "a recovery took it out of the access point",
    PUT_BACK: "a recovery put it back into the access point",
}


class Held(Protocol):
    """What is held now, and how that is changed."""

    def present(self) -> tuple[Hold, ...]:
        """What is in force, or scheduled."""
        ...

    async def add(self, hold: Hold, *, actor: str) -> Hold:
        """Hold something."""
        ...

    async def release(self, number: int, *, actor: str) -> Hold:
        """End it."""
        ...


class HealthPagePoint:
    """AccessPointControl by mailward's own component states."""

    def __init__(self, servers: Sequence[str], held: Held, *, now: Callable[[], datetime]) -> None:
        """*servers* are the proxies behind it."""
        self._servers = tuple(servers)
        self._held = held
        self._now = now

    async def members(self) -> tuple[Member, ...]:
        """The proxies, and whether the health page sends clients there."""
        return tuple(self._member(server) for server in self._servers)

    async def take_out(self, server: str) -> None:
        """Hold its component Inactive."""
        self._known(server)
        if self._own(server) is not None:
            return
        hold = Hold(
            kind=HoldKind.COMPONENT_STATE,
            subject=f"{server}/{COMPONENT.value}",
            value=HeldState.INACTIVE.value,
            owner=OURSELVES,
            requester=Requester.HEALTH_API,
            reason=_REASONS[TAKE_OUT],
            since=self._now(),
        )
        await self._held.add(hold, actor=OURSELVES)

    async def put_back(self, server: str) -> None:
        """Release what mailward itself holds; what people hold stays."""
        self._known(server)
        own = self._own(server)
        if own is not None:
            await self._held.release(own.id, actor=OURSELVES)

    def command(self, deed: str, server: str) -> tuple[str, ...]:
        """The command a person would type for the same."""
        self._known(server)
        state = {TAKE_OUT: HeldState.INACTIVE, PUT_BACK: HeldState.ACTIVE}.get(deed)
        if state is None:
            raise Refused(f"a health page cannot {deed}")
        words = ("mailward", "component", "set", server, COMPONENT.value, state.value)
        return (*words, "--requester", Requester.HEALTH_API.value, "--reason", _REASONS[deed])

    def _member(self, server: str) -> Member:
        now = self._now()
        held = [
            hold
            for hold in self._held.present()
            if hold.is_on(server)
            and hold.component is COMPONENT
            and hold.state is not HeldState.ACTIVE
            and hold.is_in_force(now)
        ]
        if not held:
            return Member(server=server, membership=Membership.IN, because="the health page says 200")
        draining = all(hold.state is HeldState.DRAINING for hold in held)
        because = f"the health page says 503: {held[0].owner}, {held[0].reason}"
        membership = Membership.DRAINING if draining else Membership.OUT
        return Member(server=server, membership=membership, because=because, was_ordered=True)

    def _own(self, server: str) -> Hold | None:
        return next(
            (
                hold
                for hold in self._held.present()
                if hold.is_on(server)
                and hold.component is COMPONENT
                and hold.requester is Requester.HEALTH_API
                and hold.owner == OURSELVES
                and hold.state is HeldState.INACTIVE
            ),
            None,
        )

    def _known(self, server: str) -> None:
        if server not in self._servers:
            raise Refused(f"{server} is not behind this access point")
