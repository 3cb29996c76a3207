"""What Alertmanager says of servers, kept in memory, as a look."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.notifications import OF_ONE_SERVER_MOST, Notifications
from mailward.model.items import NOTIFICATIONS
from mailward.model.notification import Notification
from mailward.model.probing import ResultType
from mailward.model.verdict import Confidence, Tier
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.planning import notification_of
from mailward.testing.platform import SetClock

HOLDS = timedelta(hours=5)
FIRES = Notification(
    name="DiskFull", firing=True, fingerprint="1", severity="warning", summary="/srv is full", server="be1"
)
OVER = replace(FIRES, firing=False)


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def notifications(clock):
    return Notifications(clock)


async def look(notifications, server="be1"):
    second = timedelta(seconds=1)
    return await notifications.look(
        PlannedProbe(key=notification_of(server), health_set=NOTIFICATIONS, interval=second, timeout=second)
    )


async def test_where_nothing_was_said_nothing_is_wrong(notifications):
    assert ResultType.SUCCEEDED == (await look(notifications)).result


async def test_what_fires_fails_and_says_what_it_is(notifications):
    assert ("be1",) == notifications.take([FIRES])

    result = await look(notifications)

    assert ResultType.FAILED == result.result
    assert "Alertmanager says: DiskFull (warning), /srv is full" == result.detail
    assert ResultType.SUCCEEDED == (await look(notifications, "be2")).result


async def test_it_is_no_evidence_of_anything(notifications):
    notifications.take([FIRES])

    verdict = (await look(notifications)).verdict

    assert (Tier.UNKNOWN, Confidence.UNKNOWN, None) == (verdict.tier, verdict.confidence, verdict.server)


async def test_what_is_resolved_is_over_and_what_else_fires_is_not(notifications):
    notifications.take([FIRES, replace(FIRES, name="CpuHot", fingerprint="2", severity="", summary="")])
    notifications.take([OVER])
    assert "Alertmanager says: CpuHot" == (await look(notifications)).detail

    notifications.take([replace(OVER, fingerprint="2")])
    assert ResultType.SUCCEEDED == (await look(notifications)).result


async def test_what_is_not_said_again_is_over_after_its_time(notifications, clock):
    notifications.use(holds=HOLDS)
    notifications.take([FIRES])
    clock.advance(HOLDS - timedelta(seconds=1))
    assert ResultType.FAILED == (await look(notifications)).result

    notifications.take([FIRES])
    clock.advance(HOLDS - timedelta(seconds=1))
    assert ResultType.FAILED == (await look(notifications)).result

    clock.advance(timedelta(seconds=1))
    assert ResultType.SUCCEEDED == (await look(notifications)).result


async def test_what_names_no_server_comes_to_nothing(notifications):
    assert () == notifications.take([replace(FIRES, server="")])


async def test_a_flood_is_bounded_and_a_sentence_stays_short(notifications):
    notifications.take(replace(FIRES, fingerprint=str(number)) for number in range(1000))

    assert OF_ONE_SERVER_MOST == len(notifications.firing("be1"))
    assert (await look(notifications)).detail.endswith(f"; {OF_ONE_SERVER_MOST - 3} more")


async def test_the_end_of_what_never_began_is_no_news_to_fail_on(notifications):
    notifications.take([OVER])

    assert ResultType.SUCCEEDED == (await look(notifications)).result
