"""The page of one server."""

from dataclasses import replace

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.testing.manager_values import FAILED, HEALTH, ITEMS
from mailward.web.pages import server

PROBE = replace(ITEMS[0], identity="IMAP.Protocol/ImapDeepTestProbe/DB2", name=FAILED.probe, server="mbx2")
PROBE = replace(PROBE, target_resource="DB2")


@pytest.fixture
def probed(fake):
    fake.instances = (*fake.instances, PROBE)
    return fake


async def test_it_says_what_is_wrong_why_and_since_when(pages, text):
    shown = text(await pages.get("/servers/mbx2"))

    assert "mailbox server" in shown
    assert "mbx2.example.org:993" in shown
    assert HEALTH[0].verdict.because in shown
    assert "its master process runs" in shown


async def test_its_latencies_stand_in_a_table_that_needs_no_script(pages, text, probed):
    shown = text(await pages.get("/servers/mbx2"))

    assert '<th scope="col">select</th>' in shown
    assert "<td>48.0</td><td>900</td>" in shown
    assert 'href="/servers/mbx2?span=30d#latency"' in shown


async def test_a_failed_conversation_is_shown_phase_by_phase(pages, text):
    shown = text(await pages.get("/servers/mbx2"))

    assert "failed at select (store-error)" in shown
    assert "C: p2 SELECT INBOX" in shown


async def test_what_is_held_shows_who_holds_it_and_until_when(pages, text):
    shown = text(await pages.get("/servers/proxy1"))

    assert "by root: new memory" in shown
    assert "as Maintenance" in shown


async def test_the_copies_of_a_mailbox_server_are_shown_and_a_proxy_has_none(pages, text):
    assert "Copies of mailbox databases" in text(await pages.get("/servers/mbx1"))
    assert "Copies of mailbox databases" not in text(await pages.get("/servers/proxy1"))


@pytest.mark.parametrize("path", ["/servers/imap.example.org", "/servers/mbx1", "/servers/MBX2"])
async def test_access_points_and_other_spellings_have_their_page(pages, path):
    assert 200 == (await pages.get(path)).status


async def test_an_unknown_server_is_not_found_and_the_nearest_is_named(pages, text):
    answered = await pages.get("/servers/mbx22")

    assert 404 == answered.status
    assert "did you mean &#39;mbx2&#39;?" in text(answered)


async def test_a_time_that_is_not_offered_is_refused(pages, text):
    answered = await pages.get("/servers/mbx2", query={"span": "decade"})

    assert 400 == answered.status
    assert "30d" in text(answered)


async def test_hostile_words_of_a_server_are_text(pages, text, fake):
    hostile = '"><script>alert(1)</script>'
    fake.monitors = (replace(HEALTH[0], because=hostile, verdict=None),)
    fake.probed = (replace(FAILED, detail=hostile, verdict=None, transcript=(f"S: * OK {hostile}",)),)
    fake.held = [replace(one, reason=hostile, owner=hostile) for one in fake.held]
    fake.copied = [replace(one, because=hostile, activation_blocked=hostile) for one in fake.copied]

    for path in ("/servers/mbx2", "/servers/proxy1", "/databases"):
        shown = text(await pages.get(path))
        assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in text(await pages.get("/servers/mbx2"))


async def test_a_viewer_is_offered_nothing_to_change(pages, text):
    assert '<form method="post" action="/servers/' not in text(await pages.get("/servers/mbx2", viewer=True))
    assert '<form method="post" action="/servers/mbx2/maintenance"' in text(await pages.get("/servers/mbx2"))


async def test_a_host_that_does_not_answer_keeps_nobody_waiting(pages, text, fake, monkeypatch):
    asked_for = []

    async def never(name):
        asked_for.append(name)
        raise TimeoutError

    monkeypatch.setattr(fake, "service", never)

    shown = text(await pages.get("/servers/mbx2"))

    assert ["mbx2"] == asked_for
    assert "its host has not answered yet" in shown
    assert "host=wait" in shown


async def test_without_its_store_it_still_says_how_the_server_is(pages, text, fake, monkeypatch):
    async def gone(**_):
        raise TemporaryFailure("the store is not reachable")

    monkeypatch.setattr(fake, "results", gone)

    shown = text(await pages.get("/servers/mbx2"))

    assert HEALTH[0].verdict.because in shown
    assert "It cannot be read now: the store is not reachable" in shown


async def test_a_manager_that_only_watches_has_the_page_too(pages, fake, monkeypatch):
    async def refused(**_):
        raise Refused("this manager only watches")

    for name in ("copies", "holds", "recoveries"):
        monkeypatch.setattr(fake, name, refused)

    assert 200 == (await pages.get("/servers/mbx2")).status
    assert server.HOST_ASKED_SECONDS < 0.3
