"""
Whether a wanted deed may begin: which gates are asked about it, and what their answers add up to.

Every gate that applies is asked, also after one has said no, so that a person sees all that stands against it and not
only the first. One no is enough.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailward.model.recovery import ONLY_ADVISE, ActionClass, Answer, Gate, GateAnswer, StepName
from mailward.recovery.circumstances import Circumstances
from mailward.recovery.gates import authority, evidence, harm
from mailward.recovery.wanted import OF_ONE_MOVE, Wanted

GateFunction = Callable[[Wanted, Circumstances], GateAnswer]

#: Asked about everything mailward does by itself.
_AUTHORITY: tuple[GateFunction, ...] = (
    authority.store,
    authority.lease,
    authority.stop_file,
    authority.pause,
    authority.maintenance,
    authority.component_state,
    authority.override,
)
#: Asked last, so that "it is recommended" means that nothing else stands against it.
_CONSENT: tuple[GateFunction, ...] = (authority.mode, authority.approval)

_OF_CLASS: Mapping[ActionClass, tuple[GateFunction, ...]] = {
    # The host itself says that the service failed: that is evidence enough, whatever the probes make of it.
    ActionClass.START: (
        harm.not_available,
        evidence.stopped_on_purpose,
        evidence.not_confirmed,
        harm.configuration_invalid,
        harm.others_at_work,
        harm.ineffective,
        harm.throttle,
    ),
    ActionClass.RELOAD: (
        harm.not_available,
        evidence.stopped_on_purpose,
        evidence.not_confirmed,
        harm.configuration_invalid,
        harm.others_at_work,
        harm.ineffective,
        harm.throttle,
    ),
    ActionClass.RESTART: (
        harm.not_available,
        evidence.monitoring_at_fault,
        evidence.verdict,
        evidence.shared_dependency,
        evidence.stopped_on_purpose,
        evidence.not_confirmed,
        evidence.kernel_hang,
        evidence.not_yet_unhealthy,
        harm.configuration_invalid,
        harm.others_at_work,
        harm.blast_radius,
        harm.last_healthy,
        harm.ineffective,
        harm.throttle,
    ),
    ActionClass.ACCESS_POINT: (
        harm.not_available,
        evidence.monitoring_at_fault,
        evidence.verdict,
        evidence.shared_dependency,
        evidence.not_yet_unhealthy,
        harm.blast_radius,
        harm.last_healthy,
        harm.ineffective,
        harm.throttle,
    ),
    ActionClass.MOVE: (
        harm.not_available,
        evidence.monitoring_at_fault,
        evidence.verdict,
        evidence.shared_dependency,
        evidence.stopped_on_purpose,
        evidence.not_yet_unhealthy,
        harm.copies_not_ready,
        harm.blast_radius,
        harm.throttle,
    ),
    ActionClass.SERVER_RESTART: (
        harm.not_available,
        harm.not_restartable,
        evidence.monitoring_at_fault,
        evidence.verdict,
        evidence.shared_dependency,
        evidence.stopped_on_purpose,
        evidence.not_confirmed,
        evidence.not_yet_unhealthy,
        harm.active_copy_left,
        harm.still_in_service,
        harm.others_at_work,
        harm.blast_radius,
        harm.last_healthy,
        harm.ineffective,
        harm.throttle,
    ),
}
#: What takes nothing away needs no evidence against the server, but that it is well again.
_PUT_BACK: tuple[GateFunction, ...] = (harm.not_available, evidence.well_again)

_GIVES_BACK = frozenset({StepName.PUT_BACK, StepName.ALLOW_ACTIVATION})

#: By hand: a person answers for the why, mailward for the harm.
_BY_HAND: tuple[GateFunction, ...] = (authority.store, authority.lease, authority.stop_file, harm.not_available)
_BY_HAND_OF_CLASS: Mapping[ActionClass, tuple[GateFunction, ...]] = {
    ActionClass.START: (harm.configuration_invalid, harm.others_at_work, harm.throttle),
    ActionClass.RELOAD: (harm.configuration_invalid, harm.others_at_work),
    ActionClass.RESTART: (
        harm.configuration_invalid,
        harm.others_at_work,
        evidence.kernel_hang,
        harm.last_healthy,
        harm.throttle,
    ),
    ActionClass.ACCESS_POINT: (harm.last_healthy, harm.throttle),
    # one move by hand after the other is no storm; which copy is fit, and whether there is one, the choice says
    ActionClass.MOVE: (harm.throttle,),
    ActionClass.SERVER_RESTART: (
        harm.not_restartable,
        harm.active_copy_left,
        harm.still_in_service,
        harm.others_at_work,
        harm.last_healthy,
        harm.throttle,
    ),
}
#: These end a branch of a procedure: waiting does not open them.
FINAL = frozenset(
    {
        Gate.NOT_AVAILABLE,
        Gate.NOT_RESTARTABLE,
        Gate.ACTIVE_COPY_LEFT,
        Gate.COPIES_NOT_READY,
        Gate.INEFFECTIVE,
    }
)


#: A person mends these, or time does, and later than users can wait for while there is another copy.
_LASTS = frozenset({Gate.CONFIGURATION_INVALID, Gate.KERNEL_HANG, Gate.THROTTLE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Whether a deed may begin, and everything that was said about it."""

    answer: Answer
    answers: tuple[GateAnswer, ...]
    """Of every gate that was asked, in order."""
    because: str
    until: datetime | None = None
    """When it makes sense to ask again, where that is known."""

    @property
    def may(self) -> bool:
        """Whether nothing stands against it."""
        return self.answer is Answer.PASSES

    @property
    def is_final(self) -> bool:
        """Whether what stands against it does not go away by waiting."""
        return any(answer.answer is Answer.REFUSES and answer.gate in FINAL for answer in self.answers)

    @property
    def lasts(self) -> bool:
        """Whether what stands against it lasts so long that users are better served elsewhere meanwhile."""
        return any(answer.answer is not Answer.PASSES and answer.gate in _LASTS for answer in self.answers)

    @property
    def only_consent_missing(self) -> bool:
        """Whether it would be done if only mailward were allowed to: what a rehearsal shows."""
        against = {answer.gate for answer in self.answers if answer.answer is not Answer.PASSES}
        return bool(against) and against <= {Gate.MODE, Gate.APPROVAL, Gate.OVERRIDE, Gate.LEASE}


def gates_of(wanted: Wanted) -> tuple[GateFunction, ...]:
    """The gates that are asked about a deed, in order."""
    if wanted.step in OF_ONE_MOVE:
        # the evidence was asked for when the move was decided, or a person answers for it
        return (*(_BY_HAND if wanted.by_hand else (*_AUTHORITY, authority.mode, harm.not_available)), harm.throttle)
    if wanted.by_hand:
        own = () if wanted.step in _GIVES_BACK else _BY_HAND_OF_CLASS[wanted.action]
        return (*_BY_HAND, *own)
    own = _PUT_BACK if wanted.step in _GIVES_BACK else _OF_CLASS[wanted.action]
    return (*_AUTHORITY, *own, *_CONSENT)


def decide(wanted: Wanted, seen: Circumstances) -> Decision:
    """Ask every gate that applies, and add their answers up: one REFUSES refuses, else one WAITS waits."""
    answers = tuple(gate(wanted, seen) for gate in gates_of(wanted))
    against = [answer for answer in answers if _stands(answer, wanted)]
    refusing = [answer for answer in against if answer.answer is Answer.REFUSES]
    if refusing:
        return Decision(answer=Answer.REFUSES, answers=answers, because=_sentence(refusing))
    if against:
        known = [answer.until for answer in against if answer.until is not None]
        # every gate that waits must open: the last one decides
        until = max(known) if len(known) == len(against) else None
        return Decision(answer=Answer.WAITS, answers=answers, because=_sentence(against), until=until)
    return Decision(answer=Answer.PASSES, answers=answers, because="every gate lets it pass")


def _stands(answer: GateAnswer, wanted: Wanted) -> bool:
    if answer.answer is Answer.PASSES:
        return False
    return not (wanted.by_hand and wanted.forced and answer.gate in ONLY_ADVISE)


def _sentence(answers: list[GateAnswer]) -> str:
    return "; ".join(f"{answer.gate.value}: {answer.because}" for answer in answers)
