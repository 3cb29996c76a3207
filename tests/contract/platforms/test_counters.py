"""What all Counters keep: Dovecot's, over what its programs print, and the ones that tests use."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from mailward.model.counters import CommandTotal, ProcessLimit
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Finished
from mailward.platforms.dovecot.counters import DovecotCounters
from mailward.platforms.linux.listening_sockets import parse
from mailward.testing.counters import TameCounters
from mailward.testing.platform import SetClock

HEADER = "metric_name\tfield\tcount\tsum\n"


class PrintingDovecot:
    """Dovecot's counters over a doveadm and an ss that print what they are told."""

    def __init__(self) -> None:
        self.finished: Mapping[str, CommandTotal] = {}
        self.waiting = 0
        self.limits = "[]"
        self.failing = False
        self.counters = DovecotCounters(
            self, address="127.0.0.1", ports=(993,), sockets=self._sockets, running=self._running, clock=SetClock()
        )

    def words(self, *request):
        return ("doveadm", *request)

    async def run(self, *request, mailboxes=()):
        if self.failing:
            return Finished(status=75, output="", errors="Fatal: connection refused")
        rows = [
            f"commands_{name}\tduration\t{total.count}\t{total.took // timedelta(microseconds=1)}\n"
            for name, total in self.finished.items()
        ]
        return Finished(
            status=0, output=self.limits if request[0] == "service" else "".join([HEADER, *rows]), errors=""
        )

    async def _sockets(self):
        return parse(f"LISTEN {self.waiting} 1000 127.0.0.1:993 0.0.0.0:*")

    async def _running(self):
        return ()


class Bench:
    """Counters, and what happens at their service."""

    def __init__(self, kind):
        self._tame = TameCounters(SetClock())
        self._dovecot = PrintingDovecot()
        self._kind = kind
        self.counters = self._tame if kind == "tame" else self._dovecot.counters

    def finish(self, **finished):
        self._dovecot.finished = finished
        for name, total in finished.items():
            self._tame.finish(name, times=total.count, each=total.took / total.count)

    def wait(self, waiting):
        self._tame.waiting = self._dovecot.waiting = waiting

    def limit(self):
        self._tame.limits = (ProcessLimit(service="imap", used=5, limit=5, waiting=True),)
        self._dovecot.limits = (
            '[{"name":"imap","process_count":"5","process_limit":"5","last_drop_warning":"0","listen_pending":"y"}]'
        )

    def vanish(self):
        self._tame.unreachable = "gone"
        self._dovecot.failing = True


@pytest.fixture(params=["dovecot", "tame"])
def bench(request):
    return Bench(request.param)


async def test_commands_by_name_since_the_start(bench):
    seconds = timedelta(seconds=6)
    bench.finish(FETCH=CommandTotal(count=3, took=seconds), IDLE=CommandTotal(count=1, took=100 * seconds))

    totals = await bench.counters.commands()

    assert {"FETCH": (3, seconds), "IDLE": (1, 100 * seconds)} == {
        name: (total.count, total.took) for name, total in totals.finished.items()
    }
    assert () == totals.running


async def test_a_service_that_counts_nothing_says_so(bench):
    with pytest.raises(Refused, match="no command is counted"):
        await bench.counters.commands()


async def test_who_waits_at_which_listener(bench):
    bench.wait(7)

    (listening,) = (await bench.counters.queue()).listening

    assert ("127.0.0.1:993", 7, 1000, False) == (
        listening.where,
        listening.waiting,
        listening.backlog,
        listening.is_full,
    )


async def test_limits_that_clients_wait_for(bench):
    bench.limit()

    (limit,) = (await bench.counters.queue()).limits

    assert ("imap", 5, 5, True) == (limit.service, limit.used, limit.limit, limit.waiting)


async def test_a_host_that_does_not_answer_is_unknown_and_never_idle(bench):
    bench.vanish()

    for asking in (bench.counters.commands, bench.counters.queue):
        with pytest.raises(TemporaryFailure):
            await asking()
