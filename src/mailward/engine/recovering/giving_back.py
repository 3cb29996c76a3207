"""Giving back what a recovery took away, once it is well again: a proxy's clients, a server's copies."""

from datetime import timedelta

from mailward.engine.recovering.acting import Acting
from mailward.engine.recovering.moves.blocking import own_blocks
from mailward.engine.recovering.noting import Noting
from mailward.engine.recovering.standing import Turn
from mailward.engine.recovering.world import World
from mailward.model.recovery import Operation, StepName, StepOutcome
from mailward.recovery.deciding import decide
from mailward.recovery.next_move import GiveBack
from mailward.recovery.wanted import ACTION_OF, Wanted

TRIES = 3
"""After so many a person is called; it is tried on all the same."""


class GivingBack:
    """Gives back, under the gates of that."""

    def __init__(self, world: World, *, acting: Acting, noting: Noting) -> None:
        """Act by *acting*, write down by *noting*."""
        self._world = world
        self._acting = acting
        self._noting = noting

    def is_taken(self, back: GiveBack) -> bool:
        """Whether there is anything to give back that can be."""
        if back.step is StepName.ALLOW_ACTIVATION:
            return bool(own_blocks(self._world, back.server))
        return back.step in ACTION_OF

    async def take(self, turn: Turn) -> Operation:
        """Take the stage that gives back."""
        name, server = turn.at.stage.step, turn.at.server
        back = GiveBack(place=turn.at.place, step=name, server=server)
        if not self.is_taken(back) or server not in self._world.organization().servers:
            return await self._noting.note(turn, StepOutcome.SKIPPED, f"there is nothing to {name.value}")
        again = await self._wait_before_trying_again(turn)
        if again is not None:
            return again
        wanted = Wanted(step=name, server=server)
        seen = await self._acting.circumstances(wanted, turn.operation, turn.steps)
        decision = decide(wanted, seen)
        if not decision.may:
            return await self._acting.withhold(turn, decision)
        operation, _ = await self._acting.act(turn, wanted, decision, seen, premise="it is well again")
        return operation

    async def _wait_before_trying_again(self, turn: Turn) -> Operation | None:
        """What could not be given back is tried again after a while, and a person is told; None: try now."""
        name, now = turn.at.stage.step, self._world.clock.now()
        tried = [step for step in turn.steps if step.name is name and step.outcome is not StepOutcome.SKIPPED]
        last = tried[-1] if tried else None
        pause = self._world.settings().look_again
        if last is None or last.ended is None or not timedelta(0) <= now - last.ended < pause:
            return None
        because = f"it works again, but could not {name.value}: {last.because}"
        return await self._noting.wait(
            turn.operation, because, until=last.ended + pause, held=turn.held, calls=len(tried) >= TRIES
        )
