"""The running engine as Manager of what was: alerts long over, and how much of a month users were served."""

from dataclasses import replace

import pytest

from mailward.engine.answers import Answers
from mailward.model.errors import NotFound, Refused
from mailward.model.event import EventKind
from mailward.model.wire import moment_to_text
from mailward.ports.manager import AlertStory
from mailward.testing.repair_values import ALERTS, NOTICES, RESOLVED_ALERT

from .test_repairing import House


@pytest.fixture
def house() -> House:
    return House()


async def test_an_alert_is_found_with_its_notices_by_its_key_and_an_unknown_one_is_not(house):
    outbox = house.parts.repair.outbox
    async with house.running() as engine:
        answers = Answers(engine)
        notice = replace(NOTICES[0], identity=f"{ALERTS[0].key}|1|mail", id=0)
        queued = await outbox.save_alerts([ALERTS[0]], [notice])
        over = replace(RESOLVED_ALERT, ends_at=engine.parts.clock.now())
        await outbox.save_alerts([over], [])

        assert AlertStory(alert=ALERTS[0], notices=queued) == await answers.alert(ALERTS[0].key)
        assert over in await answers.alerts(resolved=True)
        assert over not in await answers.alerts()
        with pytest.raises(NotFound):
            await answers.alert("proxy/nowhere")


async def test_this_month_is_measured_from_the_managers_first_start_on_at_the_access_point(house):
    async with house.running() as engine:
        answers = Answers(engine)
        now = engine.parts.clock.now()

        report = await answers.availability(moment_to_text(now)[:7])

        assert report.overall is not None
        assert ["imap"] == [row.server for row in report.rows if row.is_touch_point]
        assert report.until - report.since == sum(
            (report.overall.up, report.overall.down, report.overall.set_aside), report.overall.not_measured
        )
        assert report.overall.not_measured >= engine.started_at - report.since
        for wrong in ("November", "9998-01"):
            with pytest.raises(Refused):
                await answers.availability(wrong)


async def test_events_are_read_by_age(house):
    async with house.running() as engine:
        answers = Answers(engine)
        (started,) = await answers.events(kinds=(EventKind.MANAGER_STARTED,))

        assert () == await answers.events(before=started.id)
        assert started in await answers.events(since=started.at)
