"""The dashboard of a real lab in a real browser: Debian's Chromium, without a screen."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings, web_address

CHROMIUM = shutil.which("chromium")
#: No sandbox within a sandbox, and nobody else's servers are asked anything.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a file; its event loop must be over before somebody else's test has one."""
    if CHROMIUM is None:
        pytest.skip("this machine has no chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


class Dashboard:
    """The dashboard of a manager, and readers who come to it."""

    def __init__(self, manager: ManagerProcess, browser: Browser, address: str) -> None:
        self.manager = manager
        self.address = f"http://{address}"
        self._browser = browser

    @contextmanager
    def reader(self, *, may_fail: tuple[str, ...] = (), **how: object) -> Iterator[Page]:
        """
        Somebody with a browser window of their own, in which nothing may go wrong and nobody else be asked.

        A browser complains of each answer that is an error; of those in *may_fail* it may.
        """
        context = self._browser.new_context(base_url=self.address, timezone_id="Europe/Lisbon", **how)
        page = context.new_page()
        wrong: list[str] = []

        def is_trouble(kind: str, text: str) -> bool:
            return kind == "error" and not any(status in text for status in may_fail)

        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda said: wrong.append(said.text) if is_trouble(said.type, said.text) else None)
        page.on("request", lambda asked: wrong.append(asked.url) if not self._is_ours(asked.url) else None)
        try:
            yield page
            assert [] == wrong
        finally:
            context.close()

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url).scheme in ("data", "blob") or url.startswith(f"{self.address}/")


@pytest.fixture(scope="module")
def dashboard(lab: Lab, browser: Browser) -> Iterator[Dashboard]:
    """As in the demo: whoever is on this machine may change things; mailward only says what it would do."""
    with serving(lab, browser, mode="recommend") as one:
        yield one


@contextmanager
def serving(lab: Lab, browser: Browser, *, mode: str, is_demo: bool = True) -> Iterator[Dashboard]:
    """The dashboard of a lab that is watched in *mode*, once everything has been measured and is healthy."""
    file = lab.write_configuration(timings=Timings.SHORT, mode=mode)
    with ManagerProcess(file, demo_lab=lab.blueprint.directory if is_demo else None) as manager:
        until(lambda: all(row.alert_value.value == "Healthy" for row in manager.client.report()))
        yield Dashboard(manager, browser, web_address(lab.blueprint))


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for *condition*."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it never came"
        sleep(0.05)
