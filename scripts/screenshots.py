"""
Takes the pictures of the dashboard that the README shows: a real lab, a real fault, a real browser.

    .venv/bin/python scripts/screenshots.py
"""

import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings, web_address

PICTURES = Path(__file__).parent.parent / "docs" / "images"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1180, "height": 900}
SECONDS = 90_000
TROUBLE = re.compile("Unhealthy|Degraded")


def main() -> None:
    """Take them all, from the fault to what mailward says of its repair."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("this machine has no chromium; on Debian: sudo apt-get install --no-install-recommends chromium")
    PICTURES.mkdir(exist_ok=True)
    with Lab.up(Shape.TWO_TIER) as lab:
        file = lab.write_configuration(timings=Timings.SHORT, mode="act")
        with ManagerProcess(file, demo_lab=lab.blueprint.directory), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            address = f"http://{web_address(lab.blueprint)}"
            _story(
                lab,
                {
                    scheme: browser.new_page(viewport=WIDE, color_scheme=scheme, base_url=address)
                    for scheme in ("light", "dark")
                },
            )
            browser.close()


def _story(lab: Lab, pages: dict[str, Page]) -> None:
    """One fault and its repair; every page is taken as each kind of reader sees it."""
    for page in pages.values():
        page.goto("/")
    page = pages["light"]
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="be1", exact=True))
    expect(row).to_contain_text("Healthy", timeout=SECONDS)
    expect(row).not_to_contain_text(TROUBLE, timeout=SECONDS)
    lab.break_("service-hung@be1")
    for one in pages.values():
        expect(one.get_by_role("row").filter(has_text="hangs")).to_be_visible(timeout=SECONDS)
        for panel in ("Being repaired", "Alerts"):
            expect(one.get_by_role("heading", name=panel)).to_be_visible(timeout=SECONDS)
    _take(pages, "overview")
    recovery = page.get_by_role("region", name="Being repaired").get_by_role("link").first.get_attribute("href")
    expect(row).not_to_contain_text(TROUBLE, timeout=SECONDS)
    lab.heal()
    for path, name in ((recovery, "recovery"), ("/servers/be1", "server"), ("/databases", "databases")):
        for one in pages.values():
            one.goto(path)
            one.wait_for_timeout(500)  # a chart is drawn after the page has come
        _take(pages, name)


def _take(pages: dict[str, Page], name: str) -> None:
    for scheme, page in pages.items():
        height = min(page.evaluate("document.documentElement.scrollHeight"), 1400)
        part = {"x": 0, "y": 0, "width": WIDE["width"], "height": height}
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png", clip=part, full_page=True)
        print(PICTURES / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main()
