"""ImapSelfTestProbe: does the IMAP service of a mailbox server answer, and let its local health mailbox log in?"""

from mailward.model.items import SELF_TEST_PROBE
from mailward.model.probing import Phase, ProbeResult
from mailward.model.target import ProbeTarget
from mailward.probes.dialogue import Dialogue
from mailward.probes.equipment import Equipment
from mailward.probes.measurement import Seen, measure


class ImapSelfTestProbe:
    """Meets a mailbox server directly. Selects nothing, so no store is involved."""

    name = SELF_TEST_PROBE

    def __init__(self, equipment: Equipment) -> None:
        """Probes keep no state between runs."""
        self._equipment = equipment

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """Connect, TLS, greeting, CAPABILITY, log in, ID, NOOP, LOGOUT; without a health mailbox nobody logs in."""
        return await measure(target, self._equipment, _converse)


async def _converse(talk: Dialogue) -> Seen:
    await talk.open(ask_capabilities=True)
    if talk.target.account is None:
        await talk.introduce_ourselves(Phase.CAPABILITY)
        return Seen(mailbox_server=talk.target.server, detail="no health mailbox is configured: nobody logged in")
    await talk.log_in()
    await talk.introduce_ourselves()
    await talk.noop()
    return Seen(mailbox_server=talk.served_by or talk.target.server)
