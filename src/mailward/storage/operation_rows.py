"""Operations, steps and gates' answers as rows: how each is written and read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, insert, not_, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from mailward.model.recovery import ActionClass, Deed, GateAnswer, Operation, Step
from mailward.ports.operations import results_referred_to
from mailward.storage.documents import of_document, to_document
from mailward.storage.moments import to_ms
from mailward.storage.tables import gate_answers, kept_results, operations, steps


def add_operation(db: Connection, operation: Operation) -> Operation | None:
    """Insert an operation and return it with its id; None when the index of open ones has its target already."""
    statement = upsert(operations).values(_operation_row(operation)).on_conflict_do_nothing()
    number = db.execute(statement.returning(operations.c.id)).scalar_one_or_none()
    return None if number is None else replace(operation, id=number)


def is_over(db: Connection, number: int) -> bool | None:
    """Whether an operation is over as it is stored; None when there is none of that number."""
    return db.execute(select(operations.c.is_over).where(operations.c.id == number)).scalar_one_or_none()


def change_operation(db: Connection, operation: Operation) -> None:
    """Store how an operation stands, unless it is over in the store: what is over stays as it ended."""
    its_row = and_(operations.c.id == operation.id, not_(operations.c.is_over))
    db.execute(update(operations).where(its_row).values(_operation_row(operation)))


def put_steps(db: Connection, changed: Sequence[Step], *, intended: bool) -> None:
    """Insert or replace steps by operation and seq; what was intended once stays so."""
    for step in changed:
        row = _step_row(step, intended=intended)
        statement = upsert(steps).values(row)
        replaced = {name: statement.excluded[name] for name in row if name not in ("operation", "seq", "intended")}
        if intended:
            replaced["intended"] = statement.excluded.intended
        db.execute(statement.on_conflict_do_update(index_elements=["operation", "seq"], set_=replaced))
        _keep_results(db, step)


def is_intended(db: Connection, step: Step) -> bool:
    """Whether the intent of that step was written before."""
    its_row = and_(steps.c.operation == step.operation, steps.c.seq == step.seq, steps.c.intended)
    return db.execute(select(steps.c.seq).where(its_row)).one_or_none() is not None


def add_answers(db: Connection, answers: Sequence[GateAnswer]) -> None:
    """Append gates' answers in order."""
    rows = [
        {
            "operation": answer.operation,
            "seq": answer.seq,
            "gate": answer.gate.value,
            "answer": answer.answer.value,
            "body": to_document(answer),
        }
        for answer in answers
    ]
    if rows:
        db.execute(insert(gate_answers), rows)


def deeds_since(db: Connection, since: datetime) -> tuple[Deed, ...]:
    """What was intended since then, the future included, and whatever has not ended; the oldest first."""
    counted = and_(steps.c.intended, or_(steps.c.started >= to_ms(since), steps.c.ended.is_(None)))
    query = select(steps.c.body).where(counted).order_by(steps.c.started, steps.c.operation, steps.c.seq)
    found = (of_document(Step, body) for body in db.execute(query).scalars().all())
    return tuple(_deed(step, step.action) for step in found if step.action is not None)


def operation_query(*, target: str | None, server: str | None, since: datetime | None) -> Select[Any]:
    """Operations that match, the newest first; a server's are those that broke there and those that touched it."""
    query = select(operations.c.id, operations.c.body).order_by(operations.c.id.desc())
    if target is not None:
        query = query.where(operations.c.target == target)
    if server is not None:
        touched = select(steps.c.operation).where(steps.c.server == server)
        query = query.where(or_(operations.c.server == server, operations.c.id.in_(touched)))
    if since is not None:
        query = query.where(operations.c.started >= to_ms(since))
    return query


def operations_found(db: Connection, query: Select[Any]) -> tuple[Operation, ...]:
    """The operations whose ids and bodies a query finds."""
    return tuple(replace(of_document(Operation, row.body), id=row.id) for row in db.execute(query).all())


def _operation_row(operation: Operation) -> dict[str, Any]:
    ended = operation.ended_at or operation.started_at
    return {
        "target": operation.target,
        "server": operation.server,
        "is_over": operation.status.is_over,
        "started": to_ms(operation.started_at),
        "ended": to_ms(ended) if operation.status.is_over else None,
        "body": to_document(replace(operation, id=0)),
    }


def _step_row(step: Step, *, intended: bool) -> dict[str, Any]:
    return {
        "operation": step.operation,
        "seq": step.seq,
        "server": step.server,
        "action": step.action.value if step.action else None,
        "intended": intended,
        "started": to_ms(step.started),
        "ended": to_ms(step.ended) if step.ended else None,
        "body": to_document(step),
    }


def _keep_results(db: Connection, step: Step) -> None:
    for probe, server, target, at in results_referred_to(step):
        row = {"operation": step.operation, "probe": probe, "server": server, "target": target, "at": to_ms(at)}
        db.execute(upsert(kept_results).values(row).on_conflict_do_nothing())


def _deed(step: Step, action: ActionClass) -> Deed:
    return Deed(
        action=action,
        server=step.server,
        operation=step.operation,
        seq=step.seq,
        started=step.started,
        ended=step.ended,
        outcome=step.outcome,
    )
