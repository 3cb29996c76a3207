"""
Reading the canary: is this the store it should be, and are its bytes what they were?

Without a canary on record the first one that is found counts; where there is none, a turn that may write plants it.
"""

from hashlib import sha256

from mailward.imap import Append, Fetch, Mailbox, UidFetch, UidSearchHeader
from mailward.model.probing import Canary, Cause, Phase
from mailward.model.target import Turn
from mailward.probes.dialogue import Dialogue
from mailward.probes.failure import PhaseFailed
from mailward.probes.messages import CANARY_HEADER, canary_mark, canary_message
from mailward.probes.own_messages import find_own

#: Finding a canary opens every message of most servers' mailboxes: too much to ask where it may be anybody's mailbox.
_SEARCHED_UNASKED = 200


async def read_canary(talk: Dialogue, mailbox: Mailbox) -> Canary | None:
    """
    Read the canary in the selected *mailbox* and return it as found; None where there is none yet.

    Raises:
        PhaseFailed: STORE_CHANGED when another store stands here, CONTENT_MISMATCH when the bytes differ.
    """
    known = talk.target.canary
    if known is None:
        return await _first_sight(talk, mailbox)
    if mailbox.uid_validity != known.uid_validity:
        with talk.watch.phase(Phase.SELECT):
            raise PhaseFailed(
                Phase.SELECT,
                Cause.STORE_CHANGED,
                f"UIDVALIDITY is {mailbox.uid_validity}, it was {known.uid_validity}: this is another mailbox",
            )
    return await _compare(talk, known)


async def _compare(talk: Dialogue, known: Canary) -> Canary:
    message = await _fetch(talk, known.uid)
    with talk.watch.phase(Phase.FETCH):
        if message is None:
            raise PhaseFailed(
                Phase.FETCH, Cause.STORE_CHANGED, f"the canary, UID {known.uid}, is gone from the mailbox"
            )
        found = _described(known.uid_validity, known.uid, message.body or b"")
        if found != known:
            raise PhaseFailed(
                Phase.FETCH,
                Cause.CONTENT_MISMATCH,
                f"the canary's {found.size} bytes are not the {known.size} bytes they were",
            )
    return found


async def _first_sight(talk: Dialogue, mailbox: Mailbox) -> Canary | None:
    is_ours_to_write = talk.target.turn is Turn.WRITE
    if not is_ours_to_write and talk.exists > _SEARCHED_UNASKED:
        return None
    uid = await _search(talk)
    if uid is None and is_ours_to_write:
        uid = await _plant(talk)
    if uid is None or mailbox.uid_validity is None:
        return None
    message = await _fetch(talk, uid)
    with talk.watch.phase(Phase.FETCH):
        if message is None or not message.body:
            raise PhaseFailed(
                Phase.FETCH, Cause.CONTENT_MISMATCH, f"the canary, UID {uid}, was found but cannot be read"
            )
    return _described(mailbox.uid_validity, uid, message.body)


async def _search(talk: Dialogue) -> int | None:
    """The UID of the canary in the selected mailbox; the oldest, should there be several."""
    mark = canary_mark(talk.target.identity, _user(talk))
    found = await find_own(talk, UidSearchHeader(CANARY_HEADER, mark), Phase.FETCH)
    return min((own.uid for own in found if own.mark.canary == mark), default=None)


async def _plant(talk: Dialogue) -> int | None:
    message = canary_message(talk.target.identity, _user(talk))
    reply = await talk.demand(Phase.APPEND, Append(talk.settings.mailbox, message, ("\\Seen",)))
    if reply.appended is not None and len(reply.appended[1]) == 1:
        return reply.appended[1][0]
    return await _search(talk)


async def _fetch(talk: Dialogue, uid: int) -> Fetch | None:
    reply = await talk.demand(Phase.FETCH, UidFetch(uid))
    return next((message for message in reply.messages if message.uid == uid and message.body is not None), None)


def _described(uid_validity: int, uid: int, body: bytes) -> Canary:
    return Canary(uid_validity=uid_validity, uid=uid, size=len(body), sha256=sha256(body).hexdigest())


def _user(talk: Dialogue) -> str:
    return talk.target.account.user if talk.target.account is not None else ""
