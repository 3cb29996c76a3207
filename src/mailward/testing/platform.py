"""
The machine and its services as a test wants them: time, chance, secrets, a service that ends on command, a host.

Each passes the contract tests of its port.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import DiskUsage, LogLine, ServiceState, ServiceStatus
from mailward.model.organization import SecretRef

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
    """A service that starts, stops, fails and hangs when told; what was done to it is in `deeds`."""

    def __init__(self, state: ServiceState = ServiceState.RUNNING) -> None:
        self.deeds: list[str] = []
        self.unreachable = ""
        """Why the host cannot be asked; "" means it can."""
        self._starts = 1
        self._status = ServiceStatus(state=state, because=f"the test says it is {state.value}", pid=_pid(state, 1))
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
        self._do("start")
        if self._status.state is not ServiceState.RUNNING:
            self._starts += 1
            self.become(ServiceState.RUNNING, "it was started")

    async def stop(self) -> None:
        """Stop it on purpose."""
        self._do("stop")
        if not _has_ended(self._status):
            self.become(ServiceState.STOPPED, "it was asked to stop")

    async def restart(self) -> None:
        """Stop and start it."""
        self._do("restart")
        if not _has_ended(self._status):
            self.become(ServiceState.STOPPED, "it was asked to stop")
        self._starts += 1
        self.become(ServiceState.RUNNING, "it was started again")

    async def reload(self) -> None:
        """Note that it was told to read its configuration again."""
        self._do("reload")

    def become(self, state: ServiceState, because: str = "the test says so") -> None:
        """Set its state, as if that had happened to it."""
        self._status = replace(
            self._status, state=state, because=because, pid=_pid(state, self._starts), starts=self._starts
        )
        if _has_ended(self._status):
            for watcher in self._watchers:
                watcher.put_nowait(self._status)

    def break_watch(self) -> None:
        """End every `exits` under way, as when the host goes away."""
        for watcher in self._watchers:
            watcher.put_nowait(TemporaryFailure("the test broke the watch"))

    def _do(self, deed: str) -> None:
        self._refuse_if_unreachable()
        self.deeds.append(deed)

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
    return status.state in (ServiceState.FAILED, ServiceState.STOPPED)


def _pid(state: ServiceState, starts: int) -> int | None:
    return 1000 + starts if state in (ServiceState.RUNNING, ServiceState.HUNG) else None
