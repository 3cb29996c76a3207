"""What the acting side of a manager sees of its watching side."""

from typing import Protocol

from mailward.engine.assessment import Assessment
from mailward.engine.ledger import Ledger
from mailward.engine.measuring import Tally
from mailward.engine.whereabouts import Whereabouts
from mailward.model.probing import ProbeResult
from mailward.monitors.coverage import Coverage
from mailward.monitors.following_holds import HoldChange
from mailward.monitors.samples import ProbeKey
from mailward.ports.settings import Snapshot


class Watched(Protocol):
    """The watching engine, as far as recoveries, holds and notices need it."""

    snapshot: Snapshot
    """The configuration in force, its active copies where the map has them."""
    configured: Coverage
    """What would be watched without any hold."""
    coverage: Coverage
    """What is watched, under what is held."""
    assessment: Assessment
    ledger: Ledger
    tally: Tally
    whereabouts: Whereabouts

    async def ask(self, key: ProbeKey) -> ProbeResult:
        """Run a planned probe now, before its turn, and return its judged result; NotFound where it is not planned."""
        ...

    def latest(self, key: ProbeKey) -> ProbeResult | None:
        """The last result of a probe, or None."""
        ...

    async def certificate_on_disk(self, result: ProbeResult) -> str | None:
        """The fingerprint of the certificate on the probed server's disk, or None."""
        ...

    def problems(self) -> tuple[str, ...]:
        """What mailward itself is in trouble with."""
        ...

    def held_differently(self, change: HoldChange) -> None:
        """What is held has changed: overrides and repairs take effect."""
        ...
