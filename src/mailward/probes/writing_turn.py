"""
The writing turn of a deep test: store a token message, see it announced to a second session, read it, remove it.

A silent IDLE fails no deep test: mail is there, only phones learn of it late. It is told as Cause.PUSH_MISSED beside a
success, for ImapPushMonitor.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from mailward.imap import Append, Limits, Mailbox, Reply, UidFetch, UidSearchHeader
from mailward.model.probing import Cause, Phase, PhaseOutcome
from mailward.probes.dialogue import Dialogue
from mailward.probes.failure import PhaseFailed
from mailward.probes.messages import TOKEN_HEADER, Token, token_message
from mailward.probes.own_messages import (
    OwnMessage,
    can_expunge_exactly,
    find_own,
    find_tokens,
    left_over,
    remove,
    verify_own,
)
from mailward.probes.stopwatch import Stopwatch

#: Opening the second session may take this share of the time that is left.
_SHARE_FOR_LISTENER = 1 / 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a writing turn saw."""

    wrote: bool
    push_took: timedelta | None = None
    push_missed: bool = False
    transcript: tuple[str, ...] = ()
    """Of the second session."""
    because: str = ""
    """Why nothing was written."""


def insist_on_writable(talk: Dialogue, mailbox: Mailbox) -> None:
    """
    Refuse a mailbox that was opened for writing and can only be read.

    Raises:
        PhaseFailed: STORE_READ_ONLY.
    """
    if mailbox.read_only:
        with talk.watch.phase(Phase.SELECT):
            raise PhaseFailed(Phase.SELECT, Cause.STORE_READ_ONLY, "SELECT says [READ-ONLY]")


async def take_writing_turn(talk: Dialogue, mailbox: Mailbox) -> Written:
    """
    Write, hear, read and remove one message in the selected *mailbox*.

    Raises:
        PhaseFailed: Any of it failed, except hearing of it.
    """
    await talk.ask_what_is_offered()
    refusal = await too_many_left(talk)
    if refusal:
        return Written(wrote=False, because=refusal)
    listener = await _listening(talk) if talk.offers("IDLE") else None
    try:
        written = await _write_and_read(talk, mailbox, listener)
    finally:
        if listener is not None:
            await listener.part()
    return written


async def too_many_left(talk: Dialogue) -> str:
    """
    Remove what interrupted turns left.

    Returns:
        Why nothing may be added to a pile that only grows, for want of UIDPLUS; "" where it may.
    """
    if talk.exists <= 1:  # the canary at most: nothing can be left over
        return ""
    tokens = await find_tokens(talk)
    await remove(talk, left_over(tokens, before=talk.equipment.clock.now() - talk.settings.leftover_age))
    if len(tokens) >= talk.settings.leftovers_without_uidplus and not can_expunge_exactly(talk):
        tokens = await find_tokens(talk)
        if len(tokens) >= talk.settings.leftovers_without_uidplus:
            return f"not written: {len(tokens)} messages of ours wait for somebody's EXPUNGE, for want of UIDPLUS"
    return ""


async def _write_and_read(talk: Dialogue, mailbox: Mailbox, listener: Dialogue | None) -> Written:
    user = talk.target.account.user if talk.target.account else ""
    token = Token(identity=talk.target.identity, random=talk.equipment.chance.token(), sent=talk.equipment.clock.now())
    message = token_message(token, user)
    waiting = asyncio.create_task(_hear_of_mail(listener)) if listener is not None else None
    try:
        appended = await talk.demand(Phase.APPEND, Append(talk.settings.mailbox, message, ("\\Seen",)))
        acknowledged = talk.watch.now()
        own = await _find(talk, mailbox, appended, token)
        await _read_back(talk, own, token, message)
        heard_at = await waiting if waiting is not None else None
    finally:
        if waiting is not None and not waiting.done():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    written = Written(wrote=True) if listener is None else _told(talk, listener, acknowledged, heard_at)
    await remove(talk, [own])
    return written


def _told(talk: Dialogue, listener: Dialogue, acknowledged: float, heard_at: float | None) -> Written:
    second = ("-- the second session, which waits for news:", *listener.transcript.lines)
    if heard_at is None and listener.watch.is_overloaded(Phase.IDLE):
        return Written(wrote=True, transcript=second)
    if heard_at is None:
        waited = timedelta(seconds=talk.watch.now() - acknowledged)
        talk.watch.record(Phase.IDLE, waited, PhaseOutcome.TIMED_OUT)
        return Written(wrote=True, push_missed=True, transcript=second)
    took = timedelta(seconds=max(0.0, heard_at - acknowledged))
    talk.watch.record(Phase.IDLE, took, PhaseOutcome.OK)
    return Written(wrote=True, push_took=took, transcript=second)


async def _find(talk: Dialogue, mailbox: Mailbox, appended: Reply, token: Token) -> OwnMessage:
    """The message just stored, by APPENDUID or by its header; proven by its header in either case."""
    told = appended.appended
    if told is not None and len(told[1]) == 1 and told[0] == mailbox.uid_validity:
        found = await verify_own(talk, told[1], Phase.FETCH)
    else:
        found = await find_own(talk, UidSearchHeader(TOKEN_HEADER, token.text), Phase.FETCH)
    for own in found:
        if own.mark.token == token.text:
            return own
    with talk.watch.phase(Phase.FETCH):
        raise PhaseFailed(Phase.FETCH, Cause.STORE_CHANGED, "the message just stored is not in the mailbox")


async def _read_back(talk: Dialogue, own: OwnMessage, token: Token, message: bytes) -> None:
    """Compare what was stored. A server may rewrite headers (Exchange does), but not lose the end of a message."""
    reply = await talk.demand(Phase.FETCH, UidFetch(own.uid))
    body = next((fetched.body for fetched in reply.messages if fetched.uid == own.uid and fetched.body), b"")
    if body == message:
        return
    with talk.watch.phase(Phase.FETCH):
        if body.rstrip().endswith(token.text.encode()):
            talk.transcript.note(f"the server rewrote our message: {len(message)} bytes became {len(body)}")
            return
        raise PhaseFailed(
            Phase.FETCH,
            Cause.CONTENT_MISMATCH,
            f"the message just stored came back as {len(body)} bytes that are not the {len(message)} stored",
        )


async def _listening(talk: Dialogue) -> Dialogue | None:
    """A second session in IDLE, or None where there can be none now: it is for push alone."""
    watch = Stopwatch(
        time=talk.watch.now,
        loop_lag=talk.equipment.network.loop_lag,
        limits=talk.settings.phase_limits,
        deadline=talk.watch.now() + talk.watch.left_of_whole() * _SHARE_FOR_LISTENER,
    )
    listener = Dialogue(talk.target, talk.equipment, watch, limits=Limits())
    try:
        await listener.open(ask_capabilities=False)
        await listener.log_in()
        await listener.select(read_only=True)
        await listener.idle()
    except PhaseFailed as failed:
        talk.transcript.note(f"push was not tried: the second session failed at {failed.phase.value}: {failed.detail}")
        await listener.part()
        return None
    watch.deadline = talk.watch.deadline
    return listener


async def _hear_of_mail(listener: Dialogue) -> float | None:
    """When the second session was told of a new message; None when it was not, or ended."""
    limit = listener.settings.phase_limits.get(Phase.IDLE, timedelta(seconds=10)).total_seconds()
    reserve = listener.settings.push_reserve.total_seconds()
    try:
        await listener.hear_of_mail(timeout=min(limit, listener.watch.left_of_whole() - reserve))
    except PhaseFailed as failed:
        listener.transcript.note(failed.detail)
        return None
    return listener.watch.now()
