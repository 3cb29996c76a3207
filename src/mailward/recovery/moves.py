"""What the record of a move says: which copy was chosen, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailward.model.copies import CopyKind
from mailward.model.recovery import Step, StepName, StepOutcome
from mailward.recovery.premises import MoveSoFar


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One database's move, as the step that chose the copy wrote it down."""

    database: str
    source: str
    target: str
    kind: CopyKind
    is_planned: bool
    must_be_fenced: bool
    answers: bool
    may_be_silent: bool
    """Whether nothing at all is known of the source, so that only its sessions can say that nobody is there."""


def move_of(steps: Sequence[Step]) -> Move | None:
    """The move that was decided, from the record; None when no copy was chosen."""
    chosen = next((step for step in reversed(steps) if step.name is StepName.CHOOSE_COPY), None)
    known = chosen.evidence.get("move") if chosen is not None else None
    if not isinstance(known, Mapping):
        return None
    return Move(
        database=str(known["database"]),
        source=str(known["source"]),
        target=str(known["target"]),
        kind=CopyKind(str(known["kind"])),
        is_planned=known.get("is_planned") is True,
        must_be_fenced=known.get("must_be_fenced") is True,
        answers=known.get("answers") is True,
        may_be_silent=known.get("may_be_silent") is True,
    )


def so_far(steps: Sequence[Step]) -> MoveSoFar | None:
    """What the steps of a move have found and done."""
    move = move_of(steps)
    if move is None:
        return None
    chosen = next(step for step in reversed(steps) if step.name is StepName.CHOOSE_COPY)
    synced = [step for step in steps if step.name is StepName.SYNCHRONISE and step.ended is not None]
    return MoveSoFar(
        source=move.source,
        target=move.target,
        is_planned=move.is_planned,
        must_be_fenced=move.must_be_fenced,
        because=str(chosen.evidence.get("source")),
        synchronised=move.kind is CopyKind.SHARED_STORAGE or (bool(synced) and synced[-1].outcome is StepOutcome.DONE),
        not_synchronised=synced[-1].because if synced else "",
        switched=any(
            step.name is StepName.SWITCH_OVER and step.outcome in (StepOutcome.DONE, StepOutcome.UNKNOWN)
            for step in steps
        ),
    )


def begun_by(steps: Sequence[Step]) -> tuple[int, ...]:
    """The moves that an operation began, by its record."""
    found: dict[int, None] = {}
    for step in steps:
        numbers = step.evidence.get("moves") if step.name is StepName.MOVE_DATABASES else None
        if isinstance(numbers, list | tuple):
            found.update({number: None for number in numbers if isinstance(number, int)})
    return tuple(found)


def not_begun(steps: Sequence[Step]) -> tuple[str, ...]:
    """Why moves that an operation wanted were not begun, by its record."""
    last = next((step for step in reversed(steps) if step.name is StepName.MOVE_DATABASES), None)
    said = last.evidence.get("not_begun") if last is not None else None
    return tuple(str(why) for why in said) if isinstance(said, list | tuple) else ()
