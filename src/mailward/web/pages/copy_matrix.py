"""
Copies × servers: how each copy of each mailbox database stands, and which are shown.

A few servers are a column each; of many, the copies stand in the order of their preference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailward.model.copies import CopyState, DatabaseCopy

ALL_SHOWN_UP_TO = 60
"""So many databases are shown even when all of them are well."""
ROWS_A_PAGE = 100
COLUMNS_MOST = 6
"""With more servers than these a table is wider than a screen."""
_WELL = (CopyState.MOUNTED, CopyState.HEALTHY)


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedCopies:
    """Which databases somebody wants to see."""

    text: str = ""
    """A part of the name of the database, or of a server that holds a copy."""
    only_wrong: bool | None = None
    """None: as suits the number of databases."""
    page: int = 1


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


def copy_matrix(copies: Iterable[DatabaseCopy], wanted: WantedCopies) -> CopyMatrix:
    """Lay out *copies*: what is wrong first, then by name."""
    of: dict[str, list[DatabaseCopy]] = {}
    counts: dict[str, int] = {}
    for one in copies:
        of.setdefault(one.database, []).append(one)
        counts[one.state.value] = counts.get(one.state.value, 0) + 1
    well = {name: all(one.state in _WELL and one.activation_blocked is None for one in own) for name, own in of.items()}
    only_wrong = wanted.only_wrong if wanted.only_wrong is not None else len(of) > ALL_SHOWN_UP_TO
    matching = [
        name for name, own in of.items() if _matches(wanted.text.lower(), name, own) and not (only_wrong and well[name])
    ]
    matching.sort(key=lambda name: (well[name], name))
    pages = max(1, -(-len(matching) // ROWS_A_PAGE))
    number = min(max(1, wanted.page), pages)
    shown = matching[(number - 1) * ROWS_A_PAGE : number * ROWS_A_PAGE]
    servers = sorted({one.server for name in shown for one in of[name]})
    by_server = len(servers) <= COLUMNS_MOST
    most = max((len(of[name]) for name in shown), default=0)
    columns = tuple(servers) if by_server else tuple(f"copy {place}" for place in range(1, most + 1))
    return CopyMatrix(
        columns=columns,
        by_server=by_server,
        rows=tuple(_row(name, of[name], columns, by_server=by_server, is_well=well[name]) for name in shown),
        counts=dict(sorted(counts.items())),
        databases=len(of),
        matching=len(matching),
        has_copies=any(len(own) > 1 for own in of.values()),
        only_wrong=only_wrong,
        page=number,
        pages=pages,
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
