"""
The store on SQLite: every statement it makes, but those on events.

Rows are fetched all at once and made into values afterwards, on the same thread: fetching one by one gives up the
interpreter's lock with every row, and the event loop comes late (130 ms instead of 10 with 10,000 rows, pauses of the
garbage collector aside).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, case, delete, insert, or_, select, text
from sqlalchemy.dialects.sqlite import insert as upsert

from mailward.model.event import Event, EventKind
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.probing import Canary, Phase, ProbeResult
from mailward.ports.clock import Clock
from mailward.ports.store import Retention, Rollup
from mailward.storage.backup import back_up
from mailward.storage.database import BUSY_TIMEOUT, Database
from mailward.storage.documents import of_document, to_document
from mailward.storage.event_rows import event_of, event_query
from mailward.storage.migrations import version_of
from mailward.storage.moments import from_ms, to_ms
from mailward.storage.result_rows import (
    CLOCK_STEP_MS,
    WHOLE,
    coarse_query,
    keeps_transcript,
    latest_rows,
    result_body,
    result_of,
    result_query,
    result_row,
    rollup_of,
    rollup_rows,
    transcript_row,
)
from mailward.storage.self_check import try_to_write
from mailward.storage.tables import canaries, latest, results, rollups, statuses, transcripts
from mailward.storage.tidying import delete_slice


class SqliteStore:
    """Keeps everything in one file, write-ahead logged. `database` is shared with lease, recoveries, holds, outbox."""

    def __init__(self, path: Path, *, clock: Clock, busy_timeout: timedelta = BUSY_TIMEOUT) -> None:
        """Nothing is opened yet."""
        self.database = Database(path, clock, busy_timeout)

    async def open(self) -> None:
        """Connect and bring the schema up to date."""
        await self.database.open()

    async def close(self) -> None:
        """Let go of the file."""
        await self.database.close()

    async def now(self) -> datetime:
        """The store's own clock."""
        return from_ms(await self.database.read(lambda db: db.execute(text("SELECT mailward_now()")).scalar_one()))

    async def add_results(self, results_: Sequence[ProbeResult]) -> None:
        """Store results, refresh the latest ones, add to the roll-ups: all or nothing."""
        if results_:
            added = tuple(results_)  # the caller may go on filling its own while the thread works
            await self.database.write(lambda db: _add_results(db, added))

    async def results(
        self,
        *,
        probe: str | None = None,
        server: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        failed: bool | None = None,
        limit: int = 100,
    ) -> tuple[ProbeResult, ...]:
        """The newest results first, with transcripts where they were kept."""
        query = result_query(probe=probe, server=server, target=target, since=since, failed=failed)
        return await self.database.read(
            lambda db: tuple(result_of(row.body, row.lines) for row in db.execute(query.limit(limit)).all())
        )

    async def latest_results(self) -> tuple[ProbeResult, ...]:
        """The last result of each (probe, server, target)."""
        query = select(latest.c.body)
        return await self.database.read(
            lambda db: tuple(result_of(body, None) for body in db.execute(query).scalars().all())
        )

    async def rollups(
        self, *, probe: str, server: str, target: str, since: datetime, phase: Phase | None = None
    ) -> tuple[Rollup, ...]:
        """Roll-ups in order of time."""
        query = (
            select(rollups)
            .where(rollups.c.probe == probe, rollups.c.server == server, rollups.c.target == target)
            .where(rollups.c.phase == (WHOLE if phase is None else phase.value), rollups.c.start >= to_ms(since))
            .order_by(rollups.c.start)
        )
        return await self.database.read(
            lambda db: tuple(rollup_of(dict(row)) for row in db.execute(query).mappings().all())
        )

    async def coarse_rollups(
        self, *, probe: str, server: str, target: str, since: datetime, step: timedelta
    ) -> tuple[Rollup, ...]:
        """Roll-ups of every phase, added up by the database: a month of them is 80,000 rows."""
        query = coarse_query(probe=probe, server=server, target=target, since=since, step=step)
        return await self.database.read(
            lambda db: tuple(rollup_of({**row, "start": row["step"]}) for row in db.execute(query).mappings().all())
        )

    async def save_statuses(self, statuses_: Sequence[MonitorStatus], events_: Sequence[Event]) -> tuple[Event, ...]:
        """Store the states and append the events in one transaction; return the events with their ids."""
        saved, added = tuple(statuses_), tuple(events_)

        def save(db: Connection) -> tuple[Event, ...]:
            _replace(db, statuses, [{**_key_columns(status.key), "body": to_document(status)} for status in saved])
            return self.database.event_numbers.append(db, added)

        return await self.database.write(save)

    async def statuses(self) -> tuple[MonitorStatus, ...]:
        """The last state of every monitor that has not been retired."""
        query = select(statuses.c.body)
        return await self.database.read(
            lambda db: tuple(of_document(MonitorStatus, body) for body in db.execute(query).scalars().all())
        )

    async def retire(self, keys: Sequence[MonitorKey], events_: Sequence[Event]) -> tuple[Event, ...]:
        """Forget these monitors' states and append the events in one transaction."""
        retired, added = tuple(keys), tuple(events_)

        def forget(db: Connection) -> tuple[Event, ...]:
            for key in retired:
                db.execute(
                    delete(statuses).where(*(statuses.c[name] == value for name, value in _key_columns(key).items()))
                )
            return self.database.event_numbers.append(db, added)

        return await self.database.write(forget)

    async def events(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        kinds: Sequence[EventKind] = (),
        subject: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> tuple[Event, ...]:
        """Events with ids above *after* and below *before*; *subject* matches itself and all below it (A, A/…)."""
        query = event_query(
            after=after, before=before, kinds=kinds, subject=subject, since=since, newest_first=newest_first
        )
        return await self.database.read(
            lambda db: tuple(event_of(row.id, row.body) for row in db.execute(query.limit(limit)).all())
        )

    async def canaries(self) -> dict[str, Canary]:
        """The canary each health mailbox is known by."""
        query = select(canaries.c.mailbox, canaries.c.body)
        return await self.database.read(
            lambda db: {row.mailbox: of_document(Canary, row.body) for row in db.execute(query).all()}
        )

    async def save_canary(self, mailbox: str, canary: Canary, event: Event) -> None:
        """Record a canary and its event in one transaction."""

        def save(db: Connection) -> tuple[Event, ...]:
            _replace(db, canaries, [{"mailbox": mailbox, "body": to_document(canary)}])
            return self.database.event_numbers.append(db, [event])

        await self.database.write(save)

    async def tidy(self, *, now: datetime, retention: Retention, slice_rows: int = 5000) -> int:
        """Delete at most *slice_rows* rows that are past their time; return how many."""
        return await self.database.write(lambda db: delete_slice(db, now=now, retention=retention, most=slice_rows))

    async def check_writable(self) -> None:
        """See that something could be stored now, and leave no trace of it."""
        await self.database.write(try_to_write)

    async def backup(self, path: str) -> int:
        """
        Write a consistent copy to the new file *path*; return its bytes.

        A thread of its own reads through a connection of its own, so that not even the store's thread waits for it.
        """
        await self.database.read(version_of)  # whatever is wrong with the store is said in the store's own words
        return await back_up(self.database.path, path)


def _add_results(db: Connection, added: Sequence[ProbeResult]) -> None:
    bodies = [result_body(result) for result in added]
    transcript_ids = _add_transcripts(db, added)
    rows = [
        result_row(result, body, transcript_ids.get(place))
        for place, (result, body) in enumerate(zip(added, bodies, strict=True))
    ]
    db.execute(insert(results), rows)
    now = db.execute(text("SELECT mailward_now()")).scalar_one()
    _refresh_latest(db, latest_rows(zip(added, bodies, strict=True), now=now), now=now)
    _add_rollups(db, rollup_rows(added))


def _add_transcripts(db: Connection, added: Sequence[ProbeResult]) -> dict[int, int]:
    """Store the transcripts that are kept; return the id of each by its result's place."""
    places = [place for place, result in enumerate(added) if keeps_transcript(result)]
    if not places:
        return {}
    statement = insert(transcripts).returning(transcripts.c.id, sort_by_parameter_order=True)
    return dict(
        zip(places, db.execute(statement, [transcript_row(added[place]) for place in places]).scalars(), strict=True)
    )


def _refresh_latest(db: Connection, rows: list[dict[str, Any]], *, now: int) -> None:
    newest = upsert(latest)
    newest = newest.on_conflict_do_update(
        index_elements=["probe", "server", "target"],
        set_={"at": newest.excluded.at, "body": newest.excluded.body},
        where=or_(newest.excluded.at >= latest.c.at, latest.c.at > now + CLOCK_STEP_MS),
    )
    db.execute(newest, rows)


def _add_rollups(db: Connection, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    sums = upsert(rollups)
    longest = case((sums.excluded.took_max > rollups.c.took_max, sums.excluded.took_max), else_=rollups.c.took_max)
    added = {name: rollups.c[name] + sums.excluded[name] for name in ("count", "failures", "took_sum")}
    sums = sums.on_conflict_do_update(
        index_elements=["probe", "server", "target", "phase", "start"], set_={**added, "took_max": longest}
    )
    db.execute(sums, rows)


def _replace(db: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = upsert(table)
    keys = [column.name for column in table.primary_key]
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_={"body": statement.excluded.body}), rows)


def _key_columns(key: MonitorKey) -> dict[str, str]:
    return {"server": key.server, "health_set": key.health_set, "item": key.item, "target": key.target}
