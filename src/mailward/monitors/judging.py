"""
The pure step of a monitor: a sample or the passing of time in, the new status and what to do next out.

The engine keeps each monitor's last `Step` and hands its status and history back with the next sample. It decides
nothing: `probe_after` says when to probe the same target again, `wake_at` when to call `wake`. A wake that comes early,
late or twice changes nothing, because whether a moment has come is read from the status and not from the timer.

Invariant: no monitor becomes Unhealthy but on a bad result newer than the grace period's beginning and on nothing said
against our own measuring since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailward.model.durations import spoken
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.probing import ResultType
from mailward.monitors.definition import Judgement, MonitorDefinition, Reading, Standing
from mailward.monitors.samples import Sample
from mailward.monitors.transitions import MonitorEvent, advance

_SILENCE_IS_NEWS = frozenset({AlertValue.UNINITIALIZED, AlertValue.HEALTHY, AlertValue.DEGRADED, AlertValue.UNHEALTHY})
_CONFIRMS = frozenset({AlertValue.UNINITIALIZED, AlertValue.HEALTHY, AlertValue.DEGRADED, AlertValue.UNAVAILABLE})
_EVENTS = {
    Standing.BROKE: MonitorEvent.RULE_BROKE,
    Standing.WARNS: MonitorEvent.RULE_WARNED,
    Standing.HELD: MonitorEvent.RULE_HELD,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What a monitor remembers between samples; kept in memory only, and bounded by its rule."""

    heard_at: datetime
    """When a sample last said anything; when the monitor began, before the first."""
    samples: tuple[Sample, ...] = ()
    """The oldest first; only those that say something to the rule."""
    left_healthy: tuple[datetime, ...] = ()
    """The last times it left Healthy, for flapping."""
    silence: str = ""
    """Why our own measuring failed since a sample last said anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What came of a sample, a wake or an order."""

    status: MonitorStatus
    history: History
    wake_at: datetime | None = None
    """When to call `wake` unless another sample comes first."""
    probe_after: timedelta | None = None
    """Probe the same target again this long after the attempt just judged *ended*, marked as a confirmation."""
    flapping_began: bool = False
    flapping_settled: bool = False


def begin(definition: MonitorDefinition, stored: MonitorStatus | None, now: datetime) -> Step:
    """Begin a monitor, or go on with the state that was stored before a restart, as the configuration is now."""
    status = stored or MonitorStatus(
        key=definition.key, state=AlertValue.UNINITIALIZED, since=now, because="no result yet"
    )
    if definition.settings.enabled:
        status = advance(status, MonitorEvent.SWITCHED_ON, at=now)
    else:
        status = advance(status, MonitorEvent.SWITCHED_OFF, at=now, because="switched off in the configuration")
    left = (now,) if status.flapping else ()
    return _with_time(definition, Step(status=status, history=History(heard_at=now, left_healthy=left)), now)


def take(definition: MonitorDefinition, status: MonitorStatus, history: History, sample: Sample, now: datetime) -> Step:
    """
    Judge one more sample.

    A first failure asks to be confirmed fast, a good result of a broken monitor asks for the next one soon. A sample
    that says nothing to the rule changes no state; from a fault of our own measuring it keeps the reason for silence.
    """
    if status.state is AlertValue.DISABLED:
        return Step(status=status, history=history)
    reading = definition.rule.read(sample)
    if reading is Reading.NOTHING:
        unseen = Step(status=_out_of_sight(status, sample), history=_silenced(history, sample))
        return _with_time(definition, unseen, now)
    history = replace(history, heard_at=sample.at, silence="", samples=_remembered(definition, history, sample, now))
    run = _run(definition, history.samples, reading)
    after = _judged(definition, _told(status, sample, reading), history.samples, run, now)
    step = _with_time(definition, Step(status=after, history=history), now)
    return _with_flapping(
        definition, status, replace(step, probe_after=_probe_after(definition, step.status, reading, run)), now
    )


def _out_of_sight(status: MonitorStatus, sample: Sample) -> MonitorStatus:
    """A broken monitor whose latest look fails through our own fault says so, not its last verdict for ever."""
    if status.broken_since is None or status.state is AlertValue.REPAIRING or not sample.is_monitoring_fault:
        return status
    return replace(status, verdict=sample.verdict, because=f"it was broken, and now cannot be seen: {sample.said}")


def wake(definition: MonitorDefinition, status: MonitorStatus, history: History, now: datetime) -> Step:
    """Let time pass: the end of the grace period, of patience with silence, of flapping."""
    return _with_time(definition, Step(status=status, history=history), now)


def order(
    definition: MonitorDefinition,
    status: MonitorStatus,
    history: History,
    *,
    event: MonitorEvent,
    now: datetime,
    because: str = "",
) -> Step:
    """
    Carry out what an operator ordered: a repair's start or end, switching off or on.

    Raises:
        Refused: It cannot be in this state; the text says what to do first.
    """
    status = advance(status, event, at=now, because=because)
    return _with_time(definition, Step(status=status, history=replace(history, heard_at=now)), now)


def _silenced(history: History, sample: Sample) -> History:
    is_ours = sample.is_monitoring_fault or not (sample.result.is_failure or sample.result is ResultType.SUCCEEDED)
    return replace(history, silence=sample.said) if is_ours else history


def _remembered(definition: MonitorDefinition, history: History, sample: Sample, now: datetime) -> tuple[Sample, ...]:
    """The samples to keep: so many however old, and more of them while they are young."""
    memory = definition.rule.memory
    count = max(memory.count, _run_max(definition))
    samples = (*history.samples, sample)
    if memory.age is None:
        return samples[-count:]
    oldest, first = now - memory.age, max(0, len(samples) - max(memory.most, count))
    while len(samples) - first > count and samples[first].at < oldest:
        first += 1
    return samples[first:]


def _run_max(definition: MonitorDefinition) -> int:
    return max(len(definition.settings.confirm_after) + 1, definition.settings.successes_to_recover)


def _run(definition: MonitorDefinition, samples: Sequence[Sample], reading: Reading) -> int:
    """How many samples at the end read as the last one does, counted no further than anything depends on it."""
    run = 0
    for sample in reversed(samples[-_run_max(definition) :]):
        if definition.rule.read(sample) is not reading:
            break
        run += 1
    return run


def _told(status: MonitorStatus, sample: Sample, reading: Reading) -> MonitorStatus:
    """The status with what the sample tells beside its reading: the verdict of the last failure, `_Mbx`, the moment."""
    verdict = sample.verdict if reading is Reading.BAD else status.verdict
    return replace(
        status,
        last_result_at=sample.at,
        verdict=None if status.state is AlertValue.HEALTHY and reading is Reading.WELL else verdict,
        mailbox_server=sample.mailbox_server or status.mailbox_server,
    )


def _judged(
    definition: MonitorDefinition, status: MonitorStatus, samples: Sequence[Sample], run: int, now: datetime
) -> MonitorStatus:
    judgement = definition.rule.judge(samples, now)
    needed = definition.settings.successes_to_recover
    event, because = _EVENTS.get(judgement.standing), judgement.because
    if judgement.standing is Standing.HELD and run >= needed:
        event, because = MonitorEvent.RECOVERED, _recovery(status, judgement, run, now)
    after = status if event is None else advance(status, event, at=now, because=because)
    if after.state is not status.state:
        return replace(after, verdict=None) if after.state is AlertValue.HEALTHY else after
    return _kept(after, judgement, run, needed)


def _recovery(status: MonitorStatus, judgement: Judgement, run: int, now: datetime) -> str:
    if status.broken_since is None:
        return judgement.because
    return f"{run} good results in a row after {spoken(now - status.broken_since)} of failure"


def _kept(status: MonitorStatus, judgement: Judgement, run: int, needed: int) -> MonitorStatus:
    """The status that stays what it is, with fresh words."""
    if status.state is AlertValue.REPAIRING:
        return status
    because = judgement.because
    if judgement.standing is Standing.HELD and status.state is not AlertValue.HEALTHY:
        because = f"{run} of the {needed} good results in a row that it takes to recover"
    return status if because == status.because else replace(status, because=because)


def _with_time(definition: MonitorDefinition, step: Step, now: datetime) -> Step:
    """Let what is due happen, and say when to look again."""
    status, history = step.status, step.history
    grace_ends = _grace_ends(definition, status, history)
    if grace_ends is not None and now >= grace_ends:
        because = f"still broken after {spoken(definition.settings.grace)}: {status.because}"
        status = advance(status, MonitorEvent.GRACE_EXPIRED, at=now, because=because)
        grace_ends = None
    patience_ends = history.heard_at + definition.patience if status.state in _SILENCE_IS_NEWS else None
    if patience_ends is not None and now >= patience_ends:
        status = advance(status, MonitorEvent.NO_ANSWER, at=now, because=_silence(history, now))
        grace_ends = patience_ends = None
    settles_at = history.left_healthy[-1] + definition.flapping.window if _may_settle(status, history) else None
    is_settled = settles_at is not None and now >= settles_at
    if is_settled:
        status, settles_at = replace(status, flapping=False), None
    moments = [moment for moment in (grace_ends, patience_ends, settles_at) if moment is not None]
    return Step(status=status, history=history, wake_at=min(moments) if moments else None, flapping_settled=is_settled)


def _grace_ends(definition: MonitorDefinition, status: MonitorStatus, history: History) -> datetime | None:
    """When a Degraded monitor becomes Unhealthy; None while the last news is good, or is about our own measuring."""
    if status.state is not AlertValue.DEGRADED or status.broken_since is None or history.silence:
        return None
    if not history.samples or definition.rule.read(history.samples[-1]) is not Reading.BAD:
        return None
    return status.broken_since + definition.settings.grace


def _may_settle(status: MonitorStatus, history: History) -> bool:
    return status.flapping and bool(history.left_healthy)


def _silence(history: History, now: datetime) -> str:
    what = f"no usable result for {spoken(now - history.heard_at)}"
    return f"{what}: {history.silence}" if history.silence else what


def _with_flapping(definition: MonitorDefinition, before: MonitorStatus, step: Step, now: datetime) -> Step:
    """Count how often the monitor left Healthy; say once that it flaps."""
    if before.state is not AlertValue.HEALTHY or not step.status.state.is_broken:
        return step
    oldest = now - definition.flapping.window
    recent = tuple(moment for moment in step.history.left_healthy if moment >= oldest)
    left = (*recent, now)[-definition.flapping.times :]
    history = replace(step.history, left_healthy=left)
    if len(left) < definition.flapping.times or step.status.flapping:
        return replace(step, history=history)
    return replace(step, history=history, status=replace(step.status, flapping=True), flapping_began=True)


def _probe_after(definition: MonitorDefinition, status: MonitorStatus, reading: Reading, run: int) -> timedelta | None:
    """How soon the same target should be probed again; None leaves it to its regular turn."""
    settings = definition.settings
    if reading is Reading.BAD:
        if status.state in _CONFIRMS and run <= len(settings.confirm_after):
            return settings.confirm_after[run - 1]
        is_degraded = status.state is AlertValue.DEGRADED and status.broken_since is not None
        return settings.recheck_while_degraded if is_degraded else None
    if status.state.is_broken or status.state is AlertValue.UNAVAILABLE:
        return settings.confirm_recovery_after if run < settings.successes_to_recover else None
    return None
