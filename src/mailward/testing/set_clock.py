"""A clock that tests set."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class SetClock:
    """Shows the moment it was set to."""

    def __init__(self, moment: datetime = NOON) -> None:
        """Show *moment* until told otherwise."""
        self.moment = moment

    def now(self) -> datetime:
        """The moment it shows."""
        return self.moment

    def advance(self, duration: timedelta) -> None:
        """Go on, or back for a negative duration."""
        self.moment += duration
