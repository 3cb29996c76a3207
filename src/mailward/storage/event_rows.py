"""Events as rows: how they are numbered, and how they are found without reading all of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, select, true, union_all, update
from sqlalchemy.sql.selectable import CompoundSelect

from mailward.model.event import Event, EventKind
from mailward.storage.documents import of_document, to_document
from mailward.storage.moments import to_ms
from mailward.storage.tables import events

EventQuery = Select[Any] | CompoundSelect[Any]


class EventNumbers:
    """
    Appends events and remembers how far their ids have come, for all who write to one database.

    A database keeps its own ids growing; what is remembered here does so across a file that was replaced while in use,
    for whoever follows the events by their ids. Only the database's thread may touch it.
    """

    def __init__(self) -> None:
        """No event has been seen yet."""
        self._last = 0

    def append(self, db: Connection, added: Sequence[Event]) -> tuple[Event, ...]:
        """Append events within the caller's transaction; return them with their ids, above all given out before."""
        numbered = []
        for event in added:
            row = {"at": to_ms(event.at), "kind": event.kind.value, "subject": event.subject}
            number = _insert(db, {**row, "body": to_document(replace(event, id=0))})
            if number <= self._last:
                db.execute(update(events).where(events.c.id == number).values(id=self._last + 1))
                number = self._last + 1
            self._last = number  # also when it is rolled back: a number that is left out does no harm
            numbered.append(replace(event, id=number))
        return tuple(numbered)


def event_query(
    *,
    after: int,
    before: int | None,
    kinds: Sequence[EventKind],
    subject: str | None,
    since: datetime | None,
    newest_first: bool,
) -> EventQuery:
    """
    The ids and bodies of the events that match, in order of their ids.

    Each kind, and a subject itself and what is below it, are asked for apart and merged: so the database walks an index
    of each from the wanted end and stops at the limit, however many events there are.
    """
    common = [events.c.id > after]
    if before is not None:
        common.append(events.c.id < before)
    if since is not None:
        common.append(events.c.at >= to_ms(since))
    branches = [
        select(events.c.id, events.c.body).where(*common, of_kind, of_subject)
        for of_kind, of_subject in product(_of_kinds(kinds), _of_subject(subject))
    ]
    if len(branches) == 1:
        return branches[0].order_by(events.c.id.desc() if newest_first else events.c.id)
    merged = union_all(*branches)
    return merged.order_by(merged.selected_columns.id.desc() if newest_first else merged.selected_columns.id)


def event_of(number: int, body: str) -> Event:
    """The event a row holds."""
    return of_document(Event, body, id=number)


def _insert(db: Connection, row: dict[str, Any]) -> int:
    key = db.execute(insert(events), row).inserted_primary_key
    assert key is not None
    return int(key[0])


def _of_kinds(kinds: Sequence[EventKind]) -> list[ColumnElement[bool]]:
    return [events.c.kind == kind for kind in sorted({kind.value for kind in kinds})] or [true()]


def _of_subject(subject: str | None) -> list[ColumnElement[bool]]:
    """A range, not LIKE, for which no index serves; "0" is the character after "/"."""
    if subject is None:
        return [true()]
    below = and_(events.c.subject >= f"{subject}/", events.c.subject < f"{subject}0")
    return [events.c.subject == subject, below]
