"""When people are told, and what every escalation ends with."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class EscalationSettings:
    """What every alert that needs a person ends with (design §4, "Escalation")."""

    guidelines: str = ""
    """The organization's own guidelines: a text or an address; shown before the support contact."""
    support: str = ""
    """Whom to call when the guidelines do not help."""
    repeat_after: timedelta = timedelta(hours=4)
    """How often a firing alert is told again (Alertmanager's repeat_interval default)."""
    group_wait: timedelta = timedelta(seconds=10)
    """How long a new root cause may gather symptoms before it is told; a critical one waits no longer than this."""
