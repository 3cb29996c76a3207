"""How steps and gates are told to people, on the terminal and on a page alike."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from mailward.model.recovery import Answer, Gate, GateAnswer, Step, is_statement

_PASSED = {
    Gate.STOPPED_ON_PURPOSE: "not stopped on purpose",
    Gate.CONFIGURATION_INVALID: "configuration",
    Gate.OTHERS_AT_WORK: "nobody else at work",
    Gate.VERDICT: "verdict",
    Gate.SHARED_DEPENDENCY: "shared dependencies",
    Gate.MONITORING_AT_FAULT: "monitoring",
    Gate.NOT_CONFIRMED: "confirmed on the host",
    Gate.NOT_YET_UNHEALTHY: "unhealthy long enough",
    Gate.KERNEL_HANG: "no kernel hang",
    Gate.ACTIVE_COPY_LEFT: "no active copy left",
    Gate.COPIES_NOT_READY: "other copies",
    Gate.STILL_IN_SERVICE: "out of service",
    Gate.LAST_HEALTHY: "others of its role",
    Gate.INEFFECTIVE: "effect so far",
    Gate.NOT_AVAILABLE: "what the platform offers",
    Gate.NOT_RESTARTABLE: "named as restartable",
}
"""What is said of a gate that has let a step pass, where its name says what it is shut for."""
_VERBS = {Answer.PASSES: "", Answer.WAITS: " waits", Answer.REFUSES: " refuses"}
_BEFORE = {Answer.WAITS: " waited", Answer.REFUSES: " refused"}
"""What a gate said before it let the step pass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateWord:
    """One kind of answer of one gate, as it last gave it."""

    answer: GateAnswer
    has_opened: bool
    """Whether it says so no more: the same gate has let the step pass since."""

    @property
    def name(self) -> str:
        """The gate, by what it is shut for or what it found in order."""
        own = self.answer.gate.value
        return _PASSED.get(self.answer.gate, own) if self.answer.answer is Answer.PASSES else own

    @property
    def title(self) -> str:
        """The gate and what it does: "throttle waits", "mode refused"; of one that passes its name alone."""
        verbs = _BEFORE if self.has_opened else _VERBS
        return f"{self.name}{verbs[self.answer.answer]}"


def gate_words(answers: Sequence[GateAnswer]) -> tuple[GateWord, ...]:
    """A gate that was asked again and again is told once for each kind of answer, as it last said."""
    last = {(answer.gate, answer.answer): answer for answer in answers}
    opened = {answer.gate for answer in last.values() if answer.answer is Answer.PASSES}
    return tuple(
        GateWord(answer=answer, has_opened=answer.gate in opened and answer.answer is not Answer.PASSES)
        for answer in last.values()
    )


def outcome_text(step: Step) -> str:
    """How a step ended; one without outcome was begun and has not ended."""
    return step.outcome.value if step.outcome else "under way"


def command_text(command: Sequence[str]) -> str:
    """A command as it would be typed; a statement of SQL as it stands, since no shell sees it."""
    return " ".join(command) if is_statement(command) else shlex.join(command)
