"""ImapDeepTestProbe: can a mailbox be read, and every few minutes written, on the mailbox server that holds it?"""

from mailward.model.items import DEEP_TEST_PROBE
from mailward.model.probing import ProbeResult
from mailward.model.target import ProbeTarget, Turn
from mailward.probes.canary import read_canary
from mailward.probes.dialogue import Dialogue
from mailward.probes.equipment import Equipment
from mailward.probes.measurement import Seen, measure, not_applicable
from mailward.probes.writing_turn import Written, insist_on_writable, take_writing_turn

NO_CANARY_YET = "no message was read: the canary that a writing turn plants is not there yet"


class ImapDeepTestProbe:
    """Reads the canary directly on a mailbox server; on a writing turn also stores, hears of and removes a message."""

    name = DEEP_TEST_PROBE

    def __init__(self, equipment: Equipment) -> None:
        """Probes keep no state between runs."""
        self._equipment = equipment

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """Connect, TLS, greeting, log in, ID, SELECT (EXAMINE on passive copies), FETCH, the turn's rest, LOGOUT."""
        if target.account is None:
            return not_applicable(target, self._equipment, f"{target.target} has no health mailbox")
        return await measure(target, self._equipment, _converse)


async def _converse(talk: Dialogue) -> Seen:
    await talk.open(ask_capabilities=False)
    await talk.log_in()
    await talk.introduce_ourselves()
    mailbox = await talk.select(read_only=talk.target.turn is Turn.EXAMINE)
    if talk.target.turn is Turn.WRITE:
        insist_on_writable(talk, mailbox)
    canary = await read_canary(talk, mailbox)
    written = Written(wrote=False)
    if talk.target.turn is Turn.WRITE:
        written = await take_writing_turn(talk, mailbox)
    return Seen(
        mailbox_server=talk.served_by or talk.target.server,
        canary=canary,
        push_took=written.push_took,
        push_missed=written.push_missed,
        wrote=written.wrote,
        detail=written.because or ("" if canary else NO_CANARY_YET),
        further_transcript=written.transcript,
    )
