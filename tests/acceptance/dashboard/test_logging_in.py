"""Logging in at the dashboard, failing to, and what a viewer is not offered."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from mailward.lab.lab import Lab

from .conftest import Dashboard, serving, until

PASSWORD = "a password of nobody's"


@pytest.fixture(scope="module")
def guarded(lab: Lab, browser) -> Iterator[Dashboard]:
    """The dashboard of an organization with two users; nobody else comes in."""
    with serving(lab, browser, mode="recommend", is_demo=False) as one:
        try:
            for name, role in (("eva", "viewer"), ("olga", "operator")):
                users(one, "add", name, "--role", role, "--password-file", "-", given=f"{PASSWORD}\n")
            yield one
        finally:
            for name in ("eva", "olga"):
                users(one, "remove", name, "--yes")


def users(dashboard: Dashboard, *words: str, given: str = "") -> None:
    command = [sys.executable, "-m", "mailward.cli.main", "users", *words]
    command += ["--socket", str(dashboard.manager.client.socket)]
    ran = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == ran.returncode, ran.stderr


def test_a_wrong_password_is_refused_and_the_right_one_leads_where_somebody_wanted_to_go(guarded):
    with guarded.reader(may_fail=("401",)) as page:
        page.goto("/databases")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()

        page.get_by_label("Name").fill("olga")
        page.get_by_label("Password").fill("a guess")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("Not logged in")

        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(f"{guarded.address}/databases")
        expect(page.locator("header")).to_contain_text("olga")
        expect(page.locator("#db-db1").get_by_text("Move…")).to_be_visible()

        page.get_by_role("button", name="Log out").click()
        page.goto("/")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_viewer_sees_everything_and_is_offered_nothing_to_change(guarded):
    with guarded.reader() as page:
        page.goto("/servers/be1")
        page.get_by_label("Name").fill("eva")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_role("heading", name="be1")).to_be_visible()
        forms = page.locator("main form[method=post]")
        until(lambda: page.locator("footer").inner_text().endswith("you may look, not change"))
        assert 0 == forms.count()
