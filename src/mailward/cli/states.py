"""How states, moments and durations look on the terminal: one look each, everywhere."""

from datetime import datetime, timedelta

from mailward.cli.terminal import Colour
from mailward.model.monitoring import AlertValue

_COLOURS = {
    AlertValue.HEALTHY: Colour.GOOD,
    AlertValue.DEGRADED: Colour.WARN,
    AlertValue.UNHEALTHY: Colour.BAD,
    AlertValue.REPAIRING: Colour.NOTE,
    AlertValue.DISABLED: Colour.FAINT,
    AlertValue.UNAVAILABLE: Colour.WARN,
    AlertValue.UNINITIALIZED: Colour.FAINT,
}
_SECOND = timedelta(seconds=1)
_MS = timedelta(milliseconds=1)


def colour_of(state: AlertValue) -> Colour:
    """The colour of a state."""
    return _COLOURS[state]


def needs_a_look(state: AlertValue) -> bool:
    """Whether a person should know why a monitor is in this state."""
    return state in (AlertValue.DEGRADED, AlertValue.UNHEALTHY, AlertValue.UNAVAILABLE)


def moment_text(moment: datetime | None) -> str:
    """A moment in the reader's own time zone, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def clock_text(moment: datetime) -> str:
    """The time of day of a moment in the reader's own time zone."""
    return moment.astimezone().strftime("%H:%M:%S")


def duration_text(duration: timedelta) -> str:
    """A duration with about three digits: 0.42 ms, 41.5 ms, 1.20 s, 4 min 3 s."""
    ms = duration / _MS
    if ms < 10:
        return f"{ms:.2f} ms"
    if ms < 1000:
        return f"{ms:.1f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(duration / _SECOND), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def interval_text(duration: timedelta | None) -> str:
    """A configured duration, as one would write it: 500ms, 20s, 5m."""
    if duration is None:
        return ""
    if duration % _SECOND:
        return f"{duration / _MS:g}ms"
    seconds = duration // _SECOND
    return f"{seconds // 60}m" if seconds >= 60 and seconds % 60 == 0 else f"{seconds}s"
