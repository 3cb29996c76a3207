"""
Whose turn it is in a lane: databases take turns through one proxy, and a failing one stays pinned.

Half of the turns belong to failing members until they recover, the other half goes on around: so a failure is followed
closely and the rest still covered, in twice the covering time at most.
"""

from collections.abc import Collection
from dataclasses import dataclass

from mailward.monitors.planned import Lane
from mailward.monitors.samples import ProbeKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """Where a lane stands."""

    position: int = 0
    """Of the next member in the round."""
    pinned: int = 0
    """Counts the turns given to failing members."""
    is_pinned_turn: bool = False


def next_turn(lane: Lane, rotation: Rotation, failing: Collection[ProbeKey]) -> tuple[ProbeKey | None, Rotation]:
    """
    Return whose turn it is and where the lane stands afterwards; None for a lane without members.

    Args:
        lane: The lane.
        rotation: Where it stands. One that stems from an older, longer lane is no error.
        failing: The members whose last result failed.
    """
    if not lane.members:
        return None, rotation
    suffering = [member for member in lane.members if member in failing]
    if suffering and rotation.is_pinned_turn:
        member = suffering[rotation.pinned % len(suffering)]
        return member, Rotation(position=rotation.position, pinned=rotation.pinned + 1, is_pinned_turn=False)
    position = rotation.position % len(lane.members)
    following = Rotation(position=position + 1, pinned=rotation.pinned, is_pinned_turn=bool(suffering))
    return lane.members[position], following
