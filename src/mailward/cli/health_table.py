"""The table of monitors and, below it, each trouble once: for `mailward health` and its live view."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from mailward.cli.columns import Column
from mailward.cli.states import colour_of, moment_text, needs_a_look
from mailward.cli.terminal import Colour, Terminal, marked_lines
from mailward.diagnosis.place import fault_text
from mailward.model.health import MonitorHealth

COLUMNS: tuple[Column[MonitorHealth], ...] = (
    Column(title="Server", text=lambda row: row.server),
    Column(title="State", text=lambda row: row.state.value, shed=2),
    Column(title="Name", text=lambda row: row.name),
    Column(title="TargetResource", text=lambda row: row.target_resource, shortens=True),
    Column(title="HealthSetName", text=lambda row: row.health_set_name, shed=1),
    Column(title="AlertValue", text=lambda row: row.alert_value.value, colour=lambda row: colour_of(row.alert_value)),
    Column(title="ServerComponent", text=lambda row: row.server_component or "", shed=3),
    Column(title="Since", text=lambda row: moment_text(row.since), list_only=True),
    Column(title="Because", text=lambda row: row.because, list_only=True),
    Column(title="Fault", text=lambda row: fault_text(row.verdict) if row.verdict else "", list_only=True),
    Column(title="Verdict", text=lambda row: row.verdict.because if row.verdict else "", list_only=True),
    Column(title="_Mbx", text=lambda row: row.mailbox_server or "", list_only=True),
    Column(title="LastResult", text=lambda row: moment_text(row.last_result_at), list_only=True),
    Column(title="Flapping", text=lambda row: "yes" if row.flapping else "", list_only=True),
)
_TIMES = re.compile(r" (?:for|within) \d+(?:\.\d+)? m?s\b")
_OPENING_ENDS = re.compile(r": |; |, and |, although | \(")
_TARGETS_MAX = 6
_MONITORS_MAX = 4


def why_lines(rows: Sequence[MonitorHealth], reader: Terminal) -> Iterator[str]:
    """Yield, below the table, each trouble once with the monitors that tell of it; nothing when all is well."""
    bad = [row for row in rows if needs_a_look(row.alert_value)]
    width = reader.reading_width
    for _, group in groupby(sorted(bad, key=_trouble), key=_trouble):
        alike = list(group)
        worst = alike[0]
        yield ""
        mark = reader.paint("✗", colour_of(worst.alert_value))
        yield from marked_lines(mark, _reason(worst), width)
        if worst.verdict:
            yield reader.paint(f"  fault: {fault_text(worst.verdict)}", Colour.STRONG)
        since = moment_text(min(row.since for row in alike))
        count = f"{len(alike)} monitors " if len(alike) > 1 else ""
        for line in wrap(f"{count}since {since}: {_names(alike)}", width - 2, break_on_hyphens=False):
            yield reader.paint(f"  {line}", Colour.FAINT)


def _names(rows: Sequence[MonitorHealth]) -> str:
    """The monitors of *rows* by server and name, each with its targets."""
    targets: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        targets.setdefault((row.server, row.name), []).append(row.target_resource)
    parts = [
        f"{server} {name}" if found == [server] else f"{server} {name} {', '.join(found[:_TARGETS_MAX])}{_more(found)}"
        for (server, name), found in targets.items()
    ]
    return "; ".join(parts[:_MONITORS_MAX]) + (
        f"; and {len(parts) - _MONITORS_MAX} more" if parts[_MONITORS_MAX:] else ""
    )


def _more(targets: Sequence[str]) -> str:
    return f" and {len(targets) - _TARGETS_MAX} more" if targets[_TARGETS_MAX:] else ""


def _trouble(row: MonitorHealth) -> tuple[str, str, str, str]:
    """
    What is one trouble to a reader: where the fault is, and the words its sentence opens with.

    How long something took, and what more was seen, differs from probe to probe. Without a verdict nothing says that
    two reasons have one cause, so the whole sentence counts.
    """
    said, verdict = _TIMES.sub("", _reason(row)), row.verdict
    if verdict is None:
        return ("", "", "", said)
    dependency = verdict.dependency.value if verdict.dependency else ""
    return (verdict.tier.value, verdict.server or "", dependency, _OPENING_ENDS.split(said, maxsplit=1)[0])


def _reason(row: MonitorHealth) -> str:
    return row.verdict.because if row.verdict else row.because
