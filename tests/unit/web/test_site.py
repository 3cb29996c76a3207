"""API and dashboard together: what stands where, how it is shown, and what every page keeps."""

import re
from dataclasses import replace

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.testing.manager_values import example_manager
from mailward.testing.platform import SetClock
from mailward.testing.repair_values import NOON
from mailward.web.access import Right
from mailward.web.admission import LoopbackAdmission
from mailward.web.site import build_site


@pytest.fixture
def site(fake):
    return build_site(fake, admission=LoopbackAdmission(right=Right.VIEWER), clock=SetClock(NOON))


@pytest.fixture
def get(ask, site):
    async def request(path, query=None, **headers):
        named = {"host": "127.0.0.1:8143"} | headers
        return await ask(site, "GET", path, query=query, headers=named, client=("127.0.0.1", 4711))

    return request


def text_of(answer):
    return answer.body.decode()


async def test_the_overview_shows_every_server_with_its_worst_state_first(get):
    page = text_of(await get("/"))

    assert page.index(">mbx2</a>") > page.index("mailbox server")
    assert re.search(r'class="state unhealthy".*Unhealthy', page)
    assert 'href="/servers/mbx2"' in page


async def test_nothing_on_a_page_comes_from_elsewhere_and_no_script_stands_in_it(get):
    answer = await get("/")

    assert [] == re.findall(r'(?:src|href)="(?![/#])[^"]*"', text_of(answer))
    assert [] == re.findall(r"<script>|<style|\sstyle=|\son\w+=", text_of(answer))
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "no-store" == answer.headers["cache-control"]


async def test_words_of_a_server_are_text_and_never_markup(fake, get):
    fake.health_sets = tuple(replace(one, because="<script>alert(1)</script>") for one in fake.health_sets)

    page = text_of(await get("/"))

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


async def test_a_page_that_is_not_there_is_a_page_and_a_route_that_is_not_there_a_problem(get):
    page, problem = await get("/nosuch"), await get("/api/v1/nosuch")

    assert (404, "text/html; charset=utf-8") == (page.status, page.headers["content-type"])
    assert "there is no page /nosuch" in text_of(page)
    assert (404, "not-found") == (problem.status, problem.json["code"])


async def test_a_mistake_in_the_address_is_told_on_a_page(get):
    answer = await get("/", {"pgae": "2"})

    assert 400 == answer.status
    assert "pgae" in text_of(answer)


async def test_a_manager_that_cannot_answer_is_said_in_plain_words(fake, ask, get):
    async def fails():
        raise TemporaryFailure("the engine is starting")

    fake.status = fails

    answer = await get("/")

    assert (503, "the engine is starting") == (answer.status, text_of(answer))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("mailward.css", "no-cache"),
        ("mailward.js", "no-cache"),
        ("mailward.svg", "no-cache"),
        ("htmx-4.0.1.min.js", "max-age=86400"),
    ],
)
async def test_browsers_keep_what_has_a_version_and_ask_whether_ours_is_new(get, name, kept):
    answer = await get(f"/static/{name}")
    again = await get(f"/static/{name}", **{"if-none-match": answer.headers["etag"]})

    assert (200, kept) == (answer.status, answer.headers["cache-control"])
    assert (304, b"") == (again.status, again.body)


async def test_nothing_above_the_static_files_is_served(get):
    assert 404 == (await get("/static/../settings.py")).status


async def test_what_a_change_came_to_is_told_and_a_link_of_somebody_elses_tells_nothing_in_our_name(get):
    ours = await get("/", {"said": "be1 was restarted"}, **{"sec-fetch-site": "same-origin"})
    foreign = await get("/", {"said": "be1 was restarted"}, **{"sec-fetch-site": "cross-site"})

    assert ("be1 was restarted" in text_of(ours), "be1 was restarted" in text_of(foreign)) == (True, False)


async def test_the_api_stands_beside_the_pages(get):
    assert {"mbx1", "mbx2"} <= {one["name"] for one in (await get("/api/v1/servers")).json["items"]}


async def test_what_waits_for_somebody_stands_on_the_first_page(get):
    page = text_of(await get("/"))

    assert "Waits for you" in page
    assert re.search(r'href="/recoveries/\d+"', page)


async def test_without_trouble_there_are_no_empty_panels(ask):
    fake = example_manager()
    fake.stories = {}
    fake.firing = ()
    fake.health_sets = fake.health_sets[:0]
    page = text_of(
        await ask(
            build_site(fake, admission=LoopbackAdmission(), clock=SetClock(NOON)),
            "GET",
            "/",
            headers={"host": "localhost"},
            client=("127.0.0.1", 1),
        )
    )

    assert "Waits for you" not in page
    assert "Being repaired" not in page
    assert "Nothing has been measured yet." in page
