from datetime import timedelta

import pytest

from mailward.model.probing import Cause, Phase, PhaseOutcome
from mailward.probes.failure import PhaseFailed
from mailward.probes.stopwatch import Stopwatch


class HandTime:
    """A loop's clock and lag that the test turns by hand."""

    def __init__(self):
        self.seconds = 100.0
        self.lag = timedelta(0)

    def __call__(self):
        return self.seconds

    def loop_lag(self):
        return self.lag


@pytest.fixture
def time():
    return HandTime()


def a_watch(time, *, seconds=3.0, **limits):
    return Stopwatch(
        time=time,
        loop_lag=time.loop_lag,
        limits={Phase(name): timedelta(seconds=limit) for name, limit in limits.items()},
        deadline=time() + seconds,
    )


def fail(time, watch, phase, cause, *, after):
    """Let *phase* fail after so many seconds."""

    def failing():
        with watch.phase(phase):
            time.seconds += after
            raise PhaseFailed(phase, cause, cause.value)

    with pytest.raises(PhaseFailed):
        failing()


def test_a_phase_gets_its_own_limit_or_what_is_left_of_the_whole(time):
    watch = a_watch(time, seconds=3, dns=1)

    with watch.phase(Phase.DNS):
        time.seconds += 0.4
        assert 0.6 == pytest.approx(watch.left())
    with watch.phase(Phase.AUTH):
        assert 2.6 == pytest.approx(watch.left())


def test_nothing_is_left_after_the_end_and_never_less(time):
    watch = a_watch(time, seconds=3)

    time.seconds += 5

    assert (0.0, 0.0) == (watch.left(), watch.left_of_whole())


def test_phases_are_timed_apart_and_told_in_the_order_they_began(time):
    watch = a_watch(time)

    for phase, took in ((Phase.CONNECT, 0.25), (Phase.TLS, 0.5)):
        with watch.phase(phase):
            time.seconds += took

    assert [(Phase.CONNECT, 250.0), (Phase.TLS, 500.0)] == [
        (timing.phase, timing.took / timedelta(milliseconds=1)) for timing in watch.timings
    ]


def test_a_phase_that_is_taken_up_again_is_one_entry_and_keeps_the_worse_outcome(time):
    watch = a_watch(time)

    with watch.phase(Phase.FETCH):
        time.seconds += 0.1
    fail(time, watch, Phase.FETCH, Cause.STORE_ERROR, after=0.2)
    with watch.phase(Phase.FETCH):
        time.seconds += 0.3

    (timing,) = watch.timings
    assert PhaseOutcome.FAILED == timing.outcome
    assert 600.0 == pytest.approx(timing.took / timedelta(milliseconds=1))


def test_a_time_out_is_told_from_a_failure(time):
    watch = a_watch(time)

    fail(time, watch, Phase.AUTH, Cause.TIMEOUT, after=0)

    assert [PhaseOutcome.TIMED_OUT] == [timing.outcome for timing in watch.timings]


def test_a_time_out_that_was_noticed_late_is_the_loops_doing(time):
    watch = a_watch(time, seconds=3)

    fail(time, watch, Phase.AUTH, Cause.TIMEOUT, after=4.5)

    assert watch.is_overloaded(Phase.AUTH)


def test_a_time_out_while_the_loop_was_on_time_is_the_servers_doing(time):
    watch = a_watch(time, seconds=3)
    time.lag = timedelta(milliseconds=30)

    fail(time, watch, Phase.AUTH, Cause.TIMEOUT, after=3)

    assert not watch.is_overloaded(Phase.AUTH)


@pytest.mark.parametrize(("took", "told"), [(0.06, timedelta(milliseconds=60)), (0.001, timedelta(0))])
def test_lag_is_never_told_as_more_than_the_phase_took(took, told, time):
    watch = a_watch(time)
    time.lag = timedelta(seconds=1)

    with watch.phase(Phase.DNS):
        time.seconds += took

    assert [told] == [timing.loop_lag for timing in watch.timings]


def test_an_error_that_can_be_translated_is_a_failure_of_its_phase(time):
    watch = a_watch(time)

    def fail():
        with watch.phase(Phase.TLS, lambda phase, error: PhaseFailed(phase, Cause.TLS_FAILED, str(error))):
            raise OSError("handshake failure")

    with pytest.raises(PhaseFailed, match="handshake failure"):
        fail()
    assert [(Phase.TLS, PhaseOutcome.FAILED)] == [(timing.phase, timing.outcome) for timing in watch.timings]


def test_an_error_that_cannot_be_translated_passes(time):
    watch = a_watch(time)

    def fail():
        with watch.phase(Phase.TLS, lambda _phase, _error: None):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [PhaseOutcome.FAILED] == [timing.outcome for timing in watch.timings]
