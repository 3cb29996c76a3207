"""The store on SQLite: every statement it makes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, literal_column, or_, select, text
from sqlalchemy.dialects.sqlite import insert as upsert

from mailward.model.event import Event, EventKind
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.probing import Canary, Phase, ProbeResult
from mailward.model.wire import from_plain, to_plain
from mailward.ports.clock import Clock
from mailward.ports.store import Retention, Rollup
from mailward.storage.database import Database
from mailward.storage.moments import from_ms, to_ms
from mailward.storage.result_rows import WHOLE, latest_rows, result_of, result_row, rollup_of, rollup_rows
from mailward.storage.tables import canaries, events, latest, results, rollups, statuses


class SqliteStore:
    """Keeps everything in one file, write-ahead logged. `database` may be shared with a lease."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        """Nothing is opened yet."""
        self.database = Database(path, clock)

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
            await self.database.write(lambda db: _add_results(db, results_))

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
        query = select(results.c.body, results.c.transcript).order_by(results.c.at.desc(), results.c.id.desc())
        wanted = ((results.c.probe, probe), (results.c.server, server), (results.c.target, target))
        for column, value in wanted:
            if value is not None:
                query = query.where(column == value)
        if since is not None:
            query = query.where(results.c.at >= to_ms(since))
        if failed is not None:
            query = query.where(results.c.failed == failed)
        rows = await self.database.read(lambda db: db.execute(query.limit(limit)).all())
        return tuple(result_of(body, transcript) for body, transcript in rows)

    async def latest_results(self) -> tuple[ProbeResult, ...]:
        """The last result of each (probe, server, target)."""
        rows = await self.database.read(lambda db: db.execute(select(latest.c.body)).scalars().all())
        return tuple(result_of(body, None) for body in rows)

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
        rows = await self.database.read(lambda db: db.execute(query).mappings().all())
        return tuple(rollup_of(dict(row)) for row in rows)

    async def save_statuses(self, statuses_: Sequence[MonitorStatus], events_: Sequence[Event]) -> tuple[Event, ...]:
        """Store the states and append the events in one transaction; return the events with their ids."""
        rows = [{**_key_columns(status.key), "body": _dump(status)} for status in statuses_]

        def save(db: Connection) -> tuple[Event, ...]:
            _replace(db, statuses, rows)
            return _append(db, events_)

        return await self.database.write(save)

    async def statuses(self) -> tuple[MonitorStatus, ...]:
        """The last state of every monitor that has not been retired."""
        rows = await self.database.read(lambda db: db.execute(select(statuses.c.body)).scalars().all())
        return tuple(from_plain(MonitorStatus, json.loads(body)) for body in rows)

    async def retire(self, keys: Sequence[MonitorKey], events_: Sequence[Event]) -> tuple[Event, ...]:
        """Forget these monitors' states and append the events in one transaction."""

        def forget(db: Connection) -> tuple[Event, ...]:
            for key in keys:
                db.execute(
                    delete(statuses).where(*(statuses.c[name] == value for name, value in _key_columns(key).items()))
                )
            return _append(db, events_)

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
        query = select(events.c.id, events.c.body).where(events.c.id > after)
        if before is not None:
            query = query.where(events.c.id < before)
        if kinds:
            query = query.where(events.c.kind.in_([kind.value for kind in kinds]))
        if subject is not None:
            below = events.c.subject.startswith(f"{subject}/", autoescape=True)
            query = query.where(or_(events.c.subject == subject, below))
        if since is not None:
            query = query.where(events.c.at >= to_ms(since))
        query = query.order_by(events.c.id.desc() if newest_first else events.c.id).limit(limit)
        rows = await self.database.read(lambda db: db.execute(query).all())
        return tuple(replace(from_plain(Event, json.loads(body)), id=number) for number, body in rows)

    async def canaries(self) -> dict[str, Canary]:
        """The canary each health mailbox is known by."""
        rows = await self.database.read(lambda db: db.execute(select(canaries.c.mailbox, canaries.c.body)).all())
        return {mailbox: from_plain(Canary, json.loads(body)) for mailbox, body in rows}

    async def save_canary(self, mailbox: str, canary: Canary, event: Event) -> None:
        """Record a canary and its event in one transaction."""

        def save(db: Connection) -> None:
            _replace(db, canaries, [{"mailbox": mailbox, "body": _dump(canary)}])
            _append(db, [event])

        await self.database.write(save)

    async def tidy(self, *, now: datetime, retention: Retention, slice_rows: int = 5000) -> int:
        """Delete at most *slice_rows* rows that are past their time; return how many."""
        past = (
            (results, results.c.at < to_ms(now - retention.healthy_results), results.c.failed.is_(False)),
            (results, results.c.at < to_ms(now - retention.failed_results), results.c.failed.is_(True)),
            (rollups, rollups.c.start < to_ms(now - retention.rollups)),
            (events, events.c.at < to_ms(now - retention.events)),
        )

        def delete_slice(db: Connection) -> int:
            deleted = 0
            for table, *conditions in past:
                row: ColumnElement[int] = literal_column("rowid")
                chosen = select(row).select_from(table).where(*conditions).limit(slice_rows - deleted)
                deleted += db.execute(delete(table).where(row.in_(chosen))).rowcount
                if deleted >= slice_rows:
                    break
            return deleted

        return await self.database.write(delete_slice)


def _add_results(db: Connection, added: Sequence[ProbeResult]) -> None:
    db.execute(insert(results), [result_row(result) for result in added])
    newest = upsert(latest)
    newest = newest.on_conflict_do_update(
        index_elements=["probe", "server", "target"],
        set_={"at": newest.excluded.at, "body": newest.excluded.body},
        where=newest.excluded.at >= latest.c.at,
    )
    db.execute(newest, latest_rows(added))
    rows = rollup_rows(added)
    if not rows:
        return
    sums = upsert(rollups)
    sums = sums.on_conflict_do_update(
        index_elements=["probe", "server", "target", "phase", "start"],
        set_={
            **{name: rollups.c[name] + sums.excluded[name] for name in ("count", "failures", "took_sum")},
            "took_max": func.max(rollups.c.took_max, sums.excluded.took_max),
        },
    )
    db.execute(sums, rows)


def _replace(db: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = upsert(table)
    keys = [column.name for column in table.primary_key]
    db.execute(statement.on_conflict_do_update(index_elements=keys, set_={"body": statement.excluded.body}), rows)


def _append(db: Connection, added: Sequence[Event]) -> tuple[Event, ...]:
    numbered = []
    for event in added:
        row = {"at": to_ms(event.at), "kind": event.kind.value, "subject": event.subject, "body": _dump(event)}
        key = db.execute(insert(events), row).inserted_primary_key
        assert key is not None
        numbered.append(replace(event, id=key[0]))
    return tuple(numbered)


def _key_columns(key: MonitorKey) -> dict[str, str]:
    return {"server": key.server, "health_set": key.health_set, "item": key.item, "target": key.target}


def _dump(value: object) -> str:
    return json.dumps(to_plain(value), separators=(",", ":"))
