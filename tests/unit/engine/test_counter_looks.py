"""Looks at counters: what is data, what is none, and what fails."""

from datetime import timedelta

import pytest

from mailward.engine.counter_looks import CounterLooks
from mailward.model import items
from mailward.model.counters import ProcessLimit, RunningCommand
from mailward.model.probing import Cause, ResultType
from mailward.model.verdict import Confidence, Tier
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey
from mailward.testing.counters import TameCounters
from mailward.testing.platform import SetClock

SECOND = timedelta(seconds=1)


def planned(probe, server="be1"):
    key = ProbeKey(probe=probe, server=server, target=server)
    return PlannedProbe(key=key, health_set=items.IMAP, interval=15 * SECOND, timeout=10 * SECOND)


class Bench:
    def __init__(self):
        self.clock = SetClock()
        self.counters = TameCounters(self.clock)
        self.looks = CounterLooks(clock=self.clock)
        self.use()

    def use(self, **settings):
        named = {"be1": self.counters, "proxy1": self.counters}
        self.looks.use(counters=named, proxies=frozenset({"proxy1"}), settings=ProbingSettings(**settings))

    async def time(self, after=15 * SECOND):
        self.clock.advance(after)
        return await self.looks.at_command_time(planned(items.COMMAND_TIME_CHECK))

    async def queue(self, server="be1"):
        return await self.looks.at_queue(planned(items.QUEUE_CHECK, server))


@pytest.fixture
def bench():
    return Bench()


class TestCommandTime:
    async def test_the_first_look_is_no_data(self, bench):
        bench.counters.finish("FETCH", times=1000, each=90 * SECOND)

        result = await bench.time()

        assert ResultType.NOT_APPLICABLE is result.result
        assert "its commands are counted since a moment ago: the next look says how long they take" == result.detail

    async def test_a_look_right_after_the_first_does_not_say_that_nobody_works(self, bench):
        bench.counters.finish("NOOP")
        await bench.time()

        result = await bench.time(after=timedelta(milliseconds=100))

        assert ResultType.NOT_APPLICABLE is result.result
        assert "counted since a moment ago" in result.detail

    async def test_then_it_is_the_mean_of_what_ended(self, bench):
        bench.counters.finish("NOOP")
        await bench.time()
        bench.counters.finish("FETCH", times=3, each=2 * SECOND)
        bench.counters.finish("IDLE", each=1700 * SECOND)

        result = await bench.time()

        assert (ResultType.SUCCEEDED, 2.0, None) == (result.result, result.level, result.verdict)
        assert "3 commands ended within 15 s and took 2.000 s each, FETCH the slowest with 2.000 s" == result.detail

    async def test_idle_users_are_no_data_and_no_health(self, bench):
        bench.counters.finish("NOOP")
        await bench.time()

        result = await bench.time()

        assert (ResultType.NOT_APPLICABLE, None) == (result.result, result.level)
        assert "no command ended within 15 s" == result.detail

    async def test_the_window_moves_on(self, bench):
        bench.use(command_window=60 * SECOND)
        bench.counters.finish("FETCH")
        await bench.time()
        bench.counters.finish("FETCH", times=1, each=100 * SECOND)
        await bench.time()
        for _ in range(5):
            bench.counters.finish("FETCH", times=1, each=1 * SECOND)
            result = await bench.time()

        assert 1.0 == result.level

    async def test_a_service_that_was_started_counts_from_there(self, bench):
        bench.counters.finish("FETCH", times=50, each=10 * SECOND)
        await bench.time()
        bench.counters.start_anew()
        bench.counters.finish("FETCH", times=2, each=3 * SECOND)

        assert 3.0 == (await bench.time()).level

    async def test_what_is_above_the_threshold_is_the_server_s_probably(self, bench):
        check = planned(items.COMMAND_TIME_CHECK)
        bench.looks.limit({check.key: 1.0})
        bench.counters.finish("NOOP")
        await bench.time()
        bench.counters.finish("FETCH", each=2 * SECOND)

        result = await bench.time()

        assert ResultType.SUCCEEDED is result.result, "the look succeeds; the monitor judges"
        assert (Tier.MAILBOX_SERVER, "be1", Confidence.PROBABLE) == (
            result.verdict.tier,
            result.verdict.server,
            result.verdict.confidence,
        )
        assert "the limit is 1" in result.verdict.because

    @pytest.mark.parametrize(("sessions", "expected"), [(2, ResultType.SUCCEEDED), (3, ResultType.FAILED)])
    async def test_sessions_that_hang_do_not_hide_behind_others_that_work(self, bench, sessions, expected):
        bench.use(stuck_after=30 * SECOND)
        bench.counters.running = [RunningCommand(pid=pid, name="APPEND", cpu_ticks=1) for pid in range(sessions)]
        for _ in range(3):
            bench.counters.finish("NOOP", times=100)
            result = await bench.time()

        assert expected is result.result
        if expected is ResultType.FAILED:
            assert Cause.TIMEOUT is result.cause
            assert "3 sessions on be1 have been carrying out APPEND for up to 30 s" in result.detail

    async def test_what_hung_before_it_could_no_longer_be_seen_blames_no_store_now(self, bench):
        bench.looks.limit({planned(items.COMMAND_TIME_CHECK).key: 1.0})
        bench.counters.running = [RunningCommand(pid=1, name="APPEND", cpu_ticks=1)]
        for _ in range(2):
            bench.counters.finish("FETCH", each=5 * SECOND)
            result = await bench.time()
        assert Tier.STORE is result.verdict.tier

        bench.counters.running = None
        bench.counters.finish("FETCH", each=5 * SECOND)

        assert Tier.MAILBOX_SERVER is (await bench.time()).verdict.tier

    async def test_a_platform_that_does_not_show_them_is_judged_by_its_mean(self, bench):
        bench.counters.running = None
        bench.counters.finish("NOOP")
        await bench.time()
        bench.counters.finish("NOOP")

        assert ResultType.SUCCEEDED is (await bench.time()).result

    async def test_a_host_that_cannot_be_asked_says_nothing(self, bench):
        bench.counters.unreachable = "ssh: no route"

        result = await bench.time()

        assert (ResultType.NOT_APPLICABLE, "ssh: no route") == (result.result, result.detail)


class TestQueue:
    async def test_nobody_waits(self, bench):
        result = await bench.queue()

        assert (ResultType.SUCCEEDED, 0.0, None) == (result.result, result.level, result.verdict)

    async def test_many_who_wait_are_for_the_monitor_to_judge(self, bench):
        bench.counters.waiting = 501
        bench.looks.limit({planned(items.QUEUE_CHECK, "proxy1").key: 500})

        result = await bench.queue("proxy1")

        assert (ResultType.SUCCEEDED, 501.0, Tier.PROXY) == (result.result, result.level, result.verdict.tier)

    async def test_a_full_queue_fails_however_short_it_is(self, bench):
        bench.counters.waiting, bench.counters.backlog = 101, 100

        result = await bench.queue()

        assert (ResultType.FAILED, Cause.LIMIT, 101.0) == (result.result, result.cause, result.level)
        assert "further clients get no answer" in result.verdict.because

    async def test_clients_that_wait_for_a_process_fail_it(self, bench):
        bench.counters.limits = (ProcessLimit(service="imap", used=5, limit=5, waiting=True),)

        result = await bench.queue()

        assert Cause.LIMIT is result.cause
        assert "be1: imap has all the 5 processes it may have, and clients wait for one" == result.detail

    @pytest.mark.parametrize(("ago", "expected"), [(10, ResultType.FAILED), (20, ResultType.SUCCEEDED)])
    async def test_clients_dropped_since_the_last_look_fail_it(self, bench, ago, expected):
        dropped = bench.clock.now() - ago * SECOND
        bench.counters.limits = (ProcessLimit(service="imap", used=5, limit=5, dropped_at=dropped),)

        assert expected is (await bench.queue()).result

    async def test_all_processes_in_use_alone_is_nothing(self, bench):
        bench.counters.limits = (ProcessLimit(service="imap", used=5, limit=5),)

        assert ResultType.SUCCEEDED is (await bench.queue()).result

    async def test_a_server_without_counters_says_nothing(self, bench):
        assert ResultType.NOT_APPLICABLE is (await bench.queue("be9")).result
