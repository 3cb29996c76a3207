"""What the executor needs of the engine and the hosts, as functions and ports; it changes with every reload."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.engine.measuring import Tally
from mailward.failover.settings import MoveSettings
from mailward.model.copies import DatabaseCopy
from mailward.model.event import Event
from mailward.model.holds import Hold
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.organization import Organization
from mailward.model.probing import ProbeResult
from mailward.model.protocol_log import LoggedSession
from mailward.model.recovery import ActionClass, Mode
from mailward.monitors.coverage import Coverage
from mailward.monitors.samples import ProbeKey
from mailward.ports.access_point_control import AccessPointControl
from mailward.ports.clock import Clock
from mailward.ports.host_control import HostControl
from mailward.ports.mailbox_routing import MailboxRouting, ProxyControl
from mailward.ports.protocol_log import ProtocolLog
from mailward.ports.replication import Replication
from mailward.ports.service_control import ServiceControl
from mailward.recovery.settings import RecoverySettings

RESOLVES_WITHIN = timedelta(seconds=3)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


async def _resolve(host: str) -> frozenset[str]:
    """By the name service; a name that cannot be looked up has no address but itself."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(RESOLVES_WITHIN.total_seconds()):
            found = await asyncio.get_running_loop().getaddrinfo(host, None)
            return frozenset({host, *(str(entry[4][0]) for entry in found)})
    return frozenset({host})


async def _no_sessions(_user: str, _since: datetime) -> tuple[LoggedSession, ...]:
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """What can be done to the hosts, by server or access point."""

    services: Mapping[str, ServiceControl] = field(default_factory=dict)
    hosts: Mapping[str, HostControl] = field(default_factory=dict)
    access_points: Mapping[str, AccessPointControl] = field(default_factory=dict)
    routing: MailboxRouting | None = None
    """The map; None: the configuration names none."""
    proxies: Mapping[str, ProxyControl] = field(default_factory=dict)
    replication: Mapping[str, Replication] = field(default_factory=dict)
    protocol_logs: Mapping[str, ProtocolLog] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class InForce:
    """How far a class of action goes on one server now."""

    mode: Mode
    because: str
    override: Hold | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The engine as the executor sees it."""

    organization: Callable[[], Organization]
    settings: Callable[[], RecoverySettings]
    coverage: Callable[[], Coverage]
    controls: Callable[[], Controls]
    status: Callable[[MonitorKey], MonitorStatus | None]
    unwell: Callable[[], tuple[MonitorStatus, ...]]
    """The monitors that are anything but Healthy."""
    of_server: Callable[[str], tuple[MonitorStatus, ...]]
    """Every monitor of one server."""
    ask: Callable[[ProbeKey], Awaitable[ProbeResult]]
    """Run a probe now; its judged result."""
    latest: Callable[[ProbeKey], ProbeResult | None]
    certificate_on_disk: Callable[[ProbeResult], Awaitable[str | None]]
    holds: Callable[[], tuple[Hold, ...]]
    """In force now."""
    mode: Callable[[str, ActionClass, MonitorKey | None], InForce]
    stopped: Callable[[], str | None]
    """Why the stop file forbids everything, or None."""
    store_trouble: Callable[[], str | None]
    record: Callable[[Event], None]
    tally: Tally
    """Where actions that ended or were withheld are counted."""
    clock: Clock
    moves: Callable[[], MoveSettings]
    copies: Callable[[], tuple[DatabaseCopy, ...]]
    """How every copy stood when last looked at."""
    look_at_copies: Callable[[], Awaitable[None]]
    """Look at them now."""
    catch_up: Callable[[], Awaitable[None]]
    """Synchronise what was left behind by forced moves, as far as it is fit for that."""
    read_routing: Callable[[], Awaitable[str | None]]
    """Read the map now and follow it; why it could not be read, or None."""
    hold: Callable[[Hold, str], Awaitable[Hold]]
    """Put a hold in place, for whoever is named."""
    release: Callable[[int, str], Awaitable[Hold]]
    """End the hold of that number, for whoever is named."""
    forbidden: Callable[[], str | None] = lambda: None
    """Why nothing at all is done by itself at this moment (mode, stop file, store, lease); None: it may be."""
    map_doubt: Callable[[str], str | None] = lambda _: None
    """Why the map of the last reading does not prove that a server holds no active copy; None: it does."""
    sessions_of: Callable[[str, datetime], Awaitable[tuple[LoggedSession, ...]]] = _no_sessions
    """The sessions of a health mailbox since then, by the logs of both tiers, the oldest first."""
    addresses_of: Callable[[str], Awaitable[frozenset[str]]] = _resolve
    """The addresses of a host name, itself among them."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Wait for so many seconds."""
    moment: Callable[[], float] = _monotonic
    """The present moment of the clock that no administrator turns, in seconds."""
