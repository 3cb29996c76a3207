"""The ports an engine stands on, as `app` hands them in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from mailward.model.channels import Channel
from mailward.model.organization import Organization
from mailward.ports.access_point_control import AccessPointControl
from mailward.ports.chance import Chance
from mailward.ports.clock import Clock
from mailward.ports.counters import Counters
from mailward.ports.holds import Holds
from mailward.ports.host import Host
from mailward.ports.host_control import HostControl
from mailward.ports.lease import Lease
from mailward.ports.mailbox_routing import MailboxRouting, ProxyControl
from mailward.ports.notifier import Notifier
from mailward.ports.operations import Operations
from mailward.ports.outbox import Outbox
from mailward.ports.probe import Probe
from mailward.ports.protocol_log import ProtocolLog
from mailward.ports.replication import Replication
from mailward.ports.sentinel import Sentinel
from mailward.ports.service_control import ServiceControl
from mailward.ports.service_manager import ServiceManager
from mailward.ports.settings import Settings
from mailward.ports.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairParts:
    """The ports that acting and telling stand on."""

    operations: Operations
    lease: Lease
    holds: Holds
    outbox: Outbox
    make_notifier: Callable[[Channel], Notifier]
    stopped: Callable[[str], str | None]
    """Why the stop file of that name forbids everything; None: it is not there."""
    owner: str
    """This process, unique among all that may act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """What is reachable of the servers' hosts, by server name."""

    hosts: Mapping[str, Host]
    services: Mapping[str, ServiceControl]
    machines: Mapping[str, HostControl] = field(default_factory=dict)
    access_points: Mapping[str, AccessPointControl] = field(default_factory=dict)
    """By the name of the access point."""
    routing: MailboxRouting | None = None
    proxies: Mapping[str, ProxyControl] = field(default_factory=dict)
    replication: Mapping[str, Replication] = field(default_factory=dict)
    counters: Mapping[str, Counters] = field(default_factory=dict)
    protocol_logs: Mapping[str, ProtocolLog] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """The ports an engine runs on."""

    settings: Settings
    store: Store
    probes: Mapping[str, Probe]
    platform: Callable[[Organization], Platform]
    clock: Clock
    chance: Chance
    loop_lag: Callable[[], timedelta]
    sentinel: Sentinel | None = None
    self_check: Callable[[int], tuple[str, ...]] = lambda _: ()
    """What is wrong with this machine for so many probes, found at the start; a sentence each."""
    repair: RepairParts | None = None
    """None: this engine only watches."""
    service_manager: ServiceManager | None = None
    """Who looks after this process, if anybody does."""
