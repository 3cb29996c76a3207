"""The machine's clock: the one place that reads the time of day."""

from datetime import UTC, datetime


class SystemClock:
    """Tells the time of day of this machine."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock everything else takes `now` from
