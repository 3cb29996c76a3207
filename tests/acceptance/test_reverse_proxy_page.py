"""
The page on reverse proxies: its examples, run by the real programs before a real manager.

Readers come from an address of their own to the proxy's address; the proxy asks mailward from 127.0.0.1. No mail server
is needed.
"""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode

import pytest
import trustme

from .reverse_proxies import (
    ALL,
    MANAGER,
    NAME,
    PAGE,
    Place,
    ReverseProxy,
    free_port_of,
    listens,
    processes_of_session,
    section,
    until_it_listens,
    write_certificate,
)
from .test_dashboard_login import PASSWORD, Web, cli, free_port, manager

ADDRESS = {"nginx": "127.0.76.1", "Caddy": "127.0.76.2", "HAProxy": "127.0.76.3"}
READER, GUESSER = "127.0.76.8", "127.0.76.9"
ELSEWHERE = "203.0.113.7"
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
SOON_S = 5.0
"""mailward says something every ten seconds; what comes sooner was not held back until then."""


class Mailward:
    """A manager with the `[web]` of the page, where eva and a token can come in."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port = directory, port
        self.token = ""

    def cli(self, *words: str, stdin: str = "") -> str:
        return cli(self.directory, *words, stdin=stdin)

    def let_in(self) -> None:
        self.cli("users", "add", "eva", "--role", "operator", "--password-file", "-", stdin=f"{PASSWORD}\n")
        self.token = self.cli("tokens", "add", "prometheus").strip()

    @contextmanager
    def without_anybody(self) -> Iterator[None]:
        """As it is before the first user."""
        self.cli("users", "remove", "eva")
        self.cli("tokens", "revoke", "prometheus")
        try:
            yield
        finally:
            self.let_in()


class _Connection(HTTPConnection):
    """A connection from an address of one's own, by TLS for the name of the page."""

    def __init__(self, place: Place, context: ssl.SSLContext, source: str) -> None:
        super().__init__(NAME, place.port, timeout=SOON_S * 6)
        self.place, self.context, self.source = place, context, source

    def connect(self) -> None:
        plain = socket.create_connection((self.place.address, self.port), self.timeout, (self.source, 0))
        self.sock = self.context.wrap_socket(plain, server_hostname=NAME)


class Through:
    """What readers get through a proxy."""

    def __init__(self, proxy: ReverseProxy, place: Place, authority: Path, mailward: Mailward) -> None:
        self.proxy, self.place, self.authority, self.mailward = proxy, place, authority, mailward
        self.context = ssl.create_default_context(cafile=str(authority))

    @contextmanager
    def asked(
        self,
        method: str,
        path: str,
        *,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        source: str = READER,
    ) -> Iterator[HTTPResponse]:
        """The answer to a request, as it comes."""
        connection = _Connection(self.place, self.context, source)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            yield connection.getresponse()
        finally:
            connection.close()

    def status(self, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> int:
        with self.asked(method, path, body=body, headers=headers) as answer:
            answer.read()
            return answer.status

    def refuses(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether nothing is shown. To a strange name Caddy answers without us, as the page says."""
        with self.asked("GET", path, headers=headers) as answer:
            got = answer.status, answer.read()
        return got[0] == 403 or ("host" in headers and self.proxy.name == "Caddy" and got == (200, b""))

    def log_in(
        self,
        *,
        name: str = "eva",
        password: str = PASSWORD,
        wanted: str = "/",
        headers: Mapping[str, str] | None = None,
        source: str = READER,
    ) -> tuple[int, str, str]:
        """Send the form: the status, where to go, and the cookie as it was set."""
        body = urlencode({"name": name, "password": password, "next": wanted})
        with self.asked("POST", "/login", body=body, headers={**FORM, **(headers or {})}, source=source) as answer:
            answer.read()
            return answer.status, answer.headers.get("location", ""), answer.headers.get("set-cookie", "")

    def events(self, kind: str, **more: object) -> list[dict[str, Any]]:
        """What happened."""
        query = urlencode({"kind": kind, **more})
        with self.asked("GET", f"/api/v1/events?{query}", headers=bearer(self.mailward.token)) as answer:
            items: list[dict[str, Any]] = json.load(answer)["items"]
            return items

    @contextmanager
    def recorded(self, kind: str) -> Iterator[list[str]]:
        """The addresses that events of this kind name, of those that the block brings about."""
        after = max((event["id"] for event in self.events(kind, newest_first="true", limit=1)), default=0)
        found: list[str] = []
        yield found
        deadline = monotonic() + 30
        while not (new := self.events(kind, after=after)):
            assert monotonic() < deadline, "nothing was recorded"
            sleep(0.05)
        found += [event["data"]["address"] for event in new]

    def cookie(self) -> str:
        return self.log_in()[2].partition(";")[0]

    @contextmanager
    def curl(self, command: str, *more: str, secret: str = "") -> Iterator[subprocess.Popen[str]]:
        """A curl of the page; it reaches this proxy instead of the name's address. *secret* is a header."""
        here = f"{NAME}:443:{self.place.address}:{self.place.port}"
        words = [
            *command.split(),
            "-sS",
            "--noproxy",
            "*",
            "--cacert",
            str(self.authority),
            "--connect-to",
            here,
            *more,
        ]
        asks = subprocess.Popen([*words, "-H", "@-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert asks.stdin is not None
        with asks:
            try:
                asks.stdin.write(f"{secret}\n")
                asks.stdin.close()
                yield asks
            finally:
                asks.terminate()

    def curled(self, command: str, *more: str, secret: str = "") -> str:
        """What that curl writes."""
        with self.curl(command, *more, secret=secret) as asks:
            assert asks.stdout is not None
            return asks.stdout.read().strip()


@pytest.fixture(scope="module")
def mailward() -> Iterator[Mailward]:
    """One manager for the tests of this file."""
    shown = re.search(r"^```toml\n\[web\]\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert MANAGER in shown[1]
    web = Web(free_port())
    settings = shown[1].replace(MANAGER, f"127.0.0.1:{web.port}")
    with TemporaryDirectory(prefix="mw") as name, manager(Path(name), settings, web):
        running = Mailward(Path(name), web.port)
        running.let_in()
        yield running


@pytest.fixture(scope="module", params=ALL, ids=lambda proxy: proxy.name)
def proxy(request: pytest.FixtureRequest) -> ReverseProxy:
    """One of the programs."""
    asked: ReverseProxy = request.param
    if asked.program() is None:
        pytest.skip(f"{asked.name} is not installed: apt-get install {asked.package}")
    return asked


@pytest.fixture(scope="module")
def through(proxy: ReverseProxy, mailward: Mailward) -> Iterator[Through]:
    """The example of the page, at work; afterwards nothing of it is left."""
    authority = trustme.CA()
    issued = authority.issue_cert(NAME)
    with TemporaryDirectory(prefix="mw") as name:
        directory = Path(name)
        directory.chmod(0o755)  # nginx as root gives its work to somebody else
        authority.cert_pem.write_to_path(directory / "authority.pem")
        address = ADDRESS[proxy.name]
        place = Place(directory=directory, address=address, port=free_port_of(address), manager_port=mailward.port)
        write_certificate(issued, directory, has_key_file=".key" in proxy.example())
        file = proxy.write(place)
        assert (0, []) == proxy.complaints(file)
        with proxy.running(file) as process:
            log = file.with_suffix(".log")
            until_it_listens(place, process, log)
            yield Through(proxy, place, directory / "authority.pem", mailward)
            assert process.poll() is None, log.read_text()
        assert [] == processes_of_session(process.pid)
    assert not listens(place)


def test_logging_in_leads_back_to_the_page_that_was_asked_for(through: Through) -> None:
    with through.asked("GET", "/servers/mbx1", headers={}) as answer:
        assert (303, "/login?next=%2Fservers%2Fmbx1") == (answer.status, answer.headers["location"])

    status, location, cookie = through.log_in(wanted="/servers/mbx1")

    assert (303, "/servers/mbx1") == (status, location)
    assert cookie.startswith("__Host-mailward=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert 200 == through.status("GET", "/servers/mbx1", {"cookie": cookie.partition(";")[0]})


def test_a_wrong_password_is_recorded_with_the_clients_address(through: Through) -> None:
    with through.recorded("login-failed") as addresses:
        assert 401 == through.log_in(password="wrong", source=GUESSER)[0]

    assert [GUESSER] == addresses


@pytest.mark.parametrize("forged", [ELSEWHERE, f"{ELSEWHERE}, 127.0.0.1", "127.0.0.1"])
def test_an_address_that_a_client_claims_is_not_believed(through: Through, forged: str) -> None:
    claims = {"x-forwarded-for": forged, "x-real-ip": ELSEWHERE, "forwarded": f"for={ELSEWHERE}"}

    with through.recorded("logged-in") as addresses:
        assert 303 == through.log_in(headers=claims)[0]

    assert [READER] == addresses


def test_the_live_page_is_told_at_once_that_something_happened(through: Through, mailward: Mailward) -> None:
    with through.asked("GET", "/live", headers={"cookie": through.cookie(), "accept": "text/event-stream"}) as answer:
        begun = monotonic()
        assert "event: connected" == next_said(answer)
        assert monotonic() - begun < SOON_S

        mailward.cli("tokens", "add", "another")
        mailward.cli("tokens", "revoke", "another")
        assert "event: changed" == next_said(answer)


def test_the_stream_of_events_begins_at_once(through: Through, mailward: Mailward) -> None:
    begun = monotonic()
    with through.asked("GET", "/api/v1/events/stream", headers=bearer(mailward.token)) as answer:
        assert ": events follow" == answer.readline().decode().strip()
        assert monotonic() - begun < SOON_S


def test_browsers_get_pages_and_stream_by_http_2(through: Through, curl: str) -> None:
    cookie = f"Cookie: {through.cookie()}"
    with through.curl(f"{curl} -N https://{NAME}/live", "--max-time", str(SOON_S), secret=cookie) as stream:
        assert stream.stdout is not None
        first = stream.stdout.readline()

    assert "event: connected\n" == first
    assert "200 by HTTP/2" == through.curled(
        f"{curl} https://{NAME}/", "-o", os.devnull, "-w", "%{http_code} by HTTP/%{http_version}", secret=cookie
    )


def test_a_token_is_passed_on_to_the_metrics(through: Through, mailward: Mailward) -> None:
    with through.asked("GET", "/metrics", headers=bearer(mailward.token)) as answer:
        assert 200 == answer.status
        assert "\nmailward_build_info{" in answer.read().decode()

    assert 401 == through.status("GET", "/metrics", {})


def test_by_another_name_nothing_is_to_be_had(through: Through, mailward: Mailward) -> None:
    strange = {"host": "rebound.example.net"}

    assert through.refuses("/login", strange)
    assert through.refuses("/api/v1/status", bearer(mailward.token) | strange)


@pytest.mark.parametrize(
    "sent_by",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://evil.example.net"},
        {"sec-fetch-site": "same-site", "origin": "https://other.example.org"},
        {"origin": "https://evil.example.net"},
    ],
    ids=["another site", "a neighbour", "an older browser"],
)
def test_another_sites_page_changes_nothing(through: Through, mailward: Mailward, sent_by: dict[str, str]) -> None:
    cookie = {"cookie": through.cookie()}
    hold = json.dumps({"kind": "maintenance", "subject": "mbx1", "reason": "a trick"})
    as_json = {"content-type": "application/json"}

    for path, body, headers in (("/api/v1/holds", hold, as_json), ("/logout", "", {}), ("/login", "name=eva", {})):
        with through.asked("POST", path, body=body, headers=cookie | headers | sent_by) as answer:
            assert (403, True) == (answer.status, b"was not asked for by a page of this manager" in answer.read())

    with through.asked("GET", "/api/v1/holds?ended=true", headers=bearer(mailward.token)) as answer:
        assert [] == json.load(answer)["items"]
    assert 200 == through.status("GET", "/", cookie)


def test_a_page_of_ours_is_known_by_its_origin_alone(through: Through) -> None:
    """Browsers of before 2023 say no more; so the name has to come through as the reader has it."""
    sent = {"cookie": through.cookie(), "origin": f"https://{NAME}:{through.place.port}"}

    assert 303 == through.status("POST", "/logout", sent, "")


def test_until_there_is_a_user_the_proxy_gets_nothing(through: Through, mailward: Mailward) -> None:
    """Nor by a name under which people on the machine itself may look."""
    with mailward.without_anybody():
        assert through.refuses("/", {})
        assert through.refuses("/", {"host": "localhost"})
        assert through.refuses("/", {"host": "127.0.0.1", "x-forwarded-for": "127.0.0.1"})

    assert 303 == through.status("GET", "/", {})


def test_it_is_seen_to_work_as_the_page_says(through: Through, mailward: Mailward, curl: str) -> None:
    shown = re.findall(r"^```console\n\$ (.*)\n(.*)\n", section("See whether it works"), re.MULTILINE)
    (ask, expected), (look, _) = shown
    assert "curl" == ask.split()[0]
    assert "mailward" == look.split()[0]
    with through.recorded("logged-in"):
        through.log_in()

    assert expected == through.curled(f"{curl} {ask.partition(' ')[2]}")
    assert READER in mailward.cli(*look.split()[1:]).splitlines()[-1]


@pytest.fixture(scope="module")
def curl() -> str:
    """A curl that speaks HTTP/2."""
    program = shutil.which("curl")
    if program is None or "HTTP2" not in subprocess.check_output([program, "--version"], text=True):
        pytest.skip("this machine has no curl with HTTP/2")
    return program


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def next_said(stream: HTTPResponse) -> str:
    """The next kind of message of the live page."""
    for line in stream:
        if line.startswith(b"event: "):
            return line.decode().strip()
    pytest.fail("the stream has ended")
