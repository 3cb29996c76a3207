"""
What is past its time, and in which order it goes.

Whatever refers to something goes before it: so a slice that ends in between leaves nothing that refers to nothing.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    literal_column,
    not_,
    select,
    tuple_,
)

from mailward.ports.store import Retention
from mailward.storage.moments import to_ms
from mailward.storage.tables import (
    alerts,
    events,
    gate_answers,
    holds,
    kept_results,
    notices,
    operations,
    results,
    rollups,
    steps,
    transcripts,
)


def delete_slice(db: Connection, *, now: datetime, retention: Retention, most: int) -> int:
    """Delete at most *most* rows that are past their time; return how many."""
    deleted = 0
    for table, is_past in _past(now, retention):
        row = _row(table)
        chosen = select(*row).select_from(table).where(is_past).limit(most - deleted)
        deleted += db.execute(delete(table).where(tuple_(*row).in_(chosen))).rowcount
        if deleted >= most:
            break
    return deleted


def _row(table: Table) -> tuple[ColumnElement[Any], ...]:
    """What tells a row of *table* from the others: roll-ups have nothing but their key."""
    return tuple(table.primary_key.columns) if table is rollups else (literal_column("rowid"),)


def _past(now: datetime, retention: Retention) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    yield from _past_recoveries(to_ms(now - retention.operations_kept))
    failed = to_ms(now - retention.failed_results)
    yield results, and_(results.c.at < to_ms(now - retention.healthy_results), results.c.failed.is_(False))
    yield results, and_(results.c.at < failed, results.c.failed.is_(True), not_(_is_kept()))
    yield transcripts, and_(transcripts.c.at < failed, not_(exists().where(results.c.transcript == transcripts.c.id)))
    yield rollups, rollups.c.start < to_ms(now - retention.rollups)
    yield events, events.c.at < to_ms(now - retention.events)


def _past_recoveries(before: int) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """One that is not over is never past its time; what names its results (`kept_result`) goes with it."""
    over = and_(operations.c.is_over, operations.c.ended < before)
    numbers = select(operations.c.id).where(over)
    yield gate_answers, gate_answers.c.operation.in_(numbers)
    yield steps, steps.c.operation.in_(numbers)
    yield operations, over
    yield holds, func.coalesce(holds.c.ended, holds.c.until) < before
    yield notices, notices.c.finished < before
    yield alerts, alerts.c.resolved < before


def _is_kept() -> ColumnElement[bool]:
    """Whether a recovery refers to this result."""
    return exists().where(
        *(kept_results.c[name] == results.c[name] for name in ("probe", "server", "target", "at")),
    )
