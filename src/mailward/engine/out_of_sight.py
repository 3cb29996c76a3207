"""
What mailward cannot see through a fault of its own: a prober that is banned or cut off.

Such a result says nothing of the server, so no service monitor counts it; unless mailward's own monitor does, nobody
would be told. Faults of a health mailbox have a monitor of their own and are not counted here.
"""

from mailward.model.probing import ProbeResult
from mailward.model.verdict import Tier
from mailward.monitors.samples import ProbeKey, probe_key

NAMED = 3
"""How many servers are named in one look; the others are counted."""


class OutOfSight:
    """The probes whose last result was our own fault, and why."""

    def __init__(self) -> None:
        """All is in sight."""
        self._why: dict[ProbeKey, str] = {}

    def note(self, result: ProbeResult) -> None:
        """Take up the latest result of a probe."""
        verdict = result.verdict
        is_ours = result.result.is_failure and verdict is not None and verdict.tier is Tier.MONITORING
        phase = result.failed_phase
        if is_ours and verdict is not None and phase is not None and phase.is_before_login:
            self._why[probe_key(result)] = verdict.because
        else:
            self._why.pop(probe_key(result), None)

    def sentences(self) -> tuple[str, ...]:
        """One for each server that cannot be seen, a few at most."""
        by_server = {key.server: because for key, because in self._why.items()}
        told = [f"{server} cannot be seen from here: {because}" for server, because in by_server.items()][:NAMED]
        more = len(by_server) - len(told)
        return (*told, *([f"{more} more servers cannot be seen from here"] if more else []))
