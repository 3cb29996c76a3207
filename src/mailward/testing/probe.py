"""Probes and sentinels that say what a test wants, without a conversation."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.model.target import ProbeTarget
from mailward.ports.clock import Clock

#: What a probe is to answer: makes a result of the plain success it would have returned.
Answer = Callable[[ProbeResult], ProbeResult]


def succeeds(result: ProbeResult) -> ProbeResult:
    """All is well."""
    return result


def fails(cause: Cause, phase: Phase = Phase.AUTH, *, detail: str = "", result: ResultType | None = None) -> Answer:
    """Fail at *phase*; a TIMEOUT is TimedOut unless *result* says otherwise."""
    kind = result or (ResultType.TIMED_OUT if cause is Cause.TIMEOUT else ResultType.FAILED)
    return lambda plain: replace(plain, result=kind, cause=cause, failed_phase=phase, detail=detail or cause.value)


class CannedProbe:
    """
    A probe whose answers a test decides: `probe.answers("be1", fails(Cause.REFUSED, Phase.CONNECT))`.

    Answers given with `once` are used up first, one each; then `answers` holds; otherwise it succeeds.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._standing: dict[str, Answer] = {}
        self._once: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self.runs: list[ProbeTarget] = []
        """Every target it was run against, in order."""
        self.took = timedelta(milliseconds=20)
        self.gate: asyncio.Event | None = None
        """When set, a run waits for it: a probe under way for as long as a test likes."""

    @property
    def name(self) -> str:
        """The item's name."""
        return self._name

    def answers(self, server: str, answer: Answer) -> None:
        """From now on, say this of *server*."""
        self._standing[server] = answer

    def once(self, server: str, *answers: Answer) -> None:
        """Say these of *server*, one after the other."""
        self._once[server].extend(answers)

    async def run(self, target: ProbeTarget) -> ProbeResult:
        """Return what the test decided."""
        self.runs.append(target)
        at = self._clock.now()
        if self.gate is not None:
            await self.gate.wait()
        waiting = self._once[target.server]
        answer = waiting.popleft() if waiting else self._standing.get(target.server, succeeds)
        return answer(
            ProbeResult(
                probe=target.probe,
                health_set=target.health_set,
                server=target.server,
                target=target.target,
                at=at,
                took=self.took,
                result=ResultType.SUCCEEDED,
                account=target.account.user if target.account else None,
                canary=target.canary,
                confirmation=target.confirmation,
            )
        )


class CannedSentinel:
    """A sentinel that rings when a test says so."""

    def __init__(self) -> None:
        self._rings: defaultdict[str, asyncio.Queue[str]] = defaultdict(asyncio.Queue)

    async def watch(self, target: ProbeTarget) -> str:
        """Wait for `ring`."""
        return await self._rings[target.server].get()

    def ring(self, server: str, because: str = "the session ended") -> None:
        """End the watch of *server*."""
        self._rings[server].put_nowait(because)
