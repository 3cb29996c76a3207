"""
The next safe step of sending users to another copy, from what is known at this moment (design §4).

Nothing is remembered but what the world can be asked for, so that whoever goes on after a crash comes to the same
answer: a step that was done already is found done.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

#: So long nobody may have been seen on the source before nobody is there: a login that looked its server up before the
#: switch arrives within this time (20 to 45 ms measured, field notes §A).
QUIET = timedelta(milliseconds=250)


class SafeStep(Enum):
    """One safe step."""

    HOLD = "hold new logins"
    SWITCH = "switch the routing"
    FORGET = "have the proxies forget what they remember"
    END_SESSIONS = "end the sessions on the source"
    LOOK_AGAIN = "look again"
    SYNCHRONISE = "synchronise what is left"
    DONE = "done"
    GIVE_UP = "give up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """What to do next, and why."""

    step: SafeStep
    because: str
    proxies: tuple[str, ...] = ()
    """FORGET: the proxies that have yet to."""
    mailboxes: tuple[str, ...] = ()
    """END_SESSIONS: whose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What is known in the middle of a move of one database."""

    source: str
    target: str
    routed_to: str | None
    """Where the map sends its users; None: the map does not know the database."""
    fenced: str | None
    """Why nobody can write on the source any more; None: somebody can, or it is not known."""
    answers: bool
    """Whether the source answers (`Source.answers`)."""
    catches_up: bool
    """Whether what was written there last can be, and is to be, synchronised after the sessions ended."""
    proxies: frozenset[str]
    """Those that users come through."""
    forgot: frozenset[str] = frozenset()
    """Those that forgot what they remembered since the switch."""
    unseen: dict[str, str] = field(default_factory=dict)
    """Proxies that could not be asked for their sessions, and why."""
    on_source: tuple[str, ...] = ()
    """Mailboxes of this database with a session that leads to the source, or a login under way there."""
    must_be_fenced: bool = False
    """Whether it may be left only once its service is known to be stopped: it hangs, or its store is shared."""
    may_be_silent: bool = False
    """Whether nobody says anything of it, so that an empty list of sessions is all that can be known."""
    can_hold: bool = False
    """Whether the map can hold new logins."""
    held: bool = False
    """Whether new logins are held at this moment, before anybody is sent elsewhere."""
    quiet_for: timedelta = timedelta(0)
    """How long no such session was seen, since the switch."""
    synchronised: bool = False
    """Whether it was synchronised after the last session ended."""
    out_of_time: bool = False


def next_safe_step(seen: Seen) -> Next:
    """What comes next."""
    if seen.routed_to == seen.source:
        return _before(seen)
    if seen.routed_to != seen.target:
        where = f"sends its users to {seen.routed_to}" if seen.routed_to else "does not know it"
        return Next(step=SafeStep.GIVE_UP, because=f"the map {where}: somebody else has changed it")
    return _after(seen)


def _before(seen: Seen) -> Next:
    """Nothing has happened yet: everything that could go wrong afterwards is asked now."""
    unseen = _named(seen.unseen)
    if seen.answers or (seen.catches_up and not seen.must_be_fenced):
        if unseen:
            return Next(step=SafeStep.GIVE_UP, because=f"the switch could not be proven: {unseen}")
        if seen.answers or not seen.on_source:
            return Next(step=SafeStep.SWITCH, because=f"the map still sends its users to {seen.source}")
        return _unfenced(seen)
    if seen.fenced is None:
        return _never_fenced(seen, unseen)
    if seen.on_source:  # what lives on without its master is a writer as well
        return _unfenced(seen)
    return Next(step=SafeStep.SWITCH, because=f"nobody writes on {seen.source} any more: {seen.fenced}")


def _never_fenced(seen: Seen, unseen: str) -> Next:
    """Only of a server that nobody says anything of is it enough that no proxy holds a session to it."""
    if not seen.may_be_silent:
        return Next(step=SafeStep.GIVE_UP, because=f"{seen.source} is not fenced: its service could not be stopped")
    if unseen or not seen.proxies:
        missing = unseen or "there is no proxy whose sessions could be looked at"
        because = f"{seen.source} is not fenced: its host does not say that it is gone, and {missing}"
        return Next(step=SafeStep.GIVE_UP, because=because)
    if seen.on_source:
        return _unfenced(seen)
    return Next(step=SafeStep.SWITCH, because=f"no proxy holds a session to {seen.source}")


def _unfenced(seen: Seen) -> Next:
    """
    Somebody may be there, or only wants to: a proxy shows a login that waits for a dead server like a session.

    Where new logins can be held, those that wait come to their end, and what is still there then is real.
    """
    because = f"{seen.source} is not fenced: {len(seen.on_source)} mailboxes have sessions that lead there"
    if seen.out_of_time:
        return Next(step=SafeStep.GIVE_UP, because=because)
    if seen.can_hold and not seen.held:
        return Next(step=SafeStep.HOLD, because=f"{because}, or logins that wait for it")
    to_forget = tuple(sorted(seen.proxies - seen.forgot))
    if seen.held and to_forget:
        return Next(step=SafeStep.FORGET, because="they may remember that nobody is held", proxies=to_forget)
    return Next(step=SafeStep.LOOK_AGAIN, because=because)


def _after(seen: Seen) -> Next:
    to_forget = tuple(sorted(seen.proxies - seen.forgot))
    if to_forget and not seen.out_of_time:
        return Next(step=SafeStep.FORGET, because="they may remember the old server", proxies=to_forget)
    if to_forget or seen.unseen:
        return _unproven(seen, to_forget)
    if seen.on_source:
        return _still_there(seen)
    if seen.quiet_for < QUIET:
        return Next(step=SafeStep.LOOK_AGAIN, because="logins that were under way may still arrive")
    if seen.catches_up and not seen.synchronised:
        return Next(step=SafeStep.SYNCHRONISE, because="nobody writes on the source any more")
    return Next(step=SafeStep.DONE, because=f"no session leads to {seen.source}")


def _unproven(seen: Seen, to_forget: tuple[str, ...]) -> Next:
    missing = _named(seen.unseen) or f"{', '.join(to_forget)} did not forget the old server"
    if seen.out_of_time:
        return Next(step=SafeStep.GIVE_UP, because=f"users are sent to {seen.target}, which is not proven: {missing}")
    return Next(step=SafeStep.LOOK_AGAIN, because=missing)


def _still_there(seen: Seen) -> Next:
    many = f"{len(seen.on_source)} mailboxes still have sessions on {seen.source}"
    if seen.out_of_time:
        return Next(step=SafeStep.GIVE_UP, because=f"users are sent to {seen.target}, but {many}")
    if seen.answers:
        return Next(step=SafeStep.END_SESSIONS, because=many, mailboxes=seen.on_source)
    return Next(step=SafeStep.LOOK_AGAIN, because=f"{many}, which does not answer: they end by themselves")


def _named(unseen: dict[str, str]) -> str:
    return "; ".join(f"{proxy} could not be asked: {why}" for proxy, why in sorted(unseen.items()))
