"""
What is done about a broken monitor, as people read it before it is done: stage by stage, with what holds each back.

It says what the procedure and its gates are, of no server in particular; what they come to at a moment is decided in
`next_move` and `deciding`.
"""

import inspect
from dataclasses import dataclass

from mailward.model.recovery import ActionClass, Gate, Mode, OperationKind, StepName
from mailward.recovery.deciding import GateFunction, gates_of
from mailward.recovery.gates import evidence
from mailward.recovery.premises import Premise
from mailward.recovery.procedures import Stage, procedure_for
from mailward.recovery.settings import CLASS_DEFAULTS
from mailward.recovery.wanted import ACTION_OF, Wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlinedStage:
    """One stage as people read it."""

    number: int
    """From 1, as it is counted in `why`."""
    step: StepName
    premise: Premise
    """Where it is refuted the stage is skipped."""
    action: ActionClass | None = None
    """None for a stage that touches nothing."""
    by_default: Mode | None = None
    """How far its class goes at most where nothing else is configured; never further than the organization's mode."""
    gives_back: StepName | None = None
    """What follows on every exit once it was done."""
    seed: str = ""
    """Where Exchange's page says it, in its section of recovery actions for the monitor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutlinedGates:
    """What is asked before a deed of one class, in order; one no is enough."""

    action: ActionClass
    gates: tuple[Gate, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """A procedure as people read it."""

    procedure: OperationKind
    stages: tuple[OutlinedStage, ...]
    gates: tuple[OutlinedGates, ...]
    """Of each class of action in it, in the order of the stages."""


def outline_for(monitor: str) -> Outline | None:
    """The outline of what is done about a monitor; None: people are told, and nothing is done."""
    procedure = procedure_for(monitor)
    if procedure is None:
        return None
    stages = tuple(_outlined(number, stage) for number, stage in enumerate(procedure.stages, start=1))
    first = {stage.action: stage.step for stage in reversed(stages) if stage.action is not None}
    actions = dict.fromkeys(stage.action for stage in stages if stage.action is not None)
    gates = tuple(OutlinedGates(action=action, gates=gates_before(first[action])) for action in actions)
    return Outline(procedure=procedure.kind, stages=stages, gates=gates)


def gates_before(step: StepName) -> tuple[Gate, ...]:
    """The gates that are asked before mailward takes *step* by itself, in order."""
    return tuple(gate_of(function) for function in gates_of(Wanted(step=step, server="")))


def gate_of(function: GateFunction) -> Gate:
    """Which gate a function answers for: the one it is named for, but for the one that asks the opposite."""
    return Gate.NOT_CONFIRMED if function is evidence.well_again else Gate[function.__name__.upper()]


def meaning_of_gates() -> dict[Gate, str]:
    """What each gate that is asked somewhere protects, in the first sentence of its own words."""
    functions = {gate_of(one): one for step in ACTION_OF for one in gates_of(Wanted(step=step, server=""))}
    return {gate: _first_sentence(function) for gate, function in functions.items()}


def _first_sentence(function: GateFunction) -> str:
    return inspect.cleandoc(function.__doc__ or "").partition("\n\n")[0]


def _outlined(number: int, stage: Stage) -> OutlinedStage:
    action = ACTION_OF.get(stage.step)
    return OutlinedStage(
        number=number,
        step=stage.step,
        premise=stage.premise,
        action=action,
        by_default=None if action is None else CLASS_DEFAULTS[action],
        gives_back=stage.gives_back,
        seed=stage.seed,
    )
