"""Moments and durations as whole numbers."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_US = timedelta(microseconds=1)


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970; broken ones are cut off, as in JSON."""
    return (moment - _EPOCH) // _MS


def from_ms(milliseconds: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + milliseconds * _MS


def to_us(duration: timedelta) -> int:
    """Whole microseconds."""
    return duration // _US


def from_us(microseconds: int) -> timedelta:
    """The duration."""
    return microseconds * _US
