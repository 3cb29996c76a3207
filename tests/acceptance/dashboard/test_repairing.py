"""A person at the dashboard: approves a restart that waits, and moves a mailbox database."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from mailward.lab.lab import Lab

from .accessibility import faults_of
from .conftest import Dashboard, serving, until

LONG = 90_000
TROUBLE = re.compile("Unhealthy|Degraded")


@pytest.fixture
def careful(lab: Lab, browser) -> Iterator[Dashboard]:
    """Whoever is on this machine may change things, and is asked before mailward does anything."""
    with serving(lab, browser, mode="approve") as one:
        yield one


def test_a_start_that_waits_for_approval_is_approved_and_the_overview_turns_green(lab: Lab, careful):
    with careful.reader(bypass_csp=True) as page:
        page.goto("/")
        lab.break_("service-failed@be1")
        waiting = page.get_by_role("region", name="Waits for you").get_by_role("listitem")
        expect(server(page, "be1")).to_contain_text(TROUBLE, timeout=LONG)

        waiting.filter(has_text=re.compile("to start the IMAP service on be1")).get_by_role("link").first.click()
        expect(page.get_by_role("heading", name=re.compile("mailbox-server be1"))).to_be_visible()
        assert [] == faults_of(page)
        page.get_by_label("Reason").fill("seen it")
        page.get_by_role("button", name="Approve").click()

        expect(page.locator("main")).to_contain_text("healed", timeout=LONG)
        assert "seen it" in page.locator("main").inner_text()
        page.goto("/")
        expect(server(page, "be1")).not_to_contain_text(TROUBLE, timeout=LONG)


def test_a_database_is_moved_after_it_was_said_to_which_copy_and_what_speaks_against_it(dashboard):
    with dashboard.reader() as page:
        page.goto("/databases")
        row = page.locator("#db-db1")
        expect(row.locator("td.active")).to_contain_text("active")
        before = active_of(dashboard)

        row.get_by_text("Move…").click()
        row.get_by_label("Why").fill("to see it move")
        row.get_by_role("button").click()
        expect(page.locator("main")).to_contain_text("Nothing has been done yet.")
        expect(page.get_by_role("table").first).to_contain_text("chosen")
        assert before == active_of(dashboard)

        try:
            page.locator("form.agree").get_by_role("button").click()
            until(lambda: active_of(dashboard) not in (before, None), 90)
            page.goto("/databases")
            expect(page.locator("#db-db1 td.active")).to_contain_text("active")
        finally:
            bring_home(dashboard, before)


def test_a_list_that_was_opened_stays_open_when_the_page_asks_for_itself_anew(dashboard):
    with dashboard.reader() as page:
        page.goto("/databases")
        page.locator("#db-db1").get_by_text("Move…").click()
        page.evaluate("document.addEventListener('mailward:refreshed', () => document.body.dataset.anew = 'yes')")

        dashboard.manager.client.probe("IMAP/ImapCTPProbe", server="proxy1")  # which is told, and so an event

        expect(page.locator("body[data-anew=yes]")).to_be_visible(timeout=LONG)
        expect(page.locator("#db-db1").get_by_label("Why")).to_be_visible()


def server(page: Page, name: str):
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def bring_home(dashboard: Dashboard, home: str) -> None:
    """Others use the lab after us, and find it as it was."""
    client = dashboard.manager.client
    if active_of(dashboard) == home:
        return
    until(lambda: client.move_database("DB1", to=home, dry_run=True).allowed, 120)
    client.move_database("DB1", to=home, reason="home")
    until(lambda: active_of(dashboard) == home and all(one.status.is_over for one in client.recoveries()), 120)


def active_of(dashboard: Dashboard, database: str = "DB1") -> str | None:
    copies = dashboard.manager.client.copies(database=database)
    return next((copy.server for copy in copies if copy.state.is_active), None)
