"""How moves reach the map and the replication: a refusal in words where the configuration names none."""

from collections.abc import Sequence

from mailward.engine.recovering.progress import Tell
from mailward.engine.recovering.world import World
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


AT_ONCE = 400
"""Mailboxes that are asked for together: enough to keep all processes busy, few enough to tell how it goes."""


async def synchronise(world: World, move: Move, mailboxes: Sequence[str], tell: Tell) -> None:
    """
    Synchronise from the target, and *tell* how far it has come.

    Raises:
        Refused: A mailbox could not be; the text names it. Those after it were not tried.
        TemporaryFailure: The target could not be asked.
    """
    replication = replication_of(world, move.target)
    for place in range(0, len(mailboxes), AT_ONCE):
        tell(copied(place, len(mailboxes)))
        report = await replication.synchronise(mailboxes[place : place + AT_ONCE], with_server=move.source)
        if report.failed:
            name, why = report.failed[0]
            more = f", and {len(report.failed) - 1} more" if len(report.failed) > 1 else ""
            raise Refused(f"{name} cannot be synchronised: {why}{more}")


def copied(done: int, mailboxes: int) -> str:
    """How far synchronising has come, for whoever watches."""
    return f"{done:,} of {mailboxes:,} mailboxes are copied"
