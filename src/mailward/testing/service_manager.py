"""A service manager that remembers what it was told; it passes the contract of the real one."""

from datetime import timedelta


class RecordingServiceManager:
    """Keeps every word in order, as `told`."""

    def __init__(self, *, every: timedelta | None = timedelta(milliseconds=20)) -> None:
        """Nothing was told yet; `alive` is wanted every *every*."""
        self.told: list[tuple[str, str]] = []
        self._every = every

    @property
    def every(self) -> timedelta | None:
        """As it was made."""
        return self._every

    def ready(self, status: str) -> None:
        """Remember it."""
        self._tell("ready", status)

    def alive(self, status: str) -> None:
        """Remember it."""
        self._tell("alive", status)

    def reloading(self) -> None:
        """Remember it."""
        self._tell("reloading")

    def stopping(self) -> None:
        """Remember it."""
        self._tell("stopping")

    def _tell(self, word: str, status: str = "") -> None:
        if self._every is not None:
            self.told.append((word, " ".join(status.split())))
