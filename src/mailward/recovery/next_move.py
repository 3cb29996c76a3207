"""
What an operation does next: the stage it stands at, by the steps it has taken (a pure reading of the record).

The record alone says where an operation stands, so that whoever goes on with it after a crash comes to the same answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.recovery import Deed, Operation, Step, StepName, StepOutcome
from mailward.recovery.procedures import PROCEDURES, Procedure, Stage
from mailward.recovery.wanted import ACTION_OF, OF_ONE_MOVE

#: An own failed re-probe that is older says nothing of the present: the deed it would lead to probes again first.
EVIDENCE_LASTS = timedelta(seconds=15)
#: How long a deed may take to show after it is done: a reload is accepted before it is carried out.
SHOWS_AFTER = timedelta(seconds=3)
#: Of these one is enough before the next look: what was just started is not restarted at once.
ALTERNATIVES = frozenset({StepName.START_SERVICE, StepName.RELOAD_SERVICE, StepName.RESTART_SERVICE})
#: How often a deed is begun anew after looking back found that it was not done.
REPEATS = 1
#: The same for the steps of a move, a few seconds apart: users wait on both ends of one that is half done.
REPEATS_OF_MOVES = 60
#: After these it is known whether the problem stands, or the order is carried out.
_LOOKS = frozenset(
    {
        *(StepName.RE_PROBE, StepName.OBSERVE),
        *(StepName.CHOOSE_COPY, StepName.AWAIT_MOVES, StepName.PROVE_EMPTY, StepName.VERIFY),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """Take the stage: look at its premise, then at its gates, then do it."""

    place: int
    stage: Stage
    attempt: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LookBack:
    """A step has an intent and no outcome: find out whether it was done before anything is repeated."""

    step: Step


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveBack:
    """The problem is gone: undo what was taken away."""

    place: int
    step: StepName
    server: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EndHealed:
    """The problem is gone, and nothing is left to give back."""

    touched: bool
    """Whether this operation did anything: healed, else transient."""


NextMove = Take | LookBack | GiveBack | EndHealed


def next_move(operation: Operation, steps: Sequence[Step]) -> NextMove:
    """
    What comes next in *operation*, whose record is *steps* in order.

    Escalation is the last stage of every procedure, so there always is a next move until the operation is over.
    """
    open_step = next((step for step in steps if step.ended is None), None)
    if open_step is not None:
        return LookBack(step=open_step)
    if is_healed(steps):
        return next_give_back(operation, steps) or EndHealed(touched=was_touched(steps))
    return _take(PROCEDURES[operation.kind], steps)


def _take(procedure: Procedure, steps: Sequence[Step]) -> Take:
    own = [step for step in steps if step.place < len(procedure.stages)]
    if not own:
        return Take(place=0, stage=procedure.stages[0])
    last = own[-1]
    stage = procedure.stages[last.place]
    undone = sum(step.place == last.place and was_not_done(step) for step in own)
    if was_not_done(last) and undone <= _repeats(last.name):
        return Take(place=last.place, stage=stage, attempt=undone + 1)
    tried = sum(1 for step in own if step.place == last.place)
    if last.outcome is StepOutcome.FAILED and last.name is not StepName.RE_PROBE and tried < stage.tries:
        return Take(place=last.place, stage=stage, attempt=tried + 1)
    place = last.place + 1
    while procedure.stages[place].step in ALTERNATIVES and _changed_since_last_look(own):
        place += 1
    # a fresh look stands at the stage before: what was begun in vain too often is passed over all the same
    undone = sum(step.place == place and was_not_done(step) for step in own)
    if undone > _repeats(procedure.stages[min(place, len(procedure.stages) - 1)].step):
        place += 1
    place = min(place, len(procedure.stages) - 1)
    return Take(place=place, stage=procedure.stages[place], attempt=undone + 1)


def _repeats(step: StepName) -> int:
    """A move that was begun is finished: each of its steps asks what is done before it does anything."""
    return REPEATS_OF_MOVES if step in OF_ONE_MOVE else REPEATS


def _changed_since_last_look(own: Sequence[Step]) -> bool:
    """Whether the service was started, reloaded or restarted, and nobody has looked what came of it."""
    for step in reversed(own):
        if step.name is StepName.RE_PROBE:
            return False
        if step.name in ALTERNATIVES and step.outcome not in (StepOutcome.SKIPPED, StepOutcome.REFUSED):
            return True
    return False


def was_not_done(step: Step) -> bool:
    """Whether looking back at a step without outcome found that it had not been done."""
    return step.evidence.get("not_done") is True


def is_healed(steps: Sequence[Step]) -> bool:
    """Whether the last look at the problem found none; what gives back afterwards changes nothing about it."""
    looks = [step for step in steps if step.name in _LOOKS and step.ended is not None]
    if not looks:
        return False
    return looks[-1].outcome is StepOutcome.DONE and looks[-1].evidence.get("healthy") is True


def was_touched(steps: Sequence[Step]) -> bool:
    """Whether anything was, or may have been, done."""
    return any(
        step.name in ACTION_OF
        and step.outcome in (StepOutcome.DONE, StepOutcome.FAILED, StepOutcome.UNKNOWN)
        and not was_not_done(step)
        for step in steps
    )


def next_give_back(operation: Operation, steps: Sequence[Step]) -> GiveBack | None:
    """The next thing to undo: the stages that took something away and were not given back yet, the last first."""
    return next(_give_backs(operation, steps), None)


def log_left_on(operation: Operation, steps: Sequence[Step]) -> GiveBack | None:
    """The protocol log that was switched on and is still to be switched off, which waits for nothing."""
    return next((back for back in _give_backs(operation, steps) if back.step is StepName.PROTOCOL_LOG_OFF), None)


def _give_backs(operation: Operation, steps: Sequence[Step]) -> Iterator[GiveBack]:
    procedure = PROCEDURES.get(operation.kind)
    if procedure is None:
        return
    for step in reversed(steps):
        if step.place >= len(procedure.stages) or not _may_have_taken(step):
            continue
        stage = procedure.stages[step.place]
        back = stage.gives_back
        if back is None or step.name is not stage.step:  # a fresh look stands at the same place
            continue
        later = [other for other in steps if other.seq > step.seq and other.name is back]
        if back is StepName.PROTOCOL_LOG_OFF and later:  # what could not be switched off then goes off by itself
            continue
        if not any(other.outcome in (StepOutcome.DONE, StepOutcome.SKIPPED) for other in later):
            yield GiveBack(place=len(procedure.stages) + step.place, step=back, server=step.server)


def _may_have_taken(step: Step) -> bool:
    """Whether a step took something away, or may have in part: giving back what is there changes nothing."""
    begun = step.name is StepName.MOVE_DATABASES  # it blocks activation before it begins the first move
    may = step.outcome in (StepOutcome.DONE, StepOutcome.UNKNOWN, StepOutcome.FAILED)
    return may and (begun or not was_not_done(step))


def last_look(steps: Sequence[Step]) -> Step | None:
    """The operation's last re-probe that is over."""
    return next((step for step in reversed(steps) if step.name is StepName.RE_PROBE and step.ended is not None), None)


def needs_fresh_evidence(steps: Sequence[Step], now: datetime) -> bool:
    """Whether the operation's last look is too old to act on."""
    look = last_look(steps)
    if look is None or look.ended is None:
        return True
    return not timedelta(0) <= now - look.ended <= EVIDENCE_LASTS


def acted_since_last_look(server: str, deeds: Sequence[Deed], steps: Sequence[Step], now: datetime) -> bool:
    """
    Whether another operation did something to *server* since this one last looked: that may have mended it.

    A deed that seems to lie in the future (the clock went back) is passed over: it would be looked at again for ever.
    """
    look = last_look(steps)
    if look is None or look.ended is None:
        return False
    return any(
        deed.server == server
        and deed.operation != look.operation
        and deed.ended is not None
        and look.ended < deed.ended + SHOWS_AFTER
        and deed.ended <= now
        for deed in deeds
    )


def learned_nothing(steps: Sequence[Step]) -> str | None:
    """Why the last look is no evidence that the problem stands; None when it is."""
    look = last_look(steps)
    if look is None:
        return "nothing was probed yet"
    return None if look.evidence.get("healthy") is False else look.because
