"""
The machine and its services as a test wants them: time, chance, secrets, a service that ends on command, a host.

Each passes the contract tests of its port.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.model.evidence import DiskUsage, LogLine, ServiceState, ServiceStatus
from mailward.model.organization import SecretRef
from mailward.ports.clock import Clock
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self._at = at

    def now(self) -> datetime:
        """The moment the test has set."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self._at += by


class CountedChance:
    """Always the middle, and tokens that count up: different, as long as real ones, and the same in every run."""

    def __init__(self) -> None:
        self._tokens = 0

    def between(self, low: float, high: float) -> float:
        """The middle."""
        return (low + high) / 2

    def token(self) -> str:
        """The next token: 32 characters."""
        self._tokens += 1
        return f"token{self._tokens:027d}"


class KnownSecrets:
    """Secrets by the name of their reference."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets = dict(secrets)

    def reveal(self, ref: SecretRef) -> str:
        """
        Return the secret of that name.

        Raises:
            TemporaryFailure: There is none.
        """
        if ref.name not in self.secrets:
            raise TemporaryFailure(f"the password file {ref.name} cannot be read: No such file or directory")
        return self.secrets[ref.name]


class TameService:
    """
    A service that starts, stops, fails and hangs when told; what was done to it is in `deeds`, in order.

    A deed is noted when it begins, so that one which raises or hangs is in the list as well.
    """

    def __init__(self, state: ServiceState = ServiceState.RUNNING, *, clock: Clock | None = None) -> None:
        """
        Args:
            state: How it is to begin with.
            clock: Says since when the service is as it is; without one that is not told.
        """
        self.deeds: list[str] = []
        self.unreachable = ""
        """Why the host cannot be asked; "" means it can."""
        self.configuration = ConfigurationCheck(is_valid=True, because="the test says it is valid")
        """What a check of the configuration on disk finds."""
        self.others: tuple[str, ...] = ()
        """Who else is at work."""
        self.not_available: set[ServiceDeed] = set()
        """What this platform cannot do."""
        self.failing: dict[ServiceDeed, MailwardError] = {}
        """Deeds that raise, and change nothing."""
        self.without_effect: set[ServiceDeed] = set()
        """Deeds that end well and change nothing."""
        self.hangs_before: set[ServiceDeed] = set()
        """Deeds that wait for `let_go` before they take effect."""
        self.hangs_after: set[ServiceDeed] = set()
        """Deeds that have taken effect and wait for `let_go` all the same."""
        self._gone_on = asyncio.Event()
        self._clock = clock
        self._starts = 1
        self._status = ServiceStatus(
            state=state,
            because=f"the test says it is {state.value}",
            pid=_pid(state, 1),
            starts=1,
            since=None if clock is None else clock.now(),
        )
        self._watchers: list[asyncio.Queue[ServiceStatus | TemporaryFailure]] = []

    async def status(self) -> ServiceStatus:
        """
        The state the test has set.

        Raises:
            TemporaryFailure: The test says the host cannot be asked.
        """
        self._refuse_if_unreachable()
        return self._status

    async def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the status whenever the service ends; at once when it is not running to begin with.

        Raises:
            TemporaryFailure: The test broke the watch.
        """
        self._refuse_if_unreachable()
        if _has_ended(self._status):
            yield self._status
        queue: asyncio.Queue[ServiceStatus | TemporaryFailure] = asyncio.Queue()
        self._watchers.append(queue)
        try:
            while True:
                news = await queue.get()
                if isinstance(news, TemporaryFailure):
                    raise news
                yield news
        finally:
            self._watchers.remove(queue)

    async def start(self) -> None:
        """Start it."""
        await self._do(ServiceDeed.START)

    async def stop(self) -> None:
        """Stop it on purpose."""
        await self._do(ServiceDeed.STOP)

    async def restart(self) -> None:
        """Stop and start it."""
        await self._do(ServiceDeed.RESTART)

    async def reload(self) -> None:
        """Note that it was told to read its configuration again."""
        await self._do(ServiceDeed.RELOAD)

    async def enable(self) -> None:
        """Note that it was told to start at boot."""
        await self._do(ServiceDeed.ENABLE)

    async def check_configuration(self) -> ConfigurationCheck:
        """What the test has set."""
        self._refuse_if_unreachable()
        return self.configuration

    async def others_at_work(self) -> tuple[str, ...]:
        """What the test has set."""
        self._refuse_if_unreachable()
        return self.others

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """
        Words that nothing but this service understands.

        Raises:
            Refused: The test says that this platform cannot.
        """
        if deed in self.not_available:
            raise Refused(f"not available on this platform: the test says it cannot {deed.value}")
        return ("tame", deed.value)

    def become(self, state: ServiceState, because: str = "the test says so", *, in_kernel: bool = False) -> None:
        """Set its state, as if that had happened to it."""
        self._status = ServiceStatus(
            state=state,
            because=because,
            pid=_pid(state, self._starts),
            starts=self._starts,
            in_kernel=in_kernel,
            since=None if self._clock is None else self._clock.now(),
        )
        if _has_ended(self._status):
            for watcher in self._watchers:
                watcher.put_nowait(self._status)

    def begin_anew(self, because: str = "it was started") -> None:
        """Run as another process, as if somebody had started it."""
        self._starts += 1
        self.become(ServiceState.RUNNING, because)

    def let_go(self) -> None:
        """End every deed that hangs, and let the next ones hang again."""
        self._gone_on.set()
        self._gone_on = asyncio.Event()

    def break_watch(self) -> None:
        """End every `exits` under way, as when the host goes away."""
        for watcher in self._watchers:
            watcher.put_nowait(TemporaryFailure("the test broke the watch"))

    async def _do(self, deed: ServiceDeed) -> None:
        _, verb = self.command(deed)
        self._refuse_if_unreachable()
        self.deeds.append(verb)
        if deed in self.failing:
            raise self.failing[deed]
        if deed in self.hangs_before:
            await self._gone_on.wait()
        if deed not in self.without_effect:
            self._take_effect(deed)
        if deed in self.hangs_after:
            await self._gone_on.wait()

    def _take_effect(self, deed: ServiceDeed) -> None:
        if deed in (ServiceDeed.STOP, ServiceDeed.RESTART) and not _has_ended(self._status):
            self.become(ServiceState.STOPPED, "it was asked to stop")
        has_to_start = deed is ServiceDeed.START and self._status.state is not ServiceState.RUNNING
        if has_to_start or deed is ServiceDeed.RESTART:
            self.begin_anew()

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable:
            raise TemporaryFailure(self.unreachable)


class TameHostControl:
    """A machine that restarts when told, and takes its services with it; `restarts` counts how often it was asked."""

    def __init__(self, *services: TameService) -> None:
        """
        Args:
            services: What runs on it.
        """
        self.restarts = 0
        self.unreachable = ""
        """Why the machine cannot be asked; "" means it can."""
        self.stays_away = False
        """Whether a restart takes until `come_back`; otherwise the machine is back at once."""
        self.refusal: MailwardError | None = None
        """What a restart raises instead of beginning."""
        self._services = services
        self._boots = 1

    async def boot_id(self) -> str:
        """
        Which boot this is.

        Raises:
            TemporaryFailure: It is restarting, or the test says that it cannot be asked.
        """
        self._refuse_if_unreachable()
        return f"boot-{self._boots}"

    async def restart(self) -> None:
        """
        Have it restart.

        Raises:
            TemporaryFailure: It cannot be asked.
            MailwardError: What the test has set.
        """
        self._refuse_if_unreachable()
        self.restarts += 1
        if self.refusal is not None:
            raise self.refusal
        self.go_away()
        if not self.stays_away:
            self.come_back()

    def command(self) -> tuple[str, ...]:
        """Words that nothing but this machine understands."""
        return ("tame", "restart-server")

    def go_away(self) -> None:
        """Be gone: nothing on it answers."""
        self.unreachable = "the machine does not answer"
        for service in self._services:
            service.unreachable = self.unreachable
            service.break_watch()

    def come_back(self) -> None:
        """Be there again, after another boot, with every service started."""
        self._boots += 1
        self.unreachable = ""
        for service in self._services:
            service.unreachable = ""
            service.begin_anew("it was started when the machine booted")

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable:
            raise TemporaryFailure(self.unreachable)


class TameHost:
    """A host that shows what a test put there."""

    def __init__(
        self, *, lines: Sequence[LogLine] = (), disks: Sequence[DiskUsage] = (), certificate: str | None = None
    ) -> None:
        self.lines = list(lines)
        self.usage = list(disks)
        self.certificate = certificate
        self.unreachable = ""
        """Why the host cannot be asked; "" means it can."""

    async def log_lines(
        self, *, since: datetime, mentioning: tuple[str, ...] = (), limit: int = 50
    ) -> tuple[LogLine, ...]:
        """The newest of the lines since then that mention any of the words, the oldest first."""
        self._refuse_if_unreachable()
        wanted = [word.lower() for word in mentioning]
        earliest = since.replace(microsecond=0)
        found = [
            line
            for line in self.lines
            if (line.at is None or line.at >= earliest)
            and (not wanted or any(word in line.text.lower() for word in wanted))
        ]
        return tuple(found[-limit:])

    async def disks(self) -> tuple[DiskUsage, ...]:
        """What the test said of its disks."""
        self._refuse_if_unreachable()
        return tuple(self.usage)

    async def certificate_on_disk(self) -> str | None:
        """What the test said of its certificate."""
        self._refuse_if_unreachable()
        return self.certificate

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable:
            raise TemporaryFailure(self.unreachable)


def _has_ended(status: ServiceStatus) -> bool:
    return status.state.has_ended


def _pid(state: ServiceState, starts: int) -> int | None:
    return 1000 + starts if state.has_processes else None
