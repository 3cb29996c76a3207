"""
Whether somebody has to get up.

Critical is: users cannot read their mail, long enough to believe it, and mailward does not, or may not, repair it.
While a recovery is at work, or nobody's mail is touched, it can wait until the morning.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.alerts.language import ENGLISH, Message, message
from mailward.alerts.layout import gist
from mailward.alerts.matter import Matter, Recovery
from mailward.model.alerting import Urgency
from mailward.model.recovery import Answer, Gate, GateAnswer, Operation, OperationStatus

AT_WORK_AT_MOST = timedelta(minutes=30)
"""So long may a recovery keep a person from being called: longer than two observations of ten minutes."""
WAITS_AT_MOST = timedelta(minutes=10)
"""A gate that opens later than this is no reason to let a person sleep."""
PROVES_ITSELF = timedelta(minutes=1)
"""After a recovery healed, its monitors need two good results before they say so too."""
ESCALATED = "escalated"
_HEALED = (OperationStatus.HEALED, OperationStatus.TRANSIENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """How urgent, and why."""

    urgency: Urgency
    reason: Message
    """Why, for whatever language it is told in."""
    standing: str = ""
    """What is asked of a person: "" nothing, "approval 12", "escalated"."""
    operation: Operation | None = None
    """The recovery that decides it, or else its own, the newest."""
    is_at_work: bool = False
    """Whether that recovery is why nobody has to get up."""

    @property
    def because(self) -> str:
        """Why, as it is recorded: in English."""
        return ENGLISH.say(self.reason)


def judge(matter: Matter, *, now: datetime) -> Judgement:
    """How urgent *matter* is at *now*."""
    newest = matter.recoveries[0].operation if matter.recoveries else None
    if not matter.suffering:
        return _without_users(matter, newest)
    for recovery in matter.recoveries:
        operation = recovery.operation
        if operation.status is OperationStatus.AWAITING_APPROVAL:
            reason = message(
                "recovery {number} waits for somebody to say yes: {quoted}",
                number=operation.id,
                quoted=gist(operation.because),
            )
            return _critical(reason, standing=f"approval {operation.id}", operation=operation)
    for recovery in matter.recoveries:
        given_up = _given_up(recovery, now)
        if given_up is not None:
            return _critical(given_up, standing=ESCALATED, operation=recovery.operation)
    at_work = next((one.operation for one in matter.recoveries if _is_at_work(one.operation, now)), None)
    if at_work is None:
        return _critical(_nothing_at_work(newest), operation=newest)
    if now - matter.since >= AT_WORK_AT_MOST:
        reason = message(
            "recovery {number} is at work, but users have been waiting for more than 30 minutes", number=at_work.id
        )
        return _critical(reason, standing=ESCALATED, operation=at_work)
    return Judgement(
        urgency=Urgency.WARNING,
        reason=message("recovery {number} is at work", number=at_work.id),
        operation=at_work,
        is_at_work=True,
    )


def _nothing_at_work(newest: Operation | None) -> Message:
    if newest is None:
        return message("nothing repairs it")
    return message("recovery {number} ended: {quoted}", number=newest.id, quoted=gist(newest.because))


def _without_users(matter: Matter, newest: Operation | None) -> Judgement:
    if not any(status.state.is_broken for status in matter.statuses):
        return Judgement(urgency=Urgency.INFO, reason=message("nothing is known to be broken"), operation=newest)
    asking = (one.operation for one in matter.recoveries if one.operation.status is OperationStatus.AWAITING_APPROVAL)
    asks = next(asking, None)
    if matter.affected:
        reason = message("users are affected, but not for long enough to be sure")
    else:
        reason = message("no user is known to be affected")
    return Judgement(
        urgency=Urgency.WARNING,
        reason=reason,
        standing=f"approval {asks.id}" if asks is not None else "",
        operation=asks or newest,
    )


def _critical(reason: Message, *, standing: str = "", operation: Operation | None = None) -> Judgement:
    return Judgement(urgency=Urgency.CRITICAL, reason=reason, standing=standing, operation=operation)


def _given_up(recovery: Recovery, now: datetime) -> Message | None:
    """Why this recovery no longer counts as at work, though it may not have ended; None when it does."""
    operation = recovery.operation
    if operation.status is OperationStatus.ESCALATED or (operation.escalated_at and not _ended_well(operation)):
        return message(
            "recovery {number} needs a person: {quoted}", number=operation.id, quoted=gist(operation.because)
        )
    if operation.status is OperationStatus.WAITING:
        for answer in last_answers(recovery):
            if answer.answer is Answer.REFUSES or _opens_late(answer, now):
                return message(
                    "recovery {number} may not go on ({gate}): {quoted}",
                    number=operation.id,
                    gate=answer.gate.value,
                    quoted=gist(answer.because),
                )
    if any(answer.gate is Gate.INEFFECTIVE and answer.answer is not Answer.PASSES for answer in last_answers(recovery)):
        return message("recovery {number} stopped: more of the same does not help", number=operation.id)
    return None


def last_answers(recovery: Recovery) -> tuple[GateAnswer, ...]:
    """The last answer of each gate that was asked at the step the recovery stands at."""
    if not recovery.answers:
        return ()
    latest = max(answer.seq for answer in recovery.answers)
    return tuple({answer.gate: answer for answer in recovery.answers if answer.seq == latest}.values())


def _opens_late(answer: GateAnswer, now: datetime) -> bool:
    return answer.answer is Answer.WAITS and answer.until is not None and answer.until - now > WAITS_AT_MOST


def _ended_well(operation: Operation) -> bool:
    return operation.status in _HEALED


def _is_at_work(operation: Operation, now: datetime) -> bool:
    if not operation.status.is_over:
        return True
    return _ended_well(operation) and operation.ended_at is not None and now - operation.ended_at < PROVES_ITSELF
