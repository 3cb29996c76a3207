"""The pages about events: the newest first, what was asked for, and a page of each that stays."""

from dataclasses import replace

import pytest

from mailward.model.event import EventKind
from mailward.testing.manager_values import EVENTS

HOSTILE = "<b onclick=alert(1)>"


async def test_the_newest_comes_first_and_each_has_its_own_link(pages, text):
    shown = text(await pages.get("/events"))

    assert shown.index("/events/2") < shown.index("/events/1")


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "monitor-changed"},
        {"subject": "mbx2"},
        {"since": "2026-11-24T12:00"},
        {"since": "2026-11-24T13:00+01:00"},
        {"rows": "1"},
    ],
)
async def test_only_what_was_asked_for_is_shown(pages, text, query):
    shown = text(await pages.get("/events", query=query))

    assert "/events/2" in shown
    assert "/events/1" not in shown


async def test_the_list_goes_on_below_the_last_id_and_keeps_what_was_asked_for(pages, fake, text):
    fake.recorded = [replace(EVENTS[1], id=number) for number in range(1, 6)]
    asked = {"kind": "monitor-changed", "rows": 2}

    first = text(await pages.get("/events", query=asked))
    second = text(await pages.get("/events", query={**asked, "before": 4}))

    assert "/events?kind=monitor-changed&amp;rows=2&amp;before=4" in first
    assert ["/events/3", "/events/2"] == [one for one in ("/events/4", "/events/3", "/events/2") if f'{one}"' in second]


async def test_a_moment_that_is_none_is_refused(pages):
    assert 400 == (await pages.get("/events", query={"since": "yesterday"})).status


async def test_an_event_has_a_page_with_its_cause_and_operation(pages, fake, text):
    fake.recorded.append(replace(EVENTS[1], id=3, operation=7, cause_event=2))

    shown = text(await pages.get("/events/3"))

    assert [] == [one for one in ("/events/2", "/recoveries/7", "Healthy → Degraded") if one not in shown]


async def test_the_event_of_an_alert_leads_to_the_alert(pages, fake, text):
    fake.recorded.append(replace(EVENTS[0], id=3, kind=EventKind.ALERT_CHANGED, subject="proxy/proxy1"))

    assert "/alerts/proxy%2Fproxy1" in text(await pages.get("/events/3"))


@pytest.mark.parametrize("number", ["0", "99", "two"])
async def test_an_unknown_event_is_not_found(pages, number):
    assert 404 == (await pages.get(f"/events/{number}")).status


async def test_what_happened_is_text_and_never_markup(pages, fake, text):
    fake.recorded = [replace(EVENTS[1], id=1, subject=HOSTILE, because=HOSTILE, data={"said": HOSTILE})]

    shown = text(await pages.get("/events")) + text(await pages.get("/events/1"))

    assert HOSTILE not in shown
    assert "&lt;b onclick=alert(1)&gt;" in shown
