"""What axe-core (Deque Systems, MPL-2.0; the file beside this one) finds wrong with a page."""

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).with_name("axe-4.14.1.min.js")


def faults_of(page: Page) -> list[str]:
    """Each fault of the page as it is now, by rule and place; its context must have been told to pass over the CSP."""
    page.add_script_tag(path=_AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
