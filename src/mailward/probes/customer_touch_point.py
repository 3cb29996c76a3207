"""ImapCTPProbe: can a user of this database read mail through this access point or proxy, and who serves it?"""

from mailward.model.items import CTP_PROBE
from mailward.model.probing import ProbeResult
from mailward.model.target import ProbeTarget
from mailward.probes.canary import read_canary
from mailward.probes.deep_test import NO_CANARY_YET
from mailward.probes.dialogue import Dialogue
from mailward.probes.equipment import Equipment
from mailward.probes.measurement import Seen, measure, not_applicable


class ImapCTPProbe:
    """Walks the whole path of a user with the health mailbox of a database, and names the mailbox server, `_Mbx`."""

    name = CTP_PROBE

    def __init__(self, equipment: Equipment) -> None:
        """Probes keep no state between runs."""
        self._equipment = equipment

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """Connect, TLS, greeting, log in, ID, SELECT, FETCH of the canary, LOGOUT."""
        if target.account is None:
            return not_applicable(target, self._equipment, f"{target.target} has no health mailbox")
        return await measure(target, self._equipment, _converse)


async def _converse(talk: Dialogue) -> Seen:
    await talk.open(ask_capabilities=False)
    await talk.log_in()
    await talk.introduce_ourselves()
    canary = await read_canary(talk, await talk.select())
    return Seen(mailbox_server=talk.served_by, canary=canary, detail="" if canary else NO_CANARY_YET)
