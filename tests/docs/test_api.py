"""reference/api.md documents the API there is: no route less, none more."""

import re
from pathlib import Path

from starlette.routing import Route

from mailward.cli.exits import ExitCode
from mailward.testing.manager import FakeManager
from mailward.web.api import build_api
from mailward.web.problems import STATUS, Code

_HEADING = re.compile(r"^### (GET|POST|PUT|DELETE) (\S+)$", re.MULTILINE)


def test_every_route_is_documented_and_every_documented_route_exists(root: Path) -> None:
    routes = {
        (method, route.path)
        for route in build_api(FakeManager()).routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert routes == set(_HEADING.findall(_page(root)))


def test_every_error_code_is_documented_with_its_status(root: Path) -> None:
    rows = {(row[0], int(row[1])) for row in re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", _page(root), re.MULTILINE)}

    assert {(code.value, STATUS[code].value) for code in Code} == rows


def test_every_exit_code_is_in_the_command_line_reference(root: Path) -> None:
    page = (root / "docs/reference/cli.md").read_text()
    section = page.partition("## Exit codes")[2].partition("## ")[0]

    assert {code.value for code in ExitCode} == {
        int(code) for code in re.findall(r"\b\d+\b", section.partition("With")[0])
    }


def _page(root: Path) -> str:
    return (root / "docs/reference/api.md").read_text()
