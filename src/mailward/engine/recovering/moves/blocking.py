"""Keeping copies from becoming active, and letting them, as far as mailward itself kept them."""

from mailward.engine.recovering.world import World
from mailward.model.event import OURSELVES
from mailward.model.holds import BLOCKED, Hold, HoldKind


async def block_activation(world: World, subject: str, reason: str) -> None:
    """Keep copies from becoming active; nothing changes where they are kept already."""
    if blocks_on(world, subject):
        return  # a person's own block stays that person's
    hold = Hold(
        kind=HoldKind.ACTIVATION,
        subject=subject,
        value=BLOCKED,
        owner=OURSELVES,
        reason=reason,
        since=world.clock.now(),
    )
    await world.hold(hold, OURSELVES)


def blocks_on(world: World, subject: str) -> tuple[Hold, ...]:
    """What keeps the copies of a whole server, or the one copy SERVER/DATABASE, from becoming active."""
    held = (hold for hold in world.holds() if hold.kind is HoldKind.ACTIVATION)
    return tuple(hold for hold in held if hold.subject.lower() == subject.lower())


def own_blocks(world: World, subject: str) -> tuple[Hold, ...]:
    """Those of them that are mailward's own."""
    return tuple(hold for hold in blocks_on(world, subject) if hold.owner == OURSELVES)
