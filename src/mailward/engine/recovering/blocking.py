"""Keeping copies from becoming active, and letting them, as far as mailward itself kept them."""

from mailward.engine.recovering.world import World
from mailward.model.holds import Hold, HoldKind

OURSELVES = "mailward"


async def block_activation(world: World, subject: str, reason: str) -> None:
    """Keep copies from becoming active; nothing changes where they are kept already."""
    if any(hold.kind is HoldKind.ACTIVATION and hold.subject.lower() == subject.lower() for hold in world.holds()):
        return  # a person's own block stays that person's
    hold = Hold(
        kind=HoldKind.ACTIVATION,
        subject=subject,
        value="blocked",
        owner=OURSELVES,
        reason=reason,
        since=world.clock.now(),
    )
    await world.hold(hold)


def own_blocks(world: World, server: str) -> tuple[Hold, ...]:
    """What we ourselves hold on the activation of a whole server."""
    return tuple(hold for hold in _own(world) if hold.subject.lower() == server.lower())


def _own(world: World) -> tuple[Hold, ...]:
    return tuple(hold for hold in world.holds() if hold.kind is HoldKind.ACTIVATION and hold.owner == OURSELVES)
