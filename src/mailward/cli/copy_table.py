"""The table of copies and, below it, each reason why one is not as it should be."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from textwrap import wrap

from mailward.cli.columns import Column
from mailward.cli.states import duration_text, moment_text
from mailward.cli.terminal import Colour, Terminal, marked_lines, printable
from mailward.model.copies import CopyState, DatabaseCopy

_COLOURS = {
    CopyState.MOUNTED: Colour.GOOD,
    CopyState.HEALTHY: Colour.GOOD,
    CopyState.MOUNTING: Colour.NOTE,
    CopyState.DISMOUNTING: Colour.NOTE,
    CopyState.SEEDING: Colour.NOTE,
    CopyState.DISMOUNTED: Colour.BAD,
    CopyState.FAILED: Colour.BAD,
    CopyState.FAILED_AND_SUSPENDED: Colour.BAD,
    CopyState.SERVICE_DOWN: Colour.BAD,
}
_NOT_AS_IT_SHOULD_BE = (Colour.WARN, Colour.BAD)
_NAMES_MAX = 6


def colour_of_copy(state: CopyState) -> Colour:
    """The colour of how a copy stands; what is not known to be well or lost is a warning."""
    return _COLOURS.get(state, Colour.WARN)


def _lag_text(row: DatabaseCopy) -> str:
    if row.lag is None:
        return "" if row.state.is_active else "unknown"
    return duration_text(row.lag) if row.lag > timedelta(0) else "none"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


COLUMNS: tuple[Column[DatabaseCopy], ...] = (
    Column(title="Database", text=lambda row: row.database, shortens=True),
    Column(title="Server", text=lambda row: row.server),
    Column(title="Status", text=lambda row: row.state.value, colour=lambda row: colour_of_copy(row.state)),
    Column(title="Lag", text=_lag_text, right=True, shed=1),
    Column(title="Waiting", text=lambda row: _number(row.waiting), right=True, shed=3),
    Column(title="Preference", text=lambda row: str(row.preference), right=True, shed=4),
    Column(
        title="Activation",
        text=lambda row: "blocked" if row.activation_blocked else "allowed",
        colour=lambda row: Colour.WARN if row.activation_blocked else None,
        shed=2,
    ),
    Column(title="BlockedBy", text=lambda row: row.activation_blocked or "", list_only=True),
    Column(title="Because", text=lambda row: row.because, list_only=True),
    Column(title="Kind", text=lambda row: row.kind.value, list_only=True),
    Column(title="Mailboxes", text=lambda row: _number(row.mailboxes), list_only=True),
    Column(title="SeenAt", text=lambda row: moment_text(row.seen_at), list_only=True),
)


def why_lines(rows: Sequence[DatabaseCopy], reader: Terminal) -> Iterator[str]:
    """Yield, below the table, each reason once with the copies it holds for; nothing when all is well."""
    reasons: dict[tuple[str, Colour], list[str]] = {}
    for row in rows:
        colour = colour_of_copy(row.state)
        if colour in _NOT_AS_IT_SHOULD_BE:
            reasons.setdefault((f"{row.state.value}: {row.because}", colour), []).append(_name(row))
        if row.activation_blocked:
            reason = f"activation is blocked: {row.activation_blocked}"
            reasons.setdefault((reason, Colour.WARN), []).append(_name(row))
    width = reader.reading_width
    for (reason, colour), names in reasons.items():
        yield ""
        yield from marked_lines(reader.paint("✗" if colour is Colour.BAD else "…", colour), reason, width)
        more = f" and {len(names) - _NAMES_MAX} more" if names[_NAMES_MAX:] else ""
        said = printable(", ".join(names[:_NAMES_MAX]) + more)
        yield from (reader.paint(f"  {line}", Colour.FAINT) for line in wrap(said, width - 2, break_on_hyphens=False))


def _name(row: DatabaseCopy) -> str:
    return f"{row.database} on {row.server}"
