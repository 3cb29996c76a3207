"""The time of day, for moments that are stored. Time-outs use the event loop's own clock, never this."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...
