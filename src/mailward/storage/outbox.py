"""
The outbox on SQLite: what waits to be told, told once.

A claim is one conditional update that must change exactly one row. How sending went is only recorded by whoever still
has the claim, except that it was sent: that is a fact whoever says it, and is never taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, text, update
from sqlalchemy.dialects.sqlite import insert

from mailward.model.alerting import Alert, AlertStatus, Notice
from mailward.model.event import Event
from mailward.storage.database import Database, nobody
from mailward.storage.documents import of_document, to_document
from mailward.storage.moments import from_ms, to_ms
from mailward.storage.tables import alerts, notices

RESOLVED_SHOWN = timedelta(days=1)
"""How long a resolved alert is still given back, so that its notices can be told from new ones."""


class SqliteOutbox:
    """Notices and alerts in the database of a store."""

    def __init__(self, database: Database, *, stored: Callable[[], None] = nobody) -> None:
        """Share the store's database; *stored* is called on the event loop when events were stored with the rest."""
        self._database = database
        self._stored = stored

    async def save_alerts(
        self, alerts: Sequence[Alert], notices: Sequence[Notice], events: Sequence[Event] = ()
    ) -> tuple[Notice, ...]:
        """Store the alerts by their keys, queue the notices that are not there yet, append the events."""
        changed, wanted, told = tuple(alerts), tuple(notices), tuple(events)

        def save(db: Connection) -> tuple[Notice, ...]:
            now = db.execute(text("SELECT mailward_now()")).scalar_one()
            for alert in changed:
                _put_alert(db, alert, now=now)
            queued = tuple(notice for notice in (_queue(db, notice) for notice in wanted) if notice is not None)
            self._database.event_numbers.append(db, told)
            return queued

        return await self._database.write(save, written=self._stored if told else None)

    async def alerts(self) -> tuple[Alert, ...]:
        """The last state of every alert that fires, and of those resolved within the last day by the store's clock."""
        recent = alerts.c.resolved >= func.mailward_now() - RESOLVED_SHOWN // timedelta(milliseconds=1)
        query = select(alerts.c.body).where(or_(alerts.c.resolved.is_(None), recent)).order_by(alerts.c.key)
        return await self._database.read(
            lambda db: tuple(of_document(Alert, body) for body in db.execute(query).scalars().all())
        )

    async def alert(self, key: str) -> Alert | None:
        """The last state of one alert; None when it is not known."""
        query = select(alerts.c.body).where(alerts.c.key == key)
        body = await self._database.read(lambda db: db.execute(query).scalar_one_or_none())
        return None if body is None else of_document(Alert, body)

    async def notices_of(self, key: str, *, limit: int = 100) -> tuple[Notice, ...]:
        """The notices of one alert, the newest first: a range of the index, in which "}" is the character after "|"."""
        own = and_(notices.c.identity >= f"{key}|", notices.c.identity < f"{key}}}")
        query = _query().where(own).order_by(notices.c.id.desc()).limit(limit)
        return await self._database.read(lambda db: _found(db, query))

    async def claim(self, *, now: datetime, until: datetime, limit: int = 20) -> tuple[Notice, ...]:
        """Take notices that are due for sending until *until*: one conditional update each."""
        due = (
            notices.c.finished.is_(None),
            notices.c.next_try <= to_ms(now),
            or_(notices.c.claimed_until.is_(None), notices.c.claimed_until <= to_ms(now)),
        )
        chosen = _query().where(*due).order_by(notices.c.next_try, notices.c.id).limit(limit)

        def take(db: Connection) -> tuple[Notice, ...]:
            return tuple(
                replace(notice, claimed_until=until)
                for notice in _found(db, chosen)
                if _changed(db, and_(notices.c.id == notice.id, *due), claimed_until=to_ms(until))
            )

        return await self._database.write(take)

    async def finish(self, notice: Notice) -> None:
        """Store how sending went; the claim ends."""
        unsent = and_(notices.c.id == notice.id, notices.c.identity == notice.identity, notices.c.sent.is_(None))
        has_claim = or_(notices.c.claimed_until.is_(None), notices.c.claimed_until == _ms(notice.claimed_until))
        allowed = unsent if notice.sent_at or notice.claimed_until is None else and_(unsent, has_claim)
        await self._database.write(lambda db: _changed(db, allowed, **_row(replace(notice, claimed_until=None))))

    async def waiting(self) -> tuple[Notice, ...]:
        """Notices neither sent nor given up, the oldest first."""
        query = _query().where(notices.c.finished.is_(None)).order_by(notices.c.id)
        return await self._database.read(lambda db: _found(db, query))

    async def history(self, *, limit: int = 100) -> tuple[Notice, ...]:
        """Notices, the newest first."""
        query = _query().order_by(notices.c.id.desc()).limit(limit)
        return await self._database.read(lambda db: _found(db, query))


def _put_alert(db: Connection, alert: Alert, *, now: int) -> None:
    is_resolved = alert.status is AlertStatus.RESOLVED
    resolved = (_ms(alert.ends_at) or now) if is_resolved else None
    statement = insert(alerts).values(key=alert.key, resolved=resolved, body=to_document(alert))
    replaced = {"resolved": statement.excluded.resolved, "body": statement.excluded.body}
    db.execute(statement.on_conflict_do_update(index_elements=["key"], set_=replaced))


def _queue(db: Connection, notice: Notice) -> Notice | None:
    statement = insert(notices).values(_row(notice)).on_conflict_do_nothing(index_elements=["identity"])
    number = db.execute(statement.returning(notices.c.id)).scalar_one_or_none()
    return None if number is None else replace(notice, id=number)


def _query() -> Select[Any]:
    return select(notices.c.id, notices.c.claimed_until, notices.c.body)


def _found(db: Connection, query: Select[Any]) -> tuple[Notice, ...]:
    return tuple(
        replace(
            of_document(Notice, row.body),
            id=row.id,
            claimed_until=None if row.claimed_until is None else from_ms(row.claimed_until),
        )
        for row in db.execute(query).all()
    )


def _changed(db: Connection, which: ColumnElement[bool], **values: Any) -> bool:
    return db.execute(update(notices).where(which).values(values)).rowcount == 1


def _row(notice: Notice) -> dict[str, Any]:
    return {
        "identity": notice.identity,
        "next_try": to_ms(notice.next_try),
        "claimed_until": _ms(notice.claimed_until),
        "sent": _ms(notice.sent_at),
        "finished": _ms(notice.sent_at or notice.gave_up_at),
        "body": to_document(replace(notice, id=0, claimed_until=None)),
    }


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)
