"""When the service manager is told what."""

from datetime import timedelta

import pytest

from mailward.engine.pulse import Pulse, described, earliest
from mailward.model.errors import ConfigError
from mailward.testing.service_manager import RecordingServiceManager

LINE = "watching 4 servers"


@pytest.fixture
def listener() -> RecordingServiceManager:
    return RecordingServiceManager(every=timedelta(seconds=15))


@pytest.fixture
def pulse(listener: RecordingServiceManager) -> Pulse:
    return Pulse(listener, lambda: LINE)


def words(listener: RecordingServiceManager) -> list[str]:
    return [word for word, _ in listener.told]


def test_it_is_told_once_in_its_time_however_often_the_loop_turns(pulse, listener):
    pulse.begin(100.0)
    for moment in (100.0, 100.1, 114.9, 115.0, 115.1, 131.0):
        pulse.beat(moment)

    assert [("ready", LINE), *[("alive", LINE)] * 3] == listener.told
    assert 146.0 == pulse.next


def test_nothing_is_told_before_the_manager_can_be_asked(pulse, listener):
    pulse.beat(100.0)
    with pulse.reloading():
        pass

    assert (None, []) == (pulse.next, listener.told)


def test_a_refused_configuration_ends_the_reload_as_a_good_one_does(pulse, listener):
    pulse.begin(100.0)
    with pytest.raises(ConfigError), pulse.reloading():
        raise ConfigError("wrong")

    assert ["ready", "reloading", "ready"] == words(listener)


def test_after_the_end_was_told_nothing_else_is(pulse, listener):
    pulse.begin(100.0)
    pulse.end()
    pulse.beat(200.0)

    assert ["ready", "stopping"] == words(listener)


@pytest.mark.parametrize("listener", [None, RecordingServiceManager(every=None)])
def test_where_nobody_listens_the_loop_is_never_woken_for_it(listener):
    pulse = Pulse(listener, lambda: LINE)
    pulse.begin(100.0)
    pulse.beat(100.0)
    with pulse.reloading():
        pass
    pulse.end()

    assert pulse.next is None


def test_the_earliest_of_no_moments_is_none():
    assert (None, 3.0, 2.0) == (earliest(None, None), earliest(None, 3.0), earliest(2.0, 3.0))


def test_the_line_counts_servers_and_what_is_unhealthy_and_says_how_far_mailward_goes():
    assert "watching 1 server, 1 monitor Unhealthy, mode act" == described(
        servers=1, unhealthy=1, mode="act", is_refused=False
    )
    assert (
        "watching 4 servers, 0 monitors Unhealthy, mode recommend,"
        " the configuration on disk is refused and the old one in force"
    ) == described(servers=4, unhealthy=0, mode="recommend", is_refused=True)
