"""A house for the executor: servers on shipped fakes, monitors a test sets, a clock that stands still."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from mailward.engine.measuring import Tally
from mailward.engine.recovering.recovering import Recovering
from mailward.engine.recovering.world import Controls, InForce, World
from mailward.failover.settings import MoveSettings
from mailward.model import items
from mailward.model.event import Event
from mailward.model.evidence import ServiceState
from mailward.model.holds import Hold
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import (
    AccessPoint,
    Database,
    HealthMailbox,
    ImapEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
)
from mailward.model.probing import Cause, Certificate, Phase, ProbeResult, ResultType
from mailward.model.protocol_log import LoggedSession
from mailward.model.recovery import Mode, Operation, OperationStatus, Step
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.monitors.coverage import Coverage, cover
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey
from mailward.monitors.settings import MonitorSettings
from mailward.ports.access_point_control import Membership
from mailward.ports.operations import Operations
from mailward.recovery.procedures import is_about_load
from mailward.recovery.settings import RecoverySettings
from mailward.testing.access_point import TameAccessPoint
from mailward.testing.memory_operations import MemoryOperations
from mailward.testing.memory_store import MemoryLease, MemoryStore
from mailward.testing.platform import SetClock, TameHostControl, TameService
from mailward.testing.protocol_log import MemoryProtocolLog

SECOND = timedelta(seconds=1)
MAILBOX = HealthMailbox(user="health", password=SecretRef(kind=SecretKind.FILE, name="secret"))
ACT = RecoverySettings(mode=Mode.ACT, settle=timedelta(0), server_settle=timedelta(0))


def a_server(name: str, role: Role, **more: object) -> Server:
    return Server(
        name=name,
        roles=frozenset({role}),
        imap=ImapEndpoint(host=name),
        health_mailbox=replace(MAILBOX, user=f"health-{name}"),
        **more,  # type: ignore[arg-type]
    )


def an_organization() -> Organization:
    servers = [
        a_server("proxy1", Role.PROXY),
        a_server("proxy2", Role.PROXY),
        a_server("be1", Role.MAILBOX),
        a_server("be2", Role.MAILBOX),
    ]
    return Organization(
        name="example",
        servers={server.name: server for server in servers},
        access_points={"imap": AccessPoint(name="imap", imap=ImapEndpoint(host="imap"), servers=("proxy1", "proxy2"))},
        databases={
            "DB1": Database(name="DB1", copies=("be1", "be2"), active="be1", health_mailbox=MAILBOX),
            "DB2": Database(name="DB2", copies=("be2", "be1"), active="be2", health_mailbox=MAILBOX),
        },
    )


@dataclass
class House:
    """Everything a recovery stands on, in reach of a test."""

    clock: SetClock = field(default_factory=SetClock)
    organization: Organization = field(default_factory=an_organization)
    settings: RecoverySettings = ACT
    holds: list[Hold] = field(default_factory=list)
    released: list[tuple[int, str]] = field(default_factory=list)
    """Each hold that was ended, and for whom."""
    statuses: dict[MonitorKey, MonitorStatus] = field(default_factory=dict)
    latest: dict[ProbeKey, ProbeResult] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    stopped: str | None = None
    store_trouble: str | None = None
    heals_at: int = 1
    """How many starts of a service it takes until its probes succeed."""
    certificates: dict[str, str] = field(default_factory=dict)
    """server -> fingerprint served."""
    on_disk: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._covered: tuple[Organization, Coverage] | None = None
        self.store = MemoryStore(clock=self.clock)
        self.lease = MemoryLease(clock=self.clock)
        self.operations: Operations = MemoryOperations(self.store, self.lease)
        self.services = {name: TameService() for name in self.organization.servers}
        self.hosts = {name: TameHostControl() for name in self.organization.servers}
        self.logs: dict[str, MemoryProtocolLog] = {}
        self.point = TameAccessPoint(["proxy1", "proxy2"])
        self.is_well: Callable[[ProbeKey], bool] = lambda key: self._answers(key.server)
        self.recovering = self.a_manager()

    def _answers(self, server: str) -> bool:
        return self.services[server]._status.state is ServiceState.RUNNING if server in self.services else True

    def a_manager(self, operations: Operations | None = None) -> Recovering:
        """A manager on the same store: the first one, or one that comes after a crash."""
        self.managers = getattr(self, "managers", 0) + 1
        self.tally = Tally(self.clock.now())
        world = World(
            tally=self.tally,
            organization=lambda: self.organization,
            settings=lambda: self.settings,
            coverage=self.coverage,
            controls=lambda: Controls(
                services=self.services,
                hosts=self.hosts,
                access_points={"imap": self.point},
                protocol_logs=self.logs,
            ),
            status=self.statuses.get,
            unwell=lambda: tuple(one for one in self.statuses.values() if one.state is not AlertValue.HEALTHY),
            of_server=lambda server: tuple(one for key, one in self.statuses.items() if key.server == server),
            ask=self.ask,
            latest=self.latest.get,
            certificate_on_disk=self.certificate_on_disk,
            holds=lambda: tuple(self.holds),
            mode=lambda server, action, cause: InForce(
                mode=self.settings.mode_of(action, under_load=is_about_load(cause)), because=""
            ),
            stopped=lambda: self.stopped,
            store_trouble=lambda: self.store_trouble,
            record=self.events.append,
            clock=self.clock,
            moves=MoveSettings,
            copies=tuple,
            look_at_copies=_nothing_to_see,
            catch_up=_nothing_to_see,
            read_routing=_nothing_to_see,
            hold=lambda hold, actor: self._hold(replace(hold, owner=actor)),
            release=self._release,
            sessions_of=self.sessions_of,
        )
        return Recovering(world, operations or self.operations, self.lease, owner=f"manager{self.managers}")

    async def sessions_of(self, user: str, since: datetime) -> tuple[LoggedSession, ...]:
        """What the protocol logs have; the servers' own logs are left out here."""
        found = [one for log in self.logs.values() for one in await log.conversations(user, since=since)]
        return tuple(found)

    async def _hold(self, hold: Hold) -> Hold:
        kept = replace(hold, id=1 + max((one.id for one in self.holds), default=0))
        self.holds.append(kept)
        return kept

    async def _release(self, number: int, actor: str) -> Hold:
        self.released.append((number, actor))
        found = next(hold for hold in self.holds if hold.id == number)
        self.holds.remove(found)
        return found

    def coverage(self) -> Coverage:
        """What is watched; worked out anew only when the organization is another one."""
        if self._covered is None or self._covered[0] is not self.organization:
            self._covered = (self.organization, cover(self.organization, ProbingSettings(), MonitorSettings()))
        return self._covered[1]

    async def ask(self, key: ProbeKey) -> ProbeResult:
        well = self.is_well(key)
        shown = self.certificates.get(key.server)
        verdict = self.verdict_of(key)
        result = ProbeResult(
            probe=key.probe,
            health_set="IMAP.Protocol",
            server=key.server,
            target=key.target,
            at=self.clock.now(),
            took=timedelta(0),
            result=ResultType.SUCCEEDED if well else ResultType.FAILED,
            failed_phase=None if well else Phase.CONNECT,
            cause=None if well else Cause.REFUSED,
            verdict=None if well else verdict,
            certificate=None if shown is None else a_certificate(shown, self.clock),
        )
        self.latest[key] = result
        if well:
            self._recovers(key)
        return result

    def _recovers(self, key: ProbeKey) -> None:
        """What a probe finds well, its monitor soon calls Healthy."""
        monitor = {
            items.SELF_TEST_PROBE: items.SELF_TEST_MONITOR,
            items.DEEP_TEST_PROBE: items.DEEP_TEST_MONITOR,
            items.PROXY_TEST_PROBE: items.PROXY_TEST_MONITOR,
        }.get(key.probe)
        for known, status in self.statuses.items():
            if (known.server, known.item, known.target) == (key.server, monitor, key.target):
                self.statuses[known] = replace(status, state=AlertValue.HEALTHY, broken_since=None, verdict=None)

    def verdict_of(self, key: ProbeKey) -> Verdict:
        tier = Tier.PROXY if key.server.startswith("proxy") else Tier.MAILBOX_SERVER
        return Verdict(tier=tier, confidence=Confidence.CERTAIN, server=key.server, because="it does not answer")

    async def certificate_on_disk(self, result: ProbeResult) -> str | None:
        return self.on_disk.get(result.server)

    def monitor(
        self,
        server: str,
        item: str = items.SELF_TEST_MONITOR,
        state: AlertValue = AlertValue.HEALTHY,
        *,
        target: str | None = None,
        broken_for: timedelta = timedelta(0),
        verdict: Verdict | None = None,
    ) -> MonitorKey:
        """Set what a monitor says."""
        sets = {items.CTP_MONITOR: items.IMAP, items.PROXY_TEST_MONITOR: items.IMAP_PROXY}
        key = MonitorKey(
            server=server, health_set=sets.get(item, items.IMAP_PROTOCOL), item=item, target=target or server
        )
        now = self.clock.now()
        broken = state in (AlertValue.DEGRADED, AlertValue.UNHEALTHY)
        tier = Tier.PROXY if server.startswith("proxy") else Tier.MAILBOX_SERVER
        usual = Verdict(tier=tier, confidence=Confidence.CERTAIN, server=server, because=f"{server} does not answer")
        self.statuses[key] = MonitorStatus(
            key=key,
            state=state,
            since=now - broken_for,
            because="a test says so",
            broken_since=now - broken_for if broken else None,
            verdict=(verdict or usual) if broken else None,
            last_result_at=now,
        )
        return key

    async def go_on(self, manager: Recovering | None = None, *, turns: int = 40) -> None:
        """Let the manager work until nothing more happens at this moment of the clock."""
        manager = manager or self.recovering
        await manager.leading.renew()
        if manager.leading.held is None:
            await manager.leading.renew()
        for _ in range(turns):
            before = (self.store.operations.copy(), len(self.store.steps))
            await manager.turn()
            await manager.settled()
            if before == (self.store.operations.copy(), len(self.store.steps)):
                return

    async def wait(self, span: timedelta, manager: Recovering | None = None) -> None:
        """Let time pass, then let the manager work."""
        self.clock.advance(span)
        await self.go_on(manager)

    async def operation(self) -> Operation:
        """The only operation there is."""
        (found,) = await self.operations.operations()
        return found

    async def steps(self, number: int | None = None) -> tuple[Step, ...]:
        return await self.operations.steps(number or (await self.operation()).id)

    def out(self) -> list[str]:
        """The proxies that were taken out of the access point."""
        return [name for name, member in self.point._members.items() if member.membership is not Membership.IN]

    def deeds(self) -> list[tuple[str, str]]:
        """Everything that was done to services, hosts and the access point."""
        done = [(server, deed) for server, service in self.services.items() for deed in service.deeds]
        done += [(server, "restart server") for server, host in self.hosts.items() for _ in range(host.restarts)]
        return done


def a_certificate(fingerprint: str, clock: SetClock) -> Certificate:
    return Certificate(
        subject="CN=be1",
        issuer="CN=ca",
        names=("be1",),
        not_before=clock.now() - timedelta(days=1),
        not_after=clock.now() + timedelta(days=90),
        sha256=fingerprint,
        verified=True,
    )


@pytest.fixture
async def house() -> House:
    return House()


OVER = frozenset(status for status in OperationStatus if status.is_over)
Work = Callable[[], Coroutine[None, None, None]]


async def let(work: Coroutine[object, object, object]) -> None:
    await asyncio.wait_for(work, 60)


async def _nothing_to_see() -> None:
    """Nobody keeps a map, nor copies."""
