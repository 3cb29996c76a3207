"""An access point whose load balancer a test holds in its hand; it passes the contract tests of AccessPointControl."""

from collections.abc import Iterable

from mailward.model.errors import Refused, TemporaryFailure
from mailward.ports.access_point_control import PUT_BACK, TAKE_OUT, Member, Membership


class TameAccessPoint:
    """Proxies that are in, draining or out as told; what was done to them is in `deeds`."""

    def __init__(self, servers: Iterable[str]) -> None:
        self.deeds: list[tuple[str, str]] = []
        """(deed, server) of every order that was obeyed, in turn."""
        self.unreachable = ""
        """Why the load balancer cannot be asked; "" means it can."""
        self.refusal = ""
        """What the load balancer answers to every order instead of obeying; "" means it obeys."""
        self._members = {
            name: Member(server=name, membership=Membership.IN, because="clients are sent to it", sessions=0)
            for name in servers
        }

    async def members(self) -> tuple[Member, ...]:
        """
        The proxies as they are now.

        Raises:
            TemporaryFailure: The test says the load balancer cannot be asked.
        """
        self._refuse_if_unreachable()
        return tuple(self._members.values())

    async def take_out(self, server: str) -> None:
        """
        Take it out and end its sessions.

        Raises:
            Refused: There is no such proxy, or the test wants a refusal.
            TemporaryFailure: The test says the load balancer cannot be asked.
        """
        self._order(TAKE_OUT, server)
        self.become(server, Membership.OUT, "it was taken out", was_ordered=True)

    async def put_back(self, server: str) -> None:
        """
        Put it back.

        Raises:
            Refused: There is no such proxy, or the test wants a refusal.
            TemporaryFailure: The test says the load balancer cannot be asked.
        """
        self._order(PUT_BACK, server)
        if self._members[server].membership is not Membership.IN:
            self.become(server, Membership.IN, "it was put back")

    def command(self, deed: str, server: str) -> tuple[str, ...]:
        """
        One line a deed.

        Raises:
            Refused: There is no such deed, or the name could begin another command.
        """
        if deed not in (TAKE_OUT, PUT_BACK):
            raise Refused(f"an access point can {TAKE_OUT} or {PUT_BACK}, not {deed!r}")
        if not server or not all(letter.isascii() and (letter.isalnum() or letter in "_.:-") for letter in server):
            raise Refused(f"{server!r} cannot be a name here")
        return (f"{deed} {server}",)

    def connect(self) -> str:
        """
        A client comes: return the proxy it is sent to, the one with the fewest sessions.

        Raises:
            TemporaryFailure: No proxy is in.
        """
        inside = [one for one in self._members.values() if one.membership is Membership.IN]
        if not inside:
            raise TemporaryFailure("no proxy is left that clients could be sent to")
        chosen = min(inside, key=lambda one: one.sessions or 0)
        self.become(chosen.server, chosen.membership, chosen.because, sessions=(chosen.sessions or 0) + 1)
        return chosen.server

    def become(
        self,
        server: str,
        membership: Membership,
        because: str = "the test says so",
        *,
        was_ordered: bool = False,
        sessions: int | None = None,
    ) -> None:
        """Set how a proxy is; without *sessions* one that is out has none, and any other keeps its own."""
        kept = 0 if membership is Membership.OUT else self._members[server].sessions
        self._members[server] = Member(
            server=server,
            membership=membership,
            because=because,
            sessions=kept if sessions is None else sessions,
            was_ordered=was_ordered,
        )

    def _order(self, deed: str, server: str) -> None:
        self.command(deed, server)
        self._refuse_if_unreachable()
        if self.refusal:
            raise Refused(self.refusal)
        if server not in self._members:
            raise Refused(f"there is no server {server!r} behind this access point")
        self.deeds.append((deed, server))

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable:
            raise TemporaryFailure(self.unreachable)
