"""
What nobody is called for: servers in maintenance, monitors somebody repairs, monitors that were switched off.

Silence is by what is at fault as well as by what shows it: while be1 is in maintenance, a customer touch point of a
proxy whose verdict names be1 is silent too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mailward.model.holds import Hold, HoldKind
from mailward.model.identity import subject_of
from mailward.model.monitoring import MonitorStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Silences:
    """The holds that silence, looked up once for all monitors."""

    servers: frozenset[str]
    subjects: frozenset[str]

    def cover(self, status: MonitorStatus) -> bool:
        """Whether nobody is called for this monitor."""
        if status.state.is_set_aside or status.key.server in self.servers:
            return True
        if status.verdict is not None and status.verdict.server in self.servers:
            return True
        return bool(self.subjects) and subject_of(status.key).lower() in self.subjects


def silences(holds: Iterable[Hold], *, now: datetime) -> Silences:
    """What is in force at *now*."""
    in_force = [hold for hold in holds if hold.is_in_force(now)]
    return Silences(
        servers=frozenset(hold.subject for hold in in_force if hold.kind is HoldKind.MAINTENANCE),
        subjects=frozenset(hold.subject.lower() for hold in in_force if hold.kind is HoldKind.REPAIRING),
    )
