"""The pages about alerts: what fires first, and a page of each that stays."""

from dataclasses import replace
from urllib.parse import quote

from mailward.testing.repair_values import ALERTS, NOTICES, RESOLVED_ALERT

HOSTILE = "<img src=x onerror=alert(1)>"


async def test_what_fires_comes_before_what_was_resolved(pages, text):
    shown = text(await pages.get("/alerts"))

    places = [shown.index(one) for one in (ALERTS[0].title, "Resolved within the last day", RESOLVED_ALERT.title)]

    assert sorted(places) == places
    assert f'href="/alerts/{quote(ALERTS[0].key, safe="")}"' in shown


async def test_an_alert_has_a_page_with_its_text_operation_and_how_each_notice_went(pages, text):
    shown = text(await pages.get(f"/alerts/{ALERTS[0].key}"))

    told = ("12 mailboxes in DB2", "/recoveries/3", "3 attempts failed: 127.0.0.9:443: connection refused", "sent")
    assert [] == [one for one in told if one not in shown]


async def test_the_link_of_an_alert_stays_when_it_is_resolved(pages, text):
    shown = text(await pages.get(f"/alerts/{RESOLVED_ALERT.key}"))

    assert "resolved" in shown
    assert "proxy1/IMAP.Proxy/ImapProxyTestMonitor/proxy1" in shown
    assert "data-follows" not in shown


async def test_an_unknown_alert_is_not_found(pages):
    assert 404 == (await pages.get("/alerts/proxy/nowhere")).status


async def test_what_an_alert_and_a_channel_say_is_text_and_never_markup(pages, fake, text):
    fake.firing = (replace(ALERTS[0], title=HOSTILE, text=HOSTILE, annotations={HOSTILE: HOSTILE}),)
    fake.outbox = [replace(NOTICES[1], last_error=HOSTILE)]

    shown = text(await pages.get("/alerts")) + text(await pages.get(f"/alerts/{ALERTS[0].key}"))

    assert HOSTILE not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
