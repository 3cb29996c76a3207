"""The pages about recoveries: what they show, and a person's yes or no."""

from dataclasses import replace

import pytest

from mailward.model.recovery import OperationStatus
from mailward.testing.repair_values import HEALED_STORY, WAITING_STORY

HOSTILE = "<script>alert('1')</script>"
ESCAPED = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"


async def test_the_list_shows_what_is_under_way_before_what_is_over(pages, text):
    shown = text(await pages.get("/recoveries"))

    assert shown.index("/recoveries/2") < shown.index("/recoveries/3") < shown.index("/recoveries/1")


async def test_the_list_shows_only_the_status_and_server_that_were_asked_for(pages, text):
    healed = text(await pages.get("/recoveries", query={"status": "healed"}))
    of_proxy = text(await pages.get("/recoveries", query={"server": "proxy1"}))

    assert ["/recoveries/1"] == [one for one in ("/recoveries/1", "/recoveries/2", "/recoveries/3") if one in healed]
    assert ["/recoveries/2"] == [one for one in ("/recoveries/1", "/recoveries/2", "/recoveries/3") if one in of_proxy]


async def test_the_list_goes_on_on_further_pages(pages, fake, text):
    fake.stories = {
        number: replace(HEALED_STORY, operation=replace(HEALED_STORY.operation, id=number)) for number in range(1, 121)
    }

    shown = text(await pages.get("/recoveries", query={"page": 3, "status": "healed"}))

    assert "/recoveries/20" in shown
    assert "/recoveries/21" not in shown
    assert "page 3 of 3" in shown
    assert "status=healed&amp;page=2" in shown


async def test_an_unknown_server_in_the_filter_is_said_to_be_unknown(pages):
    assert 404 == (await pages.get("/recoveries", query={"server": "nowhere"})).status


@pytest.mark.parametrize("number", ["99", "none", "1e3"])
async def test_an_unknown_recovery_is_not_found(pages, number):
    assert 404 == (await pages.get(f"/recoveries/{number}")).status


async def test_a_story_tells_step_by_step_with_the_exact_command_and_its_evidence(pages, text):
    shown = text(await pages.get("/recoveries/1"))

    told = (
        "the self test failed three times in a row",
        "still broken: greeting timed out",
        "skipped",
        "not yet unhealthy waited",
        "$ systemctl restart dovecot.service",
        "the service runs since 12:01:03",
        "unhealthy long enough",
        "4711",
        "healthy: two good results in a row",
        "NO [SERVERBUG] Internal error occurred",
    )
    assert [] == [one for one in told if one not in shown]


async def test_what_waits_shows_the_gate_that_holds_it_until_when_and_what_comes_next(pages, text):
    shown = text(await pages.get("/recoveries/2"))

    told = ("approval waits", "needs a person&#39;s yes", "2026-11-24 12:16:40 UTC", "What comes next", "escalate")
    assert [] == [one for one in told if one not in shown]


async def test_progress_is_shown_while_there_is_something_to_count(pages, fake, text):
    fake.stories[2] = replace(fake.stories[2], progress="412 of 1,004 mailboxes are copied")

    assert "412 of 1,004 mailboxes are copied" in text(await pages.get("/recoveries/2"))


async def test_operations_that_belong_together_link_to_each_other(pages, fake, text):
    fake.stories[1] = replace(HEALED_STORY, operation=replace(HEALED_STORY.operation, parent=2, joins=3))

    child, parent = text(await pages.get("/recoveries/1")), text(await pages.get("/recoveries/2"))

    assert 'Part of</dt><dd><a href="/recoveries/2">' in child
    assert 'Waits for</dt><dd><a href="/recoveries/3">' in child
    assert 'Belongs to it</dt><dd><a href="/recoveries/1">' in parent


async def test_what_a_server_said_is_text_and_never_markup(pages, fake, text):
    step = replace(HEALED_STORY.steps[0], because=HOSTILE, evidence={"said": HOSTILE}, premise=HOSTILE)
    operation = replace(HEALED_STORY.operation, because=HOSTILE)
    fake.stories[1] = replace(HEALED_STORY, operation=operation, steps=(step,), progress=HOSTILE)

    shown = text(await pages.get("/recoveries/1")) + text(await pages.get("/recoveries"))

    assert HOSTILE not in shown
    assert ESCAPED in shown


async def test_an_operator_approves_with_a_reason_and_is_led_back(pages, fake):
    answered = await pages.post("/recoveries/2/approve", reason="go on")

    assert (303, "/recoveries/2?said=You%20have%20approved%20recovery%202.") == (
        answered.status,
        answered.headers["location"],
    )
    assert [("approve", 2, "go on")] == [decision[1:] for decision in fake.decisions]
    assert OperationStatus.RUNNING is fake.stories[2].operation.status


@pytest.mark.parametrize(("word", "status"), [("deny", OperationStatus.DENIED), ("abort", OperationStatus.ABORTED)])
async def test_an_operator_ends_it(pages, fake, word, status):
    answered = await pages.post(f"/recoveries/2/{word}")

    assert 303 == answered.status
    assert status is fake.stories[2].operation.status


@pytest.mark.parametrize("word", ["approve", "deny", "abort"])
async def test_a_viewer_may_not_decide_and_is_shown_no_form(pages, fake, text, word):
    answered = await pages.post(f"/recoveries/2/{word}", viewer=True)

    assert 403 == answered.status
    assert [] == fake.decisions
    assert '<form method="post"' not in text(await pages.get("/recoveries/2", viewer=True))


async def test_what_is_over_cannot_be_approved_any_more(pages, fake):
    assert 409 == (await pages.post("/recoveries/1/approve")).status
    assert [] == fake.decisions


async def test_a_page_follows_what_happens_while_the_recovery_is_under_way(pages, text):
    assert "data-follows" in text(await pages.get(f"/recoveries/{WAITING_STORY.operation.id}"))
    assert "data-follows" not in text(await pages.get(f"/recoveries/{HEALED_STORY.operation.id}"))


async def test_why_tells_the_last_stories_of_a_server(pages, text):
    shown = text(await pages.get("/why/mbx2"))

    assert shown.index("Recovery 3") < shown.index("Recovery 1")
    assert "Recovery 2" not in shown
    assert 404 == (await pages.get("/why/nowhere")).status
