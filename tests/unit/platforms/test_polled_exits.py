from datetime import timedelta

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.polled_exits import polled_exits

RUNNING, FAILED, STOPPED = ServiceState.RUNNING, ServiceState.FAILED, ServiceState.STOPPED


async def told(*looks):
    """The states that are told while these are seen, until a look fails."""
    seen = iter(looks)

    async def look():
        for state, pid in seen:
            return ServiceStatus(state=state, because="so it is", pid=pid)
        raise TemporaryFailure("the test is over")

    found = []
    exits = polled_exits(look, every=timedelta(0))
    while True:
        try:
            found.append((await anext(exits)).state)
        except TemporaryFailure:
            return found


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([(RUNNING, 1), (RUNNING, 1)], []),
        ([(FAILED, None), (FAILED, None)], [FAILED]),
        ([(RUNNING, 1), (FAILED, None), (FAILED, None), (RUNNING, 2), (STOPPED, None)], [FAILED, STOPPED]),
        ([(FAILED, None), (STOPPED, None)], [FAILED, STOPPED]),
        ([(RUNNING, 1), (RUNNING, 2)], [FAILED]),
        ([(RUNNING, None), (RUNNING, None)], []),
        ([(RUNNING, 1), (ServiceState.UNKNOWN, None), (RUNNING, 1)], []),
        ([(RUNNING, 1), (ServiceState.HUNG, 1)], []),
    ],
)
async def test_what_is_told_of_what_is_seen(looks, expected):
    assert expected == await told(*looks)
