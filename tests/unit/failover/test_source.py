"""How a source is, and what follows from it."""

import pytest

from mailward.failover.source import SourceState, source_of
from mailward.model.evidence import ServiceState, ServiceStatus

S = SourceState


@pytest.mark.parametrize(
    ("service", "own_fails", "database_fails", "state"),
    [
        (ServiceState.RUNNING, False, False, S.WORKS),
        (None, False, False, S.WORKS),
        (ServiceState.UNKNOWN, False, False, S.WORKS),
        (ServiceState.RUNNING, False, True, S.STORE_BROKEN),
        (None, False, True, S.STORE_BROKEN),
        (ServiceState.RUNNING, True, True, S.HUNG),
        (ServiceState.RUNNING, True, None, S.HUNG),
        (ServiceState.HUNG, False, False, S.HUNG),
        (ServiceState.FAILED, False, False, S.GONE),
        (ServiceState.STOPPED, True, True, S.GONE),
        (None, True, True, S.UNREACHABLE),
        (None, True, None, S.UNREACHABLE),
        (None, None, None, S.UNKNOWN),
        (ServiceState.RUNNING, None, False, S.UNKNOWN),
        (ServiceState.RUNNING, False, None, S.UNKNOWN),
        (ServiceState.RUNNING, True, False, S.UNKNOWN),
        (ServiceState.UNKNOWN, True, None, S.UNREACHABLE),
    ],
)
def test_what_is_seen_says_how_it_is(service, own_fails, database_fails, state):
    status = None if service is None else ServiceStatus(state=service, because="the host says so")

    found = source_of(status, unseen="nobody asked", own_test_fails=own_fails, database_fails=database_fails)

    assert state is found.state
    assert found.because


@pytest.mark.parametrize("service", [None, *ServiceState])
@pytest.mark.parametrize("own_fails", [None, False, True])
@pytest.mark.parametrize("database_fails", [None, False, True])
def test_nothing_is_planned_fenced_and_ended_at_once(service, own_fails, database_fails):
    """What works needs no fence; whoever does not answer is never told to end its sessions."""
    status = None if service is None else ServiceStatus(state=service, because="")
    found = source_of(status, unseen="", own_test_fails=own_fails, database_fails=database_fails)

    assert not (found.must_be_fenced and found.answers)
    if found.state is S.UNKNOWN:
        left_alone = (False, False, False)
        assert left_alone == (found.is_planned, found.must_be_fenced, found.answers)
    cut_off = source_of(
        status, unseen="", own_test_fails=own_fails, database_fails=database_fails, out_of_reach="proxy1: refused"
    )
    assert not cut_off.answers or cut_off.state is S.STORE_BROKEN
    assert not found.is_planned or found.answers
    if own_fails is not False:
        assert not found.answers, "only a test of this moment that succeeded counts as an answer"


def test_what_a_proxy_does_not_reach_is_synchronised_and_nobody_there_is_kicked():
    """A login of that proxy may wait for it, and a kick would crash the proxy (field notes, section B)."""
    status = ServiceStatus(state=ServiceState.RUNNING, because="the host says so")

    found = source_of(status, unseen="", own_test_fails=False, database_fails=False, out_of_reach="proxy1: timed out")

    assert S.CUT_OFF is found.state
    assert (True, False, False) == (found.is_planned, found.answers, found.must_be_fenced)
    assert "proxy1: timed out" in found.because
