"""How moves reach the map and the replication: a refusal in words where the configuration names none."""

from collections.abc import Sequence

from mailward.engine.recovering.world import World
from mailward.model.copies import SyncReport
from mailward.model.errors import Refused
from mailward.ports.mailbox_routing import MailboxRouting
from mailward.ports.replication import Replication
from mailward.recovery.moves import Move


def routing_of(world: World) -> MailboxRouting:
    routing = world.controls().routing
    if routing is None:
        raise Refused("the configuration has no [routing], so nobody can be sent to another copy")
    return routing


def replication_of(world: World, server: str) -> Replication:
    found = world.controls().replication.get(server)
    if found is None:
        raise Refused(f"the replication of {server} is not reached: set servers.{server}.host.doveadm")
    return found


async def synchronise(world: World, move: Move, mailboxes: Sequence[str]) -> SyncReport:
    """Synchronise from the target; any mailbox that fails stops the move."""
    if not mailboxes:
        return SyncReport(done=())
    report = await replication_of(world, move.target).synchronise(mailboxes, with_server=move.source)
    if report.failed:
        name, why = report.failed[0]
        more = f", and {len(report.failed) - 1} more" if len(report.failed) > 1 else ""
        raise Refused(f"{name} cannot be synchronised: {why}{more}")
    return report
