"""Whether users and their mail come to the copy they were sent to, by what was seen through each proxy."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailward.failover.source import why_of
from mailward.model.probing import Cause, Phase, ProbeResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """A user's way to a database through one proxy."""

    door: str
    leads_there: bool | None
    """None: users are served, and nobody says by whom."""
    said: str
    is_grave: bool = False
    """Whether what is not known is too much to call the move done."""


def way_of_user(door: str, result: ProbeResult | None, target: str) -> Way:
    """What a touch point says of users' way to the database on *target*; what nobody could see says nothing."""
    if result is None or not (result.is_healthy or result.result.is_failure):
        return Way(door=door, leads_there=None, said=why_of(result))
    if result.result.is_failure:
        return Way(door=door, leads_there=False, said=why_of(result))
    if result.mailbox_server is None:
        return Way(door=door, leads_there=None, said="users are served, by whom it does not say")
    return Way(door=door, leads_there=result.mailbox_server == target, said=f"served by {result.mailbox_server}")


_FOR_GOOD = (Cause.COMMAND_REJECTED, Cause.OVER_QUOTA)
"""A health mailbox that takes no mail, or no more. Whether users' mailboxes are refused as well it does not say."""


def way_of_mail(door: str, result: ProbeResult | None, target: str, took_before: bool | None) -> Way:
    """
    What a delivery says of users' mail.

    One refused for good says nothing where it was refused before the move as well; where it was delivered then, users'
    mail now bounces; where that is not known, somebody must look.
    """
    if result is None:
        return Way(door=door, leads_there=None, said="it was not tried, or gave no answer")
    if result.is_healthy:
        late = bool(result.detail)
        return Way(door=door, leads_there=None, said=result.detail) if late else way_of_user(door, result, target)
    refused = result.result.is_failure and result.failed_phase is Phase.DELIVERY
    if not refused or result.cause is Cause.PROBER_FAULT:
        return Way(door=door, leads_there=None, said=why_of(result))
    if result.cause in _FOR_GOOD and not took_before:
        before = ", as before the move" if took_before is False else ""
        return Way(door=door, leads_there=None, said=f"{why_of(result)}{before}", is_grave=took_before is None)
    return Way(door=door, leads_there=False, said=why_of(result))


def arrived(users: Sequence[Way], mail: Sequence[Way], target: str) -> tuple[bool | None, str]:
    """
    Whether the users of a database have come to *target*, and the sentence that says so.

    Mail of which nothing is known does not undo that users are served; it is said.
    """
    through = ", ".join(way.door for way in users)
    if wrong := _listed(users, leads_there=False):
        return False, f"not every user is served by {target}: {wrong}"
    if wrong := _listed(mail, leads_there=False):
        return False, f"users are served, but mail is not delivered to {target}: {wrong}"
    if grave := "; ".join(f"{way.door}: {way.said}" for way in mail if way.is_grave):
        return None, f"users are served; whether their mail is delivered to {target} is not known: {grave}"
    if unknown := _listed(users, leads_there=None):
        return None, f"whether users are served by {target} is not known: {unknown}"
    return True, f"users are served by {target} through {through}{_of_mail(mail, through)}"


def _listed(ways: Sequence[Way], *, leads_there: bool | None) -> str:
    return "; ".join(f"{way.door}: {way.said}" for way in ways if way.leads_there is leads_there)


def _of_mail(ways: Sequence[Way], users_through: str) -> str:
    """What was seen of delivery, as the end of a sentence; the proxies are named where they are others than users'."""
    if not ways:
        return "; delivery was not tried: no proxy has `lmtp`"
    if unknown := _listed(ways, leads_there=None):
        return f"; of delivery nothing is known: {unknown}"
    through = ", ".join(way.door for way in ways)
    return ", and mail is delivered" if through == users_through else f", and mail is delivered through {through}"
