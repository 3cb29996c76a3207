"""ImapProxyTestProbe: does the proxy greet its clients, without needing a mailbox server?"""

from mailward.model.items import PROXY_TEST_PROBE
from mailward.model.probing import Phase, ProbeResult
from mailward.model.target import ProbeTarget
from mailward.probes.dialogue import Dialogue
from mailward.probes.equipment import Equipment
from mailward.probes.measurement import Seen, measure


class ImapProxyTestProbe:
    """Meets a proxy on the address clients use. Does not log in: that would need a mailbox server."""

    name = PROXY_TEST_PROBE

    def __init__(self, equipment: Equipment) -> None:
        """Probes keep no state between runs."""
        self._equipment = equipment

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """Connect, TLS, greeting, CAPABILITY, ID, LOGOUT."""
        return await measure(target, self._equipment, _converse)


async def _converse(talk: Dialogue) -> Seen:
    await talk.open(ask_capabilities=True)
    await talk.introduce_ourselves(Phase.CAPABILITY)
    talk.served_by = None  # before login the proxy answers for itself
    return Seen()
