"""What a server's host shows beside its service: logs, disks, files. All of it read only."""

from datetime import datetime
from typing import Protocol

from mailward.model.evidence import DiskUsage, LogLine


class Host(Protocol):
    """
    The host of one server.

    Every method raises TemporaryFailure when the host could not be asked, and returns an empty answer when there is
    nothing configured to look at.
    """

    async def log_lines(
        self, *, since: datetime, mentioning: tuple[str, ...] = (), limit: int = 50
    ) -> tuple[LogLine, ...]:
        """The newest *limit* lines since then that mention any of the given words (all lines without words)."""
        ...

    async def disks(self) -> tuple[DiskUsage, ...]:
        """Space under each configured mail store."""
        ...

    async def certificate_on_disk(self) -> str | None:
        """SHA-256 fingerprint of the configured certificate file, or None when none is configured."""
        ...
