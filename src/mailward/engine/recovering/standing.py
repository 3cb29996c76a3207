"""Where an operation stands, and the words it is told in: small values of the executor, all of them pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailward.engine.recovering.deeds import Deed
from mailward.engine.recovering.probing import Looked
from mailward.model.errors import Refused
from mailward.model.evidence import ServiceState
from mailward.model.recovery import Answer, Gate, GateAnswer, Operation, Step, StepName, StepOutcome
from mailward.ports.lease import Held
from mailward.recovery.circumstances import Circumstances
from mailward.recovery.deciding import Decision
from mailward.recovery.next_move import GiveBack, was_not_done
from mailward.recovery.premises import Premise
from mailward.recovery.procedures import Stage
from mailward.recovery.wanted import ACTION_OF


@dataclass(frozen=True, slots=True)
class Standing:
    """A stage, on one server, for the n-th time."""

    place: int
    stage: Stage
    server: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an operation: its record so far, the stage it stands at, and the lease it acts under."""

    operation: Operation
    steps: Sequence[Step]
    at: Standing
    held: Held

    def step(self, began: datetime) -> Step:
        """The step that is about to be taken."""
        return Step(
            operation=self.operation.id,
            seq=max((step.seq for step in self.steps), default=0) + 1,
            place=self.at.place,
            name=self.at.stage.step,
            server=self.at.server,
            started=began,
            attempt=self.at.attempt,
            fence=self.held.fence,
        )

    def again(self) -> "Turn":
        """A look that belongs to the stage before, so that this stage itself comes next."""
        at = Standing(max(0, self.at.place - 1), Stage(step=StepName.RE_PROBE), self.at.server)
        return replace(self, at=at)


def started_instead(at: Standing, seen: Circumstances, steps: Sequence[Step]) -> Standing:
    """A service that failed while it waited to be restarted is started, unless a start was tried already."""
    if at.stage.step is not StepName.RESTART_SERVICE or seen.service is None:
        return at
    tried = any(step.name is StepName.START_SERVICE and _counts(step) for step in steps)
    half_restarted = seen.service.state is ServiceState.STOPPED and seen.stopped_by_us
    if tried or not (seen.service.state is ServiceState.FAILED or half_restarted):
        return at
    stage = Stage(step=StepName.START_SERVICE, premise=Premise.SERVICE_NOT_RUNNING, seed=at.stage.seed)
    return replace(at, stage=stage)


def _counts(step: Step) -> bool:
    return step.outcome is not StepOutcome.SKIPPED and not was_not_done(step)


def settles_after(steps: Sequence[Step]) -> Step | None:
    """The deed after which the service needs a moment: the last step that was not a look."""
    last = steps[-1] if steps else None
    acted = (StepOutcome.DONE, StepOutcome.UNKNOWN)
    for step in reversed(steps):
        if step.name in ACTION_OF and step.outcome in acted:
            return step
        if step.name is StepName.RE_PROBE or (step is not last and step.outcome is not StepOutcome.SKIPPED):
            return None
        last = step
    return None


def told_by(looked: Looked) -> str:
    """How an operation stands after a look."""
    if looked.is_healthy is True:
        return f"it works: {looked.because}"
    stands = "the problem stands" if looked.is_healthy is False else "it is not known whether the problem stands"
    return f"{stands}: {looked.because}"


def what_is_left(steps: Sequence[Step]) -> str:
    """What a person is told at the end of a procedure."""
    tried = [
        f"{step.name.value} on {step.server}: {_outcome(step)}"
        for step in steps
        if step.name in ACTION_OF and step.outcome is not StepOutcome.SKIPPED
    ]
    deeds = [step for step in steps if step.name in ACTION_OF and step.outcome is StepOutcome.DONE]
    if deeds:
        return f"what was done did not help ({'; '.join(tried)})"
    return f"nothing could be done ({'; '.join(tried)})" if tried else "nothing could be done"


def why_not_moved(steps: Sequence[Step]) -> str:
    """Why a move, or the emptying of a server, did not come to its end: the first thing that went wrong."""
    wrong = (StepOutcome.FAILED, StepOutcome.REFUSED, StepOutcome.UNKNOWN)
    failed = [step for step in steps if step.outcome in wrong]
    found = next((step for step in failed if not was_not_done(step)), failed[-1] if failed else None)
    told = f"to {found.name.value}: {found.because}" if found is not None else "nothing was moved"
    fenced = next((step for step in steps if step.name is StepName.FENCE and step.outcome is StepOutcome.DONE), None)
    if fenced is None:
        return told
    return f"{told}; mailward itself stopped {fenced.server} to fence it: mailward service start {fenced.server}"


def stays(back: GiveBack) -> str:
    """What stays taken away meanwhile."""
    if back.step is StepName.ALLOW_ACTIVATION:
        return f"the copies on {back.server} may not become active until it is well again"
    return f"{back.server} stays out of the access point until it is well again"


def _outcome(step: Step) -> str:
    said = step.outcome.value if step.outcome is not None else "not known"
    return said if step.outcome is StepOutcome.DONE else f"{said}, {step.because}"


def numbered(answers: Sequence[GateAnswer], step: Step) -> tuple[GateAnswer, ...]:
    """The answers as those given to this step."""
    return tuple(replace(answer, operation=step.operation, seq=step.seq) for answer in answers)


def against(decision: Decision, answer: GateAnswer) -> Decision:
    """The decision with one more answer, which stands against the deed."""
    kept = tuple(one for one in decision.answers if one.gate is not answer.gate)
    return Decision(
        answer=answer.answer,
        answers=(*kept, answer),
        because=f"{answer.gate.value}: {answer.because}",
        until=answer.until,
    )


def waits_for(gate: Gate, because: str) -> GateAnswer:
    """An answer that waits."""
    return GateAnswer(gate=gate, answer=Answer.WAITS, because=because)


def words_of(deed: Deed) -> tuple[str, ...]:
    """The exact words of a deed; none when the platform cannot do it."""
    try:
        return deed.command()
    except Refused:
        return ()


def wake_at(now: datetime, until: datetime | None, look_again: timedelta) -> datetime:
    """When to ask again: when the last gate is known to open, and at the latest after a while."""
    latest = now + look_again
    return latest if until is None else max(now + timedelta(milliseconds=100), min(until, latest))


def withheld_before(operation: Operation) -> tuple[object, object, object]:
    """What stood against which deed when it was last told."""
    known = operation.data.get("withheld")
    said: Mapping[str, object] = known if isinstance(known, Mapping) else {}
    return said.get("step"), said.get("server"), said.get("gates")


def recommended(operation: Operation, said: Mapping[str, object], decision: Decision, now: datetime) -> list[object]:
    """The deeds this operation would have done had it been allowed to, each once."""
    known = operation.data.get("recommended")
    listed = list(known) if isinstance(known, list) else []
    if not decision.only_consent_missing:
        return listed
    entry = {"step": said["step"], "server": said["server"], "command": said["command"]}
    if any({key: one.get(key) for key in entry} == entry for one in listed if isinstance(one, Mapping)):
        return listed
    return [*listed, {**entry, "at": now.isoformat(), "because": decision.because}]


def said_by(actor: str, what: str, reason: str) -> str:
    """What a person did, and the reason that person gave."""
    return f"{actor} {what}: {reason}" if reason else f"{actor} {what}"
