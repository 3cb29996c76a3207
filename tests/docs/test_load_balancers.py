"""What the page on load balancers shows is what mailward answers, and what HAProxy takes."""

import asyncio
import getpass
import grp
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from mailward.model.health import Serving
from mailward.web.health_page import READS
from mailward.web.serve import bind, serve

PAGE = "docs/how-to/load-balancers.md"
BECAUSE = "maintenance by eva until 2026-11-24 12:30 UTC: new disks"


@pytest.fixture
def directory() -> Iterator[Path]:
    """A folder with a short name: the path of a socket has a limit."""
    with TemporaryDirectory(prefix="mw") as name:
        yield Path(name)


@pytest.fixture
def haproxy() -> str:
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if program is None:
        pytest.skip("haproxy is not installed: apt-get install haproxy")
    return program


def test_haproxy_takes_the_configuration_that_polls_the_page(
    haproxy: str, pages: dict[str, str], directory: Path
) -> None:
    silent = re.search(r"printf '(HTTP.*?)' > (\S+)", pages[PAGE])
    assert silent is not None
    answer, path = silent.groups()
    (directory / "silent.http").write_bytes(answer.encode().decode("unicode_escape").encode())
    (polling,) = blocks(pages[PAGE], "backend mailward")

    assert "" == complaint(haproxy, polling.replace(path, str(directory / "silent.http")), directory)


def test_haproxy_takes_the_socket_that_is_meant_for_mailward(
    haproxy: str, pages: dict[str, str], directory: Path
) -> None:
    (door,) = blocks(pages[PAGE], "stats socket")
    nobody = "\nlisten nobody\n  mode tcp\n  bind 127.0.0.1:993\n  timeout client 1s\n  timeout server 1s\n"

    assert "" == complaint(haproxy, f"{door}{nobody}  timeout connect 1s\n", directory)


async def test_the_page_answers_as_shown(pages: dict[str, str], directory: Path) -> None:
    (shown,) = blocks(pages[PAGE], "curl -i --unix-socket")
    expected = shown.partition("\n")[2].strip().splitlines()

    assert expected == [line for line in await answer_of(directory / "s") if not line.startswith("date: ")]


class Judge:
    """proxy1 is in maintenance."""

    async def serving(self, server: str) -> Serving:
        return Serving(server=server, is_serving=False, because=BECAUSE)


async def answer_of(path: Path) -> list[str]:
    """What curl -i shows of the page of proxy1."""
    app = Starlette(routes=[Route(at, partial(deed, Judge())) for at, deed in READS.items()])
    serving = asyncio.ensure_future(serve(app, bind(path)))
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /health/proxy1 HTTP/1.1\r\nHost: mailward\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    body = await reader.readexactly(int(length.group(1)) if length else 0)
    writer.close()
    await writer.wait_closed()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    return [line.strip() for line in (head + body).decode().splitlines()]


def blocks(page: str, mark: str) -> list[str]:
    """The blocks of a page in which *mark* stands, without their indentation."""
    found = re.findall(r"^( *)```\w*\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found if mark in text]


def complaint(haproxy: str, configuration: str, directory: Path) -> str:
    """What HAProxy has against a configuration. The users and groups of the page are those of this machine."""
    group = grp.getgrgid(os.getgid()).gr_name
    here = re.sub(r"\buser \w+", f"user {getpass.getuser()}", configuration)
    file = directory / "haproxy.cfg"
    file.write_text(re.sub(r"\bgroup \w+", f"group {group}", here))
    ran = subprocess.run([haproxy, "-c", "-q", "-f", file], capture_output=True, text=True, timeout=30, check=False)
    return f"{ran.stdout}{ran.stderr}".strip() if ran.returncode != 0 else ""
