"""The overview in a browser: it turns red and green by itself, and everybody can read it."""

import re

import pytest
from playwright.sync_api import expect

from mailward.lab.lab import Lab

from .accessibility import faults_of

PHONE = {"width": 390, "height": 844}


def test_it_turns_red_and_green_by_itself_while_a_service_dies_and_is_started_again(lab: Lab, dashboard):
    trouble = re.compile("Unhealthy|Degraded")
    with dashboard.reader() as page:
        page.goto("/")
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name="be1", exact=True))
        expect(row).not_to_contain_text(trouble)
        expect(page.locator("#live")).to_have_text("live")

        lab.break_("service-failed@be1")
        expect(row).to_contain_text(trouble, timeout=30_000)
        expect(page.get_by_role("heading", name="Alerts")).to_be_visible(timeout=30_000)

        lab.heal()
        expect(row).not_to_contain_text(trouble, timeout=60_000)


def test_times_are_the_readers_own_with_utc_on_hover(dashboard):
    with dashboard.reader() as page:
        page.goto("/")
        time = page.locator("footer time")

        expect(time).not_to_contain_text("UTC")
        expect(time).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))


def test_without_javascript_it_can_be_read_and_searched(dashboard):
    with dashboard.reader(java_script_enabled=False) as page:
        page.goto("/")
        expect(page.get_by_role("link", name="be2", exact=True)).to_be_visible()
        expect(page.locator("footer time")).to_contain_text("UTC")

        page.get_by_label("Server", exact=True).fill("proxy")
        page.get_by_role("button", name="Show").click()

        expect(page.get_by_role("link", name="proxy1", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="be2", exact=True)).to_be_hidden()


def test_the_keyboard_is_enough(dashboard):
    with dashboard.reader() as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("main :focus")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_from_reading_it(dashboard, scheme):
    with dashboard.reader(bypass_csp=True, color_scheme=scheme) as page:
        page.goto("/")

        assert [] == faults_of(page)


def test_every_page_fits_a_phone(dashboard):
    with dashboard.reader(viewport=PHONE) as page:
        page.goto("/")
        paths = hrefs(page.get_by_role("navigation", name="Pages"))
        for one_of in ("/recoveries", "/alerts", "/events"):
            page.goto(one_of)
            paths += [href for href in hrefs(page.locator("main")) if href.startswith(f"{one_of}/")][:1]
        for path in [*paths, "/why/be1", "/servers/be1", "/servers/imap.lab.example", "/servers/mailward"]:
            answer = page.goto(path)
            assert (path, 200) == (path, answer.status)
            assert (path, PHONE["width"]) == (path, page.evaluate("document.documentElement.scrollWidth"))


def hrefs(within):
    return [link.get_attribute("href") for link in within.get_by_role("link").all()]
