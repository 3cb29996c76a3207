r"""
Finding and removing messages of our own, in a mailbox that may be full of other people's.

The rules of this file:
- a search by header is only a hint (servers match parts of words): whether a message is ours is decided by its own
  headers, fetched, before anything is done to it;
- nothing is marked \Deleted but tokens; the canary never;
- with UIDPLUS (RFC 4315) exactly our UIDs are expunged. Without it EXPUNGE removes whatever anybody marked, so it is
  used only where every message of the mailbox is ours; elsewhere ours stay, marked, for the owner's next EXPUNGE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailward.imap import Expunge, Select, UidExpunge, UidFetch, UidSearchHeader, UidStoreDeleted
from mailward.model.probing import Phase
from mailward.probes.dialogue import Dialogue
from mailward.probes.messages import CANARY_HEADER, OWN_HEADERS, TOKEN_HEADER, OwnMark, own_mark, token_prefix

#: At most so many messages are looked at in one turn; the rest waits for the next.
_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnMessage:
    """A message that proved to be ours."""

    uid: int
    mark: OwnMark
    is_deleted: bool


async def find_own(talk: Dialogue, search: UidSearchHeader, phase: Phase) -> tuple[OwnMessage, ...]:
    """Those of the messages a search finds that are ours, by their own headers."""
    found = (await talk.demand(phase, search)).found
    return await verify_own(talk, found, phase)


async def verify_own(talk: Dialogue, uids: Sequence[int], phase: Phase) -> tuple[OwnMessage, ...]:
    """Those of these messages that are ours, by their own headers."""
    if not uids:
        return ()
    asked = sorted(uids)[:_AT_ONCE]
    reply = await talk.demand(phase, UidFetch(asked, ("UID", "FLAGS", OWN_HEADERS)))
    own = []
    for message in reply.messages:
        headers = b"".join(body or b"" for section, body in message.bodies.items() if "HEADER.FIELDS" in section)
        mark = own_mark(headers, talk.target.identity)
        if mark is not None and message.uid in asked:
            is_deleted = "\\deleted" in {flag.lower() for flag in message.flags or ()}
            own.append(OwnMessage(uid=message.uid, mark=mark, is_deleted=is_deleted))
    return tuple(own)


async def find_tokens(talk: Dialogue) -> tuple[OwnMessage, ...]:
    """Every token of this organization in the mailbox."""
    search = UidSearchHeader(TOKEN_HEADER, token_prefix(talk.target.identity))
    return tuple(own for own in await find_own(talk, search, Phase.EXPUNGE) if own.mark.token is not None)


def left_over(tokens: Sequence[OwnMessage], *, before: datetime) -> tuple[OwnMessage, ...]:
    """The tokens an interrupted turn left behind: sent before that moment, by their own header."""
    return tuple(own for own in tokens if own.mark.sent is not None and own.mark.sent < before)


def can_expunge_exactly(talk: Dialogue) -> bool:
    """Whether the server removes exactly the messages it is told to (RFC 4315, part of RFC 9051)."""
    return talk.offers("UIDPLUS") or talk.offers("IMAP4REV2")


async def remove(talk: Dialogue, tokens: Sequence[OwnMessage]) -> None:
    """Remove these tokens, and nothing else whatever."""
    uids = [own.uid for own in tokens if own.mark.token is not None]
    if not uids:
        return
    await talk.demand(Phase.EXPUNGE, UidStoreDeleted(uids))
    if can_expunge_exactly(talk):
        await talk.demand(Phase.EXPUNGE, UidExpunge(uids))
    elif await _everything_is_ours(talk):
        await talk.demand(Phase.EXPUNGE, Expunge())
    else:
        talk.transcript.note("no UIDPLUS, and other people's messages: ours stay, marked as deleted")


async def _everything_is_ours(talk: Dialogue) -> bool:
    r"""Whether the mailbox holds nothing but our tokens and a canary that nobody marked \Deleted."""
    selected = await talk.demand(Phase.EXPUNGE, Select(talk.settings.mailbox))
    prefix = token_prefix(talk.target.identity)
    tokens = await find_own(talk, UidSearchHeader(TOKEN_HEADER, prefix), Phase.EXPUNGE)
    canaries = await find_own(talk, UidSearchHeader(CANARY_HEADER, prefix), Phase.EXPUNGE)
    if any(own.is_deleted for own in canaries):
        return False
    return selected.mailbox.exists == len({own.uid for own in (*tokens, *canaries)})
