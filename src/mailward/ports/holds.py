"""Where holds are kept: component states, maintenance, repairing, pause, overrides, upgrades, blocked activation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailward.model.event import Event
from mailward.model.holds import Hold, HoldKind


def slot_of(hold: Hold) -> str:
    """What two holds have in common when one can replace the other."""
    words = [hold.kind.value, hold.subject]
    if hold.kind is HoldKind.COMPONENT_STATE:
        words.append(hold.requester.value if hold.requester else "")
    if hold.kind is HoldKind.OVERRIDE:
        words += [str(hold.data.get("item_type", "")), str(hold.data.get("property", ""))]
    return "\n".join(words)


def replaces(new: Hold, old: Hold, *, now: datetime) -> bool:
    """
    Whether adding *new* ends *old* at *now*.

    Both have the same slot and would overlap in time. What is only scheduled never ends what is in force, and what is
    over by itself is left as it ended. Announced upgrades replace none: each ends with the upgrade it belongs to.
    """
    if new.kind is HoldKind.UPGRADE or slot_of(new) != slot_of(old) or old.ended_at is not None:
        return False
    if old.is_in_force(now) and not new.since <= now:
        return False
    old_lasts = old.until is None or max(new.since, now) < old.until
    new_lasts = new.until is None or max(old.since, now) < new.until
    return old_lasts and new_lasts


class Holds(Protocol):
    """Holds. A method that could not reach the database raises TemporaryFailure and has written nothing."""

    async def add(self, hold: Hold, events: Sequence[Event] = ()) -> Hold:
        """
        Store a hold and its events in one transaction and return it with its id.

        A component state replaces (ends) the entry of the same subject and requester; a pause, a maintenance, a
        repairing of the same subject and an override of the same subject, item type and property replace theirs: see
        `replaces`. A replaced one ends now by the store's clock, by the new one's owner.
        """
        ...

    async def end(self, number: int, *, at: datetime, by: str, events: Sequence[Event] = ()) -> bool:
        """
        End a hold now. False when there is none of that number, or it was ended already: then no event is stored.

        One that ran out (`until` is past) can be ended once, so that the event of that is stored once.
        """
        ...

    async def present(self, *, now: datetime) -> tuple[Hold, ...]:
        """Those in force at *now* or scheduled for later, the oldest first."""
        ...

    async def history(self, *, subject: str | None = None, limit: int = 100) -> tuple[Hold, ...]:
        """All of them, ended ones too, the newest first; *subject* matches itself and all below it (A, A/…)."""
        ...
