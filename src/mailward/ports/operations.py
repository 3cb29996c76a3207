"""
Where recoveries are kept: operations, steps, gate answers.

Rules an implementation keeps: everything one call writes is one transaction, events included; at most one operation
that is not over per target; nothing is written for a fence that is not the lease's present one; a method that could not
reach the database raises TemporaryFailure and has written nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from mailward.model.event import Event
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Deed, GateAnswer, Operation, Step
from mailward.model.wire import moment_to_text, text_to_moment
from mailward.ports.lease import Held

LEASE = "recovery"
"""The name of the lease whose holder may act."""

May = Callable[[Sequence[Deed], datetime], GateAnswer]
"""Judges the deeds of the throttles' longest window at the store's own moment; anything but PASSES forbids the step."""

TRANSCRIPT_OF = "transcript_of"
"""
The fact of a step's evidence that names results, each by `reference_to`: one reference, or a list of them.

A failed result named so, and its transcript, are kept as long as the operation is.
"""

ResultKey = tuple[str, str, str, datetime]
"""Probe, server, target and moment: what a result is known by, to the millisecond."""


def reference_to(result: ProbeResult) -> tuple[str, str, str, str]:
    """What a step's evidence says under `TRANSCRIPT_OF` to name *result*."""
    return (result.probe, result.server, result.target, moment_to_text(result.at))


def results_referred_to(step: Step) -> tuple[ResultKey, ...]:
    """The results a step's evidence names. What cannot be read names none: a deed's outcome is never lost over it."""
    said = step.evidence.get(TRANSCRIPT_OF)
    if not isinstance(said, list | tuple):
        return ()
    many = said if said and isinstance(said[0], list | tuple) else (said,)
    return tuple(key for key in map(_result_key, many) if key is not None)


def _result_key(said: object) -> ResultKey | None:
    if not isinstance(said, list | tuple):
        return None
    words = tuple(word for word in said if isinstance(word, str))
    if len(words) != len(said) or len(words) != len(("probe", "server", "target", "at")):
        return None
    try:
        return (words[0], words[1], words[2], text_to_moment(words[3]))
    except ValueError:
        return None


class Operations(Protocol):
    """
    Operations, steps, gate answers.

    Events without an `operation` get the one they are stored with: before `begin` nobody knows its number. An answer
    without `operation` gets that too, and in `intend` one without `seq` the step's.
    """

    async def begin(self, operation: Operation, events: Sequence[Event], *, held: Held) -> Operation | None:
        """
        Open an operation and return it with its id; None when its target has one that is not over.

        Raises:
            Refused: The lease is lost.
        """
        ...

    async def save(
        self,
        operation: Operation,
        *,
        held: Held | None,
        steps: Sequence[Step] = (),
        answers: Sequence[GateAnswer] = (),
        events: Sequence[Event] = (),
    ) -> None:
        """
        Store how an operation stands, steps that are over or changed (by operation and seq), and gates' answers.

        *held* is None only for what an operator does to an operation (approve, deny, abort), which needs no lease; it
        applies only while the stored operation is not over. With *held* a stored operation that is over (an operator
        ended it meanwhile) stays as it ended, while steps, answers and events are stored: what came of a deed is never
        lost.

        Raises:
            Refused: The lease is lost; there is no such operation; or an operator came too late. Nothing was stored.
        """
        ...

    async def intend(
        self,
        operation: Operation,
        step: Step,
        *,
        held: Held,
        may: May,
        window: timedelta,
        answers: Sequence[GateAnswer] = (),
        events: Sequence[Event] = (),
    ) -> GateAnswer:
        """
        Write the intent of a step that acts, if fence, lease and throttles allow it: one transaction.

        *may* is asked with every deed begun within *window* before the store's own now, of all servers, and those that
        have not ended whatever their age. Deeds "of the future" count too: a clock that went back shortens no throttle.
        Where it forbids, nothing at all is written, answers and events neither, and its answer is returned. Where it
        passes, operation, step, answers, its own answer and events are written. *may* must be pure: it may be called on
        another thread, within the transaction.

        The lease must not only be held but have been renewed in time by the store's clock. A step is intended once: a
        repetition is a step of its own, with another seq.

        Raises:
            Refused: The lease is lost, the operation is over (an operator ended it meanwhile), or the step was intended
                before: nothing was written, and nothing may be done.
        """
        ...

    async def open(self) -> tuple[Operation, ...]:
        """Every operation that is not over, the oldest first."""
        ...

    async def operation(self, number: int) -> Operation | None:
        """One operation, or None."""
        ...

    async def operations(
        self,
        *,
        target: str | None = None,
        server: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> tuple[Operation, ...]:
        """Operations, the newest first; *server* matches the operation's server and those its steps touched."""
        ...

    async def steps(self, operation: int) -> tuple[Step, ...]:
        """The steps of an operation in order."""
        ...

    async def answers(self, operation: int) -> tuple[GateAnswer, ...]:
        """The answers of gates to its steps, in the order they were given."""
        ...

    async def deeds(self, *, since: datetime) -> tuple[Deed, ...]:
        """
        Deeds begun since then, the oldest first, and those that have not ended.

        A deed is a step with an action whose intent was written by `intend`; one that `save` alone stored, because it
        was withheld or skipped, is none.
        """
        ...
