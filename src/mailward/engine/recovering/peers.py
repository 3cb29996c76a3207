"""The others of a server's role: who would take over what it serves, and who cannot be counted on."""

from collections.abc import Mapping

from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.world import World
from mailward.model import items
from mailward.model.holds import APART, HeldState
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Organization, Server
from mailward.ports.access_point_control import AccessPointControl, Membership
from mailward.recovery.circumstances import Peer
from mailward.recovery.gates.harm import FEWEST_SERVERS

OWN_MONITORS = frozenset({items.SELF_TEST_MONITOR, items.DEEP_TEST_MONITOR, items.PROXY_TEST_MONITOR})
"""The monitors of a server's own service."""
_COUNTED_ON = OWN_MONITORS | {items.CTP_MONITOR}


def peers_of(server: Server, world: World) -> tuple[Peer, ...]:
    """The others of its role; of a server with both roles, those of the role that is worse off."""
    organization = world.organization()
    roles = [
        *([organization.proxies] if server.is_proxy else []),
        *([organization.mailbox_servers] if server.is_mailbox else []),
    ]
    unfit = _unfit(world)
    found = [
        tuple(Peer(server=one.name, is_healthy=one.name not in unfit) for one in others if one.name != server.name)
        for others in roles
    ]
    return min(found, key=_healthy_share, default=())


async def that_clients_are_sent_to(
    peers: tuple[Peer, ...], points: Mapping[str, AccessPointControl], organization: Organization
) -> tuple[Peer, ...]:
    """
    The proxies behind the same access points, as far as clients are sent to them at every one of these.

    One that a load balancer does not show, or does not answer for, takes over from nobody.
    """
    inside: set[str] | None = None
    beside: set[str] = set()
    for name, control in points.items():
        members, _ = await bounded(control.members())
        here = {member.server for member in members or () if member.membership is Membership.IN}
        inside = here if inside is None else inside & here
        beside |= set(organization.access_points[name].servers)
    return tuple(
        Peer(server=peer.server, is_healthy=peer.is_healthy and peer.server in (inside or ()))
        for peer in peers
        if peer.server in beside
    )


def _unfit(world: World) -> set[str]:
    """The servers that cannot be counted on."""
    bad = {
        status.key.server
        for status in world.unwell()
        if status.key.item in _COUNTED_ON and status.state is not AlertValue.HEALTHY
    }
    away = {
        hold.server
        for hold in world.holds()
        if hold.state is not HeldState.ACTIVE and hold.component not in APART  # those keep no client away
    }
    return bad | away


def _healthy_share(peers: tuple[Peer, ...]) -> float:
    """With few servers of a role a share means nothing, and no gate looks at it."""
    if len(peers) + 1 < FEWEST_SERVERS:
        return 1.0
    return sum(peer.is_healthy for peer in peers) / len(peers)
