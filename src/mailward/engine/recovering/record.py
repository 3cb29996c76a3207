"""
Writing down what recoveries do: operations, steps and events, through whatever becomes of the store.

The outcome of a deed is never dropped: while the store is out of reach the executor tries again, and begins nothing
else. Whoever dies in between leaves an intent, which the next one looks back at.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.model.errors import TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.recovery import GateAnswer, Operation, Step
from mailward.model.wire import to_plain
from mailward.ports.lease import Held
from mailward.ports.operations import Operations

log = logging.getLogger("mailward.events")

AGAIN_AFTER = timedelta(seconds=1)


class Record:
    """The executor's pen."""

    def __init__(self, operations: Operations) -> None:
        """Write to *operations*."""
        self.operations = operations

    async def save(
        self,
        operation: Operation,
        *,
        held: Held,
        steps: Sequence[Step] = (),
        answers: Sequence[GateAnswer] = (),
        events: Sequence[Event] = (),
        surely: bool = False,
    ) -> None:
        """
        Store how an operation stands.

        *surely* tries again for as long as the store is out of reach: what was done must not be forgotten.

        Raises:
            Refused: The lease is lost.
            TemporaryFailure: The store is out of reach; without *surely* only.
        """
        while True:
            try:
                await self.operations.save(operation, held=held, steps=steps, answers=answers, events=events)
            except TemporaryFailure as failure:
                if not surely:
                    raise
                log.warning("recovery %d: what was done is not stored yet: %s", operation.id, failure)
                await asyncio.sleep(AGAIN_AFTER.total_seconds())
            else:
                return


def event(
    kind: EventKind, operation: Operation, because: str, *, at: datetime, step: Step | None = None, actor: str = ""
) -> Event:
    """An event of an operation."""
    data: dict[str, object] = {"kind": operation.kind.value, "target": operation.target}
    if operation.databases:
        data["databases"] = list(operation.databases)
    if step is not None:
        data["step"] = step.name.value
        data["on"] = step.server
        if step.command:
            data["command"] = list(step.command)
        if step.outcome is not None:
            data["outcome"] = step.outcome.value
    return Event(
        at=at,
        kind=kind,
        subject=step.server if step is not None else operation.server,
        because=because,
        after=operation.status.value if kind is EventKind.RECOVERY_ENDED else None,
        actor=actor or operation.actor,
        operation=operation.id or None,
        cause_event=operation.cause_event,
        data=data,
    )


def with_data(operation: Operation, **facts: object) -> Operation:
    """The operation with further facts; None takes one away."""
    kept = {key: value for key, value in {**operation.data, **facts}.items() if value is not None}
    return replace(operation, data={key: to_plain(value) for key, value in kept.items()})
