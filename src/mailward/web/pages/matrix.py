"""
Servers × health sets, as the overview shows them: which rows, in which sections, and how many are left out.

One server is a table of one row; five hundred are what is wrong of them first, the rest by search and page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailward.health.order import RANK
from mailward.model.health import HealthSetReport
from mailward.model.monitoring import AlertValue
from mailward.ports.manager import ServerEntry, ServerKind
from mailward.web.pages.choosing import Wanted

_OTHERS = "mailward itself"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One server."""

    server: str
    worst: AlertValue
    cells: Mapping[str, HealthSetReport]
    """Health set -> how it stands there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Servers of one kind."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """What is shown."""

    health_sets: tuple[str, ...]
    sections: tuple[Section, ...]
    counts: Mapping[AlertValue, int]
    """How many servers are at worst in each state, whether shown or not."""
    servers: int
    matching: int
    only_wrong: bool
    page: int
    pages: int


def matrix(reports: Iterable[HealthSetReport], servers: Sequence[ServerEntry], wanted: Wanted) -> Matrix:
    """
    Lay out health sets.

    Args:
        reports: Every health set of every server.
        servers: What kind each server is; one that is not named is mailward's own.
        wanted: Which rows.
    """
    kinds = {entry.name: entry.kind.value for entry in servers}
    cells: dict[str, dict[str, HealthSetReport]] = {}
    for one in reports:
        cells.setdefault(one.server, {})[one.health_set] = one
    rows = [
        Row(server=name, worst=min((cell.alert_value for cell in own.values()), key=RANK.__getitem__), cells=own)
        for name, own in cells.items()
    ]
    counts = dict.fromkeys(AlertValue, 0)
    for row in rows:
        counts[row.worst] += 1
    only_wrong = wanted.is_only_wrong(len(rows))
    text = wanted.text.lower()
    matching = [row for row in rows if text in row.server.lower() and (not only_wrong or is_wrong(row.worst))]
    order = {kind.value: number for number, kind in enumerate(ServerKind)}
    matching.sort(key=lambda row: (order.get(kinds.get(row.server, _OTHERS), len(order)), RANK[row.worst], row.server))
    part = wanted.part_of(matching)
    sections: dict[str, list[Row]] = {}
    for row in part.rows:
        sections.setdefault(kinds.get(row.server, _OTHERS), []).append(row)
    return Matrix(
        health_sets=tuple(sorted({name for row in part.rows for name in row.cells})),
        sections=tuple(Section(title=title, rows=tuple(own)) for title, own in sections.items()),
        counts=counts,
        servers=len(rows),
        matching=part.total,
        only_wrong=only_wrong,
        page=part.page,
        pages=part.pages,
    )


def is_wrong(state: AlertValue) -> bool:
    """Whether somebody who looks for trouble wants to see it."""
    return state not in (AlertValue.HEALTHY, AlertValue.DISABLED)
