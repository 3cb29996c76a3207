"""What a running manager can be asked: one port for the API, the dashboard and, through the API, the command line."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mailward.model.event import Event, EventKind
from mailward.model.health import HealthSetReport, MonitorHealth, RollupReport
from mailward.model.items import ProbeItem
from mailward.model.probing import ProbeResult


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagerStatus:
    """How the manager itself is doing."""

    organization: str
    version: str
    started_at: datetime
    servers: int
    monitors: int
    unhealthy: int
    probes_late: int
    store_reachable: bool
    pending_results: int
    """Results that wait for the store."""
    configuration_loaded_at: datetime
    configuration_error: str | None = None
    """Why the last reload was refused, while the old configuration stays in force."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemInstance:
    """A probe or monitor as it exists in this organization (Get-MonitoringItemIdentity)."""

    identity: str
    """HEALTHSET/ITEM/TARGET, the target percent-encoded."""
    item_type: str
    """Probe or Monitor."""
    name: str
    server: str
    target_resource: str
    interval: timedelta | None = None
    timeout: timedelta | None = None


class Manager(Protocol):
    """
    A running manager.

    Names of servers match by short name or FQDN, without regard to case. Every method that takes a name raises
    Refused for an unknown one, naming the nearest, and TemporaryFailure when the answer cannot be had now.
    """

    async def status(self) -> ManagerStatus:
        """How the manager itself is doing."""
        ...

    async def health(
        self, *, server: str | None = None, health_set: str | None = None, state: str | None = None
    ) -> tuple[MonitorHealth, ...]:
        """Monitors, worst first. *health_set* is a pattern: without wildcard it matches exactly."""
        ...

    async def report(self, *, server: str | None = None) -> tuple[HealthSetReport, ...]:
        """Health sets of each server."""
        ...

    async def rollup(self, *, minimum_online_percent: int = 70, group_size: int = 12) -> tuple[RollupReport, ...]:
        """Health sets over groups of servers (Get-HealthReport -RollupGroup)."""
        ...

    async def items(self, *, health_set: str | None = None, server: str | None = None) -> tuple[ItemInstance, ...]:
        """The probes and monitors of this organization."""
        ...

    async def item_help(self, item: str) -> ProbeItem | None:
        """Not every manager documents its items; None when unknown."""
        ...

    async def probe(self, identity: str, *, server: str) -> tuple[ProbeResult, ...]:
        """
        Run a probe now. *identity* is HEALTHSET/ITEM[/TARGET] or a bare item; a monitor's name runs its associated
        probe; without a target every target of that server is run.
        """
        ...

    async def results(
        self, *, probe: str | None = None, server: str | None = None, failed: bool | None = None, limit: int = 50
    ) -> tuple[ProbeResult, ...]:
        """Stored results, the newest first."""
        ...

    async def events(
        self,
        *,
        after: int = 0,
        kinds: Sequence[EventKind] = (),
        subject: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[Event, ...]:
        """Stored events."""
        ...

    def follow(self, *, after: int) -> AsyncIterator[Event]:
        """Events with ids above *after*, then every new one as it is stored. Ends when the manager stops."""
        ...

    async def reload(self, *, actor: str) -> ManagerStatus:
        """
        Read the configuration again.

        Raises:
            Refused: The new configuration is wrong; the old one stays in force. The text lists every mistake.
        """
        ...
