"""Counters as a test wants them. They pass the contract tests of their port."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from mailward.model.counters import CommandTotal, CommandTotals, ListenQueue, ProcessLimit, RequestQueue, RunningCommand
from mailward.model.errors import Refused, TemporaryFailure
from mailward.ports.clock import Clock


class TameCounters:
    """The counters of a service to which a test says what it has done."""

    def __init__(self, clock: Clock) -> None:
        """Nothing was done, and nobody waits."""
        self.unreachable = ""
        """Why the host cannot be asked; "" means it can."""
        self.running: Sequence[RunningCommand] | None = ()
        self.waiting = 0
        self.backlog = 1000
        self.limits: tuple[ProcessLimit, ...] = ()
        self._clock = clock
        self._finished: dict[str, CommandTotal] = {}

    def finish(self, name: str, *, times: int = 1, each: timedelta = timedelta(milliseconds=1)) -> None:
        """Commands of that name have ended."""
        known = self._finished.get(name, CommandTotal(count=0, took=timedelta(0)))
        self._finished[name] = CommandTotal(count=known.count + times, took=known.took + times * each)

    def start_anew(self) -> None:
        """The service was started: it counts from zero."""
        self._finished.clear()

    async def commands(self) -> CommandTotals:
        """
        What ended since the start.

        Raises:
            TemporaryFailure: The test says the host cannot be asked.
            Refused: Nothing has ended yet.
        """
        self._refuse_if_unreachable()
        if not self._finished:
            raise Refused("no command is counted")
        running = None if self.running is None else tuple(replace(one) for one in self.running)
        return CommandTotals(at=self._clock.now(), finished=dict(self._finished), running=running)

    async def queue(self) -> RequestQueue:
        """
        Who waits.

        Raises:
            TemporaryFailure: The test says the host cannot be asked.
        """
        self._refuse_if_unreachable()
        queue = ListenQueue(where="127.0.0.1:993", waiting=self.waiting, backlog=self.backlog)
        return RequestQueue(listening=(queue,), limits=self.limits)

    def _refuse_if_unreachable(self) -> None:
        if self.unreachable:
            raise TemporaryFailure(self.unreachable)
