"""LmtpDeliveryProbe: does mail that is handed over at a proxy arrive where its user reads it?"""

import asyncio

from mailward.diagnosis.replies import cause_of_delivery
from mailward.imap import Noop, UidSearchHeader
from mailward.model.items import DELIVERY_PROBE
from mailward.model.probing import Cause, Phase, ProbeResult
from mailward.model.target import ProbeTarget
from mailward.ports.mail_delivery import DeliveryRefused, MailDelivery
from mailward.ports.network import NetworkFailure
from mailward.probes.dialogue import Dialogue
from mailward.probes.equipment import Equipment
from mailward.probes.failure import PhaseFailed
from mailward.probes.measurement import Seen, measure, not_applicable
from mailward.probes.messages import TOKEN_HEADER, Token, token_message
from mailward.probes.own_messages import OwnMessage, find_own, remove
from mailward.probes.writing_turn import insist_on_writable, too_many_left

#: Between two looks for the message.
_LOOK_AGAIN_S = 0.2


class LmtpDeliveryProbe:
    """Reads at the proxy what was handed over there, and removes it."""

    name = DELIVERY_PROBE

    def __init__(self, equipment: Equipment, delivery: MailDelivery) -> None:
        """Hand over by *delivery*; probes keep no state between runs."""
        self._equipment = equipment
        self._delivery = delivery

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """Open the health mailbox, hand a message with our token over, wait until it is there, remove it."""
        if target.account is None or target.delivery is None:
            return not_applicable(target, self._equipment, f"nobody says where {target.server} takes mail: set lmtp")
        return await measure(target, self._equipment, self._converse)

    async def _converse(self, talk: Dialogue) -> Seen:
        await talk.open(ask_capabilities=False)
        await talk.log_in()
        await talk.introduce_ourselves()
        insist_on_writable(talk, await talk.select())
        await talk.ask_what_is_offered()
        refusal = await too_many_left(talk)
        if refusal:
            return Seen(detail=refusal)
        token = Token(
            identity=talk.target.identity, random=talk.equipment.chance.token(), sent=talk.equipment.clock.now()
        )
        await self._hand_over(talk, token)
        answered = talk.watch.now()
        arrived, looks = await _arrival(talk, token)
        after = talk.watch.now() - answered
        await remove(talk, arrived)
        return Seen(mailbox_server=talk.served_by, wrote=True, detail=_of_a_late(after) if looks > 1 else "")

    async def _hand_over(self, talk: Dialogue, token: Token) -> None:
        door, account = talk.target.delivery, talk.target.account
        if door is None or account is None:
            raise RuntimeError("a delivery needs its door and its mailbox")
        with talk.watch.phase(Phase.DELIVERY):
            talk.transcript.note(f"a message is handed over to {door} by LMTP")
            try:
                await self._delivery.deliver(
                    door, recipient=account.user, message=token_message(token, account.user), timeout=talk.watch.left()
                )
            except DeliveryRefused as refused:
                cause = cause_of_delivery(refused.code, refused.said)
                raise PhaseFailed(Phase.DELIVERY, cause, f"LMTP says {refused}", code=str(refused.code)) from refused
            except NetworkFailure as failure:
                raise PhaseFailed(Phase.DELIVERY, failure.cause, f"LMTP: {failure.detail}") from failure


def _of_a_late(seconds: float) -> str:
    return f"the message was there {seconds:.1f} s after it was answered for: it came through a queue or another server"


async def _arrival(talk: Dialogue, token: Token) -> tuple[tuple[OwnMessage, ...], int]:
    """
    The message, once it is there, and how many looks it took.

    Who answers for a message by LMTP has stored it (RFC 2033 §4.2): where it is at the first look, it was stored in the
    mailbox that is read. One that comes later may have been stored on another server, and copied from there.
    """
    looks = 0
    while True:
        looks += 1
        await talk.demand(Phase.FETCH, Noop())  # so that the server tells of what has come
        found = await find_own(talk, UidSearchHeader(TOKEN_HEADER, token.text), Phase.FETCH)
        ours = tuple(own for own in found if own.mark.token == token.text)
        if ours:
            return ours, looks
        if talk.watch.left_of_whole() < 2 * _LOOK_AGAIN_S:
            with talk.watch.phase(Phase.DELIVERY):
                detail = f"{talk.target.delivery} took a message by LMTP that is not in the mailbox it is read from"
                raise PhaseFailed(Phase.DELIVERY, Cause.TIMEOUT, detail)
        await asyncio.sleep(_LOOK_AGAIN_S)
