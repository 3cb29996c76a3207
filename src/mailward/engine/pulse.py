"""
What the service manager is told, and when.

The loop that starts probes feeds the watchdog, nothing else does: a manager whose loop no longer turns watches nothing,
however well its process runs. Nothing but the end is told before the manager can be asked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mailward.ports.service_manager import ServiceManager


class Pulse:
    """The manager's sign of life; without a service manager there is none."""

    def __init__(self, listener: ServiceManager | None, describe: Callable[[], str]) -> None:
        """
        Args:
            listener: Who is told.
            describe: One line on how the manager is doing.
        """
        every = None if listener is None else listener.every
        self._listener = listener
        self._every = 0.0 if every is None else every.total_seconds()
        self._describe = describe
        self.next: float | None = None
        """When `beat` has something to do, in monotonic seconds; None: not before `begin`, or never."""

    def begin(self, now: float) -> None:
        """The manager watches and can be asked."""
        if self._listener is not None and self._every:
            self._listener.ready(self._describe())
            self.next = now

    def beat(self, now: float) -> None:
        """The loop has come round; a sign of life is given when it is time for one."""
        if self._listener is not None and self.next is not None and now >= self.next:
            self._listener.alive(self._describe())
            self.next = now + self._every

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """The configuration is read again inside the block, whether it is taken or refused."""
        if self._listener is None or self.next is None:
            yield
            return
        self._listener.reloading()
        try:
            yield
        finally:
            self._listener.ready(self._describe())

    def end(self) -> None:
        """The manager has begun to end."""
        if self._listener is not None:
            self._listener.stopping()
        self.next = None


def earliest(*moments: float | None) -> float | None:
    """The first of the moments that there are."""
    return min((moment for moment in moments if moment is not None), default=None)


def described(*, servers: int, unhealthy: int, mode: str, is_refused: bool) -> str:
    """One line for `systemctl status`."""
    parts = [
        f"watching {servers} server{'' if servers == 1 else 's'}",
        f"{unhealthy} monitor{'' if unhealthy == 1 else 's'} Unhealthy",
        f"mode {mode}",
    ]
    if is_refused:
        parts.append("the configuration on disk is refused and the old one in force")
    return ", ".join(parts)
