"""
Copies × servers: how each copy of each mailbox database stands, and which are shown.

A few servers are a column each; of many, the copies stand in the order of their preference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailward.model.copies import CopyState, DatabaseCopy
from mailward.web.pages.choosing import Wanted

COLUMNS_MOST = 6
"""With more servers than these a table is wider than a screen."""
_WELL = (CopyState.MOUNTED, CopyState.HEALTHY)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseRow:
    """One mailbox database."""

    database: str
    active: DatabaseCopy | None
    copies: tuple[DatabaseCopy, ...]
    """By preference."""
    cells: tuple[DatabaseCopy | None, ...]
    """What stands in each column."""
    is_well: bool

    @property
    def may_move(self) -> bool:
        """Whether there is another copy to move to."""
        return len(self.copies) > 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyMatrix:
    """What is shown."""

    columns: tuple[str, ...]
    by_server: bool
    rows: tuple[DatabaseRow, ...]
    counts: Mapping[str, int]
    """How many copies there are in each state, whether shown or not."""
    databases: int
    matching: int
    has_copies: bool
    """Whether any database has a second copy at all."""
    only_wrong: bool
    page: int
    pages: int


def copy_matrix(copies: Iterable[DatabaseCopy], wanted: Wanted) -> CopyMatrix:
    """Lay out *copies*: what is wrong first, then by name."""
    of: dict[str, list[DatabaseCopy]] = {}
    counts: dict[str, int] = {}
    for one in copies:
        of.setdefault(one.database, []).append(one)
        counts[one.state.value] = counts.get(one.state.value, 0) + 1
    well = {name: all(one.state in _WELL and one.activation_blocked is None for one in own) for name, own in of.items()}
    only_wrong = wanted.is_only_wrong(len(of))
    matching = [
        name for name, own in of.items() if _matches(wanted.text.lower(), name, own) and not (only_wrong and well[name])
    ]
    matching.sort(key=lambda name: (well[name], name))
    part = wanted.part_of(matching)
    servers = sorted({one.server for name in part.rows for one in of[name]})
    by_server = len(servers) <= COLUMNS_MOST
    most = max((len(of[name]) for name in part.rows), default=0)
    columns = tuple(servers) if by_server else tuple(f"copy {place}" for place in range(1, most + 1))
    return CopyMatrix(
        columns=columns,
        by_server=by_server,
        rows=tuple(_row(name, of[name], columns, by_server=by_server, is_well=well[name]) for name in part.rows),
        counts=dict(sorted(counts.items())),
        databases=len(of),
        matching=part.total,
        has_copies=any(len(own) > 1 for own in of.values()),
        only_wrong=only_wrong,
        page=part.page,
        pages=part.pages,
    )


def _matches(text: str, database: str, copies: Iterable[DatabaseCopy]) -> bool:
    return text in database.lower() or any(text in one.server.lower() for one in copies)


def _row(
    database: str, copies: list[DatabaseCopy], columns: tuple[str, ...], *, by_server: bool, is_well: bool
) -> DatabaseRow:
    ordered = tuple(sorted(copies, key=lambda one: (one.preference, one.server)))
    on = {one.server: one for one in ordered}
    cells: tuple[DatabaseCopy | None, ...] = tuple(on.get(server) for server in columns)
    if not by_server:
        cells = (*ordered, *[None] * (len(columns) - len(ordered)))
    return DatabaseRow(
        database=database,
        active=next((one for one in ordered if one.state.is_active), None),
        copies=ordered,
        cells=cells,
        is_well=is_well,
    )
