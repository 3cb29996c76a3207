"""A deed that somebody, or a procedure, wants done."""

from collections.abc import Mapping
from dataclasses import dataclass

from mailward.model.recovery import ActionClass, StepName

#: The class of action of every step that touches something; steps that are not here only look.
ACTION_OF: Mapping[StepName, ActionClass] = {
    StepName.START_SERVICE: ActionClass.START,
    StepName.ENABLE_SERVICE: ActionClass.START,
    StepName.RELOAD_SERVICE: ActionClass.RELOAD,
    StepName.RESTART_SERVICE: ActionClass.RESTART,
    StepName.STOP_SERVICE: ActionClass.RESTART,
    StepName.TAKE_OUT: ActionClass.ACCESS_POINT,
    StepName.PUT_BACK: ActionClass.ACCESS_POINT,
    StepName.MOVE_DATABASES: ActionClass.MOVE,
    StepName.SYNCHRONISE: ActionClass.MOVE,
    StepName.FENCE: ActionClass.MOVE,
    StepName.SWITCH_OVER: ActionClass.MOVE,
    StepName.ALLOW_ACTIVATION: ActionClass.MOVE,
    StepName.RESTART_SERVER: ActionClass.SERVER_RESTART,
}

#: What the move of one database consists of: that it moves was decided before, under the gates of that decision.
OF_ONE_MOVE = frozenset({StepName.SYNCHRONISE, StepName.FENCE, StepName.SWITCH_OVER})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One deed on one server."""

    step: StepName
    server: str
    by_hand: bool = False
    """A person asks: whether it makes sense is theirs to judge; whether it does harm is still asked."""
    forced: bool = False
    """By hand, and the person has read what the gates that only advise say."""

    @property
    def action(self) -> ActionClass:
        """Its class of action."""
        return ACTION_OF[self.step]
