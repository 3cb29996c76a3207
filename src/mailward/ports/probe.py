"""A probe measures one target once. It judges nothing, stores nothing, repairs nothing."""

from typing import Protocol

from mailward.model.probing import ProbeResult
from mailward.model.target import ProbeTarget


class Probe(Protocol):
    """One kind of probe."""

    @property
    def name(self) -> str:
        """The item's name, such as ImapSelfTestProbe."""
        ...

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """
        Measure *target* and return what was seen, by `target.timeout` at the latest.

        Never raises for anything the server or the network does; a fault of the prober itself is a result too.
        """
        ...
