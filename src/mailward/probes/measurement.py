"""
From a conversation to a result: the frame every IMAP probe runs in.

A probe's own file says only what is said in which order; here it gets its deadline, its good-bye and its result, and
whatever goes wrong inside is turned into one: what a server does is a fact, what our own code does is a PROBER_FAULT.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailward.model.probing import Canary, Cause, Phase, ProbeResult, ResultType
from mailward.model.target import ProbeTarget
from mailward.probes.dialogue import Dialogue
from mailward.probes.equipment import Equipment
from mailward.probes.failure import PhaseFailed
from mailward.probes.stopwatch import Stopwatch


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What a conversation that went well has to tell beside its phases."""

    mailbox_server: str | None = None
    canary: Canary | None = None
    push_took: timedelta | None = None
    push_missed: bool = False
    wrote: bool = False
    detail: str = ""
    further_transcript: tuple[str, ...] = field(default=())


Conversing = Callable[[Dialogue], Awaitable[Seen]]
#: Causes that our own slowness can bring about.
_MAY_BE_OURS = (Cause.TIMEOUT, Cause.CLOSED, Cause.BYE)


def stopwatch_for(target: ProbeTarget, equipment: Equipment) -> Stopwatch:
    """A stopwatch that ends with the target's time-out."""
    loop = asyncio.get_running_loop()
    return Stopwatch(
        time=loop.time,
        loop_lag=equipment.network.loop_lag,
        limits=equipment.settings.phase_limits,
        deadline=loop.time() + target.timeout.total_seconds(),
        overload_lag=equipment.settings.overload_lag,
        overload_share=equipment.settings.overload_share,
    )


async def measure(target: ProbeTarget, equipment: Equipment, converse: Conversing) -> ProbeResult:
    """
    Hold one conversation and return what was seen, by the target's time-out at the latest.

    Raises:
        asyncio.CancelledError: The caller cancelled it; the connection is closed.
    """
    at = equipment.clock.now()
    watch = stopwatch_for(target, equipment)
    began = watch.now()
    talk = Dialogue(target, equipment, watch)
    seen, failed = Seen(), None
    try:
        seen = await converse(talk)
    except PhaseFailed as failure:
        failed = failure
    except Exception as error:  # noqa: BLE001 - a fault of our own must not pass for silence
        failed = _OurFault(error, watch)
    finally:
        await talk.part()
    return _result(talk, seen, failed, at=at, took=timedelta(seconds=watch.now() - began))


def not_applicable(target: ProbeTarget, equipment: Equipment, because: str) -> ProbeResult:
    """The result of a probe that has nothing to measure here."""
    return replace(
        _bare(target, at=equipment.clock.now(), took=timedelta(0), result=ResultType.NOT_APPLICABLE), detail=because
    )


def _bare(target: ProbeTarget, *, at: datetime, took: timedelta, result: ResultType) -> ProbeResult:
    return ProbeResult(
        probe=target.probe,
        health_set=target.health_set,
        server=target.server,
        target=target.target,
        at=at,
        took=took,
        result=result,
        account=target.account.user if target.account else None,
        confirmation=target.confirmation,
    )


def _result(talk: Dialogue, seen: Seen, failed: PhaseFailed | None, *, at: datetime, took: timedelta) -> ProbeResult:
    result = _bare(talk.target, at=at, took=took, result=_ending(talk.watch, failed))
    transcript = talk.transcript.lines + seen.further_transcript
    if failed is None:
        cause, phase, code = (Cause.PUSH_MISSED if seen.push_missed else None), None, None
        detail = seen.detail
    else:
        cause, phase, code = failed.cause, failed.phase, failed.code
        detail = talk.transcript.masked(failed.detail)
    return replace(
        result,
        failed_phase=phase,
        cause=cause,
        response_code=code,
        detail=detail,
        phases=talk.watch.timings,
        address=talk.address,
        mailbox_server=seen.mailbox_server or talk.served_by,
        certificate=talk.certificate,
        tls=talk.tls,
        capabilities=tuple(sorted(talk.offered)),
        canary=seen.canary,
        push_took=seen.push_took,
        wrote=seen.wrote,
        transcript=transcript,
    )


def _ending(watch: Stopwatch, failed: PhaseFailed | None) -> ResultType:
    if failed is None:
        return ResultType.SUCCEEDED
    if isinstance(failed, _OurFault) or (failed.cause in _MAY_BE_OURS and watch.is_overloaded(failed.phase)):
        return ResultType.PROBER_OVERLOADED
    return ResultType.TIMED_OUT if failed.cause is Cause.TIMEOUT else ResultType.FAILED


class _OurFault(PhaseFailed):
    """Our own code failed: nothing was learnt of what is probed."""

    def __init__(self, error: Exception, watch: Stopwatch) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""
        phase = watch.timings[-1].phase if watch.timings else Phase.DNS
        super().__init__(phase, Cause.PROBER_FAULT, f"mailward itself failed: {type(error).__name__}: {error}{where}")
