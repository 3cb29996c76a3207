"""The running engine as Manager of what was: alerts long over, and how much of a month users were served."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.answers import Answers
from mailward.model.errors import NotFound, Refused
from mailward.model.event import Event, EventKind
from mailward.model.holds import Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.wire import moment_to_text
from mailward.ports.manager import AlertStory
from mailward.testing.repair_values import ALERTS, NOTICES, RESOLVED_ALERT

from .test_repairing import House

UNHEALTHY = AlertValue.UNHEALTHY.value


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


async def test_a_month_is_told_as_it_was_until_something_changes_it(house):
    async with house.running() as engine:
        answers = Answers(engine)
        month = moment_to_text(engine.parts.clock.now())[:7]
        first = await answers.availability(month)

        assert first is await answers.availability(month)

        at = engine.parts.clock.now()
        broke = Event(
            at=at,
            kind=EventKind.HEALTH_SET_CHANGED,
            subject="gone/IMAP",
            because="a test",
            after=UNHEALTHY,
            before="Healthy",
        )
        mended = replace(broke, before=UNHEALTHY, after="Healthy", at=at + timedelta(microseconds=1))
        await engine.parts.store.save_statuses((), [broke, mended])

        told = await answers.availability(month)
        assert "gone" in {row.server for row in told.rows}
        assert "gone" not in {row.server for row in first.rows}


async def test_maintenance_changes_a_month_at_once(house):
    async with house.running() as engine:
        answers = Answers(engine)
        now = engine.parts.clock.now()
        month = moment_to_text(now)[:7]
        first = await answers.availability(month)
        hold = Hold(
            kind=HoldKind.MAINTENANCE,
            subject="mbx1",
            value="on",
            owner="",
            reason="a test",
            since=now - timedelta(hours=1),
        )

        await answers.hold(hold, actor="ada")

        assert first is not await answers.availability(month)


async def test_a_month_that_is_over_is_counted_once(house):
    async with house.running() as engine:
        answers = Answers(engine)
        last_month = moment_to_text(engine.parts.clock.now().replace(day=1) - timedelta(days=1))[:7]

        first = await answers.availability(last_month)
        change = Event(at=engine.parts.clock.now(), kind=EventKind.HEALTH_SET_CHANGED, subject="gone/IMAP", because="")
        await engine.parts.store.save_statuses((), [change])

        assert first is await answers.availability(last_month)


async def test_the_first_pages_are_made_ready_and_a_store_out_of_reach_is_no_fault(house):
    async with house.running() as engine:
        answers = Answers(engine)
        store = engine.parts.store
        store.out_of_reach = True
        await answers.prepare()
        store.out_of_reach = False

        await answers.prepare()

        read = store.events
        asked = []

        async def counted(**words):
            asked.append(words)
            return await read(**words)

        store.events = counted
        await answers.availability(moment_to_text(engine.parts.clock.now())[:7])
        assert all(words["after"] > 0 for words in asked if "after" in words)


async def test_events_are_read_by_age(house):
    async with house.running() as engine:
        answers = Answers(engine)
        (started,) = await answers.events(kinds=(EventKind.MANAGER_STARTED,))

        assert () == await answers.events(before=started.id)
        assert started in await answers.events(since=started.at)
