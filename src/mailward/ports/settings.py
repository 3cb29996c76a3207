"""Where the configuration comes from, as one immutable snapshot of values."""

from dataclasses import dataclass, field
from typing import Protocol

from mailward.alerts.language import Languages
from mailward.alerts.settings import EscalationSettings
from mailward.failover.settings import MoveSettings
from mailward.health.settings import RollupSettings
from mailward.model.channels import Channel
from mailward.model.organization import Organization
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings
from mailward.ports.store import Retention
from mailward.recovery.settings import RecoverySettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Everything one reading of the configuration says. A reload makes a new one; nobody changes it in place."""

    organization: Organization
    monitors: MonitorSettings = field(default_factory=MonitorSettings)
    probing: ProbingSettings = field(default_factory=ProbingSettings)
    retention: Retention = field(default_factory=Retention)
    rollup: RollupSettings = field(default_factory=RollupSettings)
    recovery: RecoverySettings = field(default_factory=RecoverySettings)
    moves: MoveSettings = field(default_factory=MoveSettings)
    escalation: EscalationSettings = field(default_factory=EscalationSettings)
    channels: tuple[Channel, ...] = ()
    languages: Languages = field(default_factory=dict)
    """The words of each language the organization or a channel has, English apart."""
    stop_file: str = ""
    """While this file exists no action is taken, whatever database and API do; "" when nothing was read from a file."""


class Settings(Protocol):
    """Reads the configuration."""

    def load(self) -> Snapshot:
        """
        Read the configuration as it is now.

        Raises:
            ConfigError: It is wrong. The text lists all mistakes, each with its place and the nearest known key.
        """
        ...
