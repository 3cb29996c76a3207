"""How a hold is said in a sentence, in events and on the terminal alike."""

from mailward.model.durations import moment_words
from mailward.model.event import Event, EventKind
from mailward.model.holds import WHOLE_ORGANIZATION, Hold, HoldKind
from mailward.model.wire import moment_to_text


def what_is_held(hold: Hold) -> str:  # noqa: PLR0911 - one return per kind of hold reads best
    """What holds while it is in force, without who and why."""
    subject = hold.subject
    match hold.kind:
        case HoldKind.COMPONENT_STATE:
            server, _, component = subject.partition("/")
            requester = f" for {hold.requester.value}" if hold.requester is not None else ""
            return f"{component} of {server} is {hold.value}{requester}"
        case HoldKind.MAINTENANCE:
            return f"{subject} is in maintenance"
        case HoldKind.REPAIRING:
            return f"{subject} is under repair"
        case HoldKind.PAUSE:
            return f"actions are paused {'everywhere' if subject == WHOLE_ORGANIZATION else f'on {subject}'}"
        case HoldKind.OVERRIDE:
            return f"{hold.data.get('property')} of the {hold.data.get('item_type')} {subject} is {hold.value}"
        case HoldKind.UPGRADE:
            return f"a package upgrade is at work on {subject}"
        case HoldKind.ACTIVATION:
            server, _, database = subject.partition("/")
            which = f"the copy of {database} on {server}" if database else f"copies on {server}"
            return f"activation of {which} is {hold.value}"


def end_words(hold: Hold) -> str:
    """How long it lasts: "until 2026-11-24 14:00 UTC", "until it is taken back"."""
    return f"until {moment_words(hold.until)}" if hold.until is not None else "until it is taken back"


def began(hold: Hold, *, is_scheduled: bool) -> Event:
    """
    The event of a hold that was asked for, or whose time has come.

    Args:
        hold: What begins.
        is_scheduled: Whether it only begins later: then the event says so, and another one tells of its beginning.
    """
    when = f" from {moment_words(hold.since)}" if is_scheduled else ""
    return Event(
        at=hold.since,
        kind=EventKind.HOLD_BEGAN,
        subject=hold.subject,
        because=f"{what_is_held(hold)}{when} {end_words(hold)}, by {hold.owner}: {hold.reason}",
        after="scheduled" if is_scheduled else hold.value,
        actor=hold.owner,
        data=_facts(hold),
    )


def ended(hold: Hold, *, by: str, why: str) -> Event:
    """The event of a hold that ended at `ended_at`, by *by*, because *why*."""
    return Event(
        at=hold.ended_at or hold.since,
        kind=EventKind.HOLD_ENDED,
        subject=hold.subject,
        because=f"no longer: {what_is_held(hold)}; {why}",
        before=hold.value,
        actor=by,
        data=_facts(hold),
    )


def _facts(hold: Hold) -> dict[str, object]:
    return {
        "kind": hold.kind.value,
        "since": moment_to_text(hold.since),
        "until": None if hold.until is None else moment_to_text(hold.until),
        "requester": None if hold.requester is None else hold.requester.value,
        "owner": hold.owner,
        "reason": hold.reason,
        **hold.data,
    }
