"""Holds on SQLite. Which of them a new one replaces is decided by `mailward.model.holds` values alone, not by SQL."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, or_, select, text, update

from mailward.model.event import Event
from mailward.model.holds import Hold
from mailward.ports.holds import replaces, slot_of
from mailward.storage.database import Database, nobody
from mailward.storage.documents import of_document, to_document
from mailward.storage.moments import from_ms, to_ms
from mailward.storage.tables import holds


class SqliteHolds:
    """Holds in the database of a store."""

    def __init__(self, database: Database, *, stored: Callable[[], None] = nobody) -> None:
        """Share the store's database; *stored* is called on the event loop when events were stored with the rest."""
        self._database = database
        self._stored = stored

    async def add(self, hold: Hold, events: Sequence[Event] = ()) -> Hold:
        """Store a hold and its events, end those it replaces, and return it with its id."""
        told = tuple(events)

        def put(db: Connection) -> Hold:
            now = from_ms(db.execute(text("SELECT mailward_now()")).scalar_one())
            of_slot = _query().where(holds.c.slot == slot_of(hold), holds.c.ended.is_(None))
            for old in _found(db, of_slot):
                if replaces(hold, old, now=now):
                    _end(db, old, at=now, by=hold.owner)
            number = db.execute(insert(holds).values(_row(hold)).returning(holds.c.id)).scalar_one()
            self._database.event_numbers.append(db, told)
            return replace(hold, id=number)

        return await self._database.write(put, written=self._stored if told else None)

    async def end(self, number: int, *, at: datetime, by: str, events: Sequence[Event] = ()) -> bool:
        """End a hold now; False when there is none of that number, or it was ended before."""
        told = tuple(events)

        def finish(db: Connection) -> bool:
            found = _found(db, _query().where(holds.c.id == number, holds.c.ended.is_(None)))
            if not found or not _end(db, found[0], at=at, by=by):
                return False
            self._database.event_numbers.append(db, told)
            return True

        return await self._database.write(finish, written=self._stored if told else None)

    async def present(self, *, now: datetime) -> tuple[Hold, ...]:
        """Those in force at *now* or scheduled for later, the oldest first."""
        lasts = or_(holds.c.until.is_(None), holds.c.until > to_ms(now))
        query = _query().where(holds.c.ended.is_(None), lasts).order_by(holds.c.id)
        return await self._database.read(lambda db: _found(db, query))

    async def history(self, *, subject: str | None = None, limit: int = 100) -> tuple[Hold, ...]:
        """All of them, ended ones too, the newest first; *subject* matches itself and all below it (A, A/…)."""
        query = _query().order_by(holds.c.id.desc()).limit(limit)
        if subject is not None:
            below = (holds.c.subject >= f"{subject}/") & (holds.c.subject < f"{subject}0")  # "0" comes after "/"
            query = query.where(or_(holds.c.subject == subject, below))
        return await self._database.read(lambda db: _found(db, query))


def _query() -> Select[Any]:
    return select(holds.c.id, holds.c.body)


def _found(db: Connection, query: Select[Any]) -> tuple[Hold, ...]:
    return tuple(replace(of_document(Hold, row.body), id=row.id) for row in db.execute(query).all())


def _end(db: Connection, hold: Hold, *, at: datetime, by: str) -> bool:
    """One conditional update: whoever comes second changes nothing."""
    ended = replace(hold, ended_at=at, ended_by=by)
    still_there = (holds.c.id == hold.id) & holds.c.ended.is_(None)
    return db.execute(update(holds).where(still_there).values(_row(ended))).rowcount == 1


def _row(hold: Hold) -> dict[str, Any]:
    return {
        "subject": hold.subject,
        "slot": slot_of(hold),
        "since": to_ms(hold.since),
        "until": to_ms(hold.until) if hold.until else None,
        "ended": to_ms(hold.ended_at) if hold.ended_at else None,
        "body": to_document(replace(hold, id=0)),
    }
