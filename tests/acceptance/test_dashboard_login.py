"""Opening the dashboard to others, as an administrator does it: a real manager, HTTP, TLS; no mail server is needed."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from urllib.parse import urlencode

import pytest

PASSWORD = "correct horse battery"
CONFIGURATION = """
[organization]
name = "example"

[servers.mbx1]
roles = ["mailbox"]
imap = {{ host = "127.0.0.1", port = {closed}, security = "plain", allow_plaintext_auth = true }}
health_mailbox = {{ user = "health", password_environment = "HEALTH_PASSWORD" }}

[web]
{web}
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mw") as name:  # short enough for a socket
        yield Path(name)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def command(directory: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "mailward.cli.main", *words]


def started(directory: Path, web: str) -> subprocess.Popen[str]:
    (directory / "mailward.toml").write_text(CONFIGURATION.format(closed=free_port(), web=web))
    words = ("run", "--config", str(directory / "mailward.toml"), "--state-directory", str(directory / "state"))
    return subprocess.Popen(
        command(directory, *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "HEALTH_PASSWORD": "x"},
    )


@contextmanager
def manager(directory: Path, web: str, answers: "Web") -> Iterator[None]:
    process = started(directory, web)
    try:
        deadline = monotonic() + 60
        while not answers.is_there():
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            assert monotonic() < deadline, "it never answered"
            sleep(0.05)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)


def cli(directory: Path, *words: str, stdin: str = "") -> str:
    at = ("--socket", str(directory / "state" / "api.sock"))
    done = subprocess.run(
        command(directory, *at, *words), check=True, capture_output=True, text=True, timeout=60, input=stdin
    )
    return done.stdout


class Web:
    """Asks one port; `context` for TLS."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        self.port, self.context = port, context

    def is_there(self) -> bool:
        with suppress(OSError, HTTPException):
            return self("GET", "/livez")[0] == 200
        return False

    def __call__(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, dict[str, str]]:
        to = (
            HTTPConnection("127.0.0.1", self.port, timeout=30)
            if self.context is None
            else HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.context)
        )
        try:
            to.request(method, path, body=body, headers={name.replace("_", "-"): it for name, it in headers.items()})
            answer = to.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            to.close()


def test_with_the_first_user_everybody_logs_in_without_a_restart_and_sessions_outlive_one(directory):
    web = Web(free_port())
    door = f'listen = "127.0.0.1:{web.port}"'
    form = urlencode({"name": "eva", "password": PASSWORD, "next": "/"})
    sent = {"content_type": "application/x-www-form-urlencoded", "sec_fetch_site": "same-origin"}
    with manager(directory, door, web):
        assert 200 == web("GET", "/")[0]

        cli(directory, "users", "add", "eva", "--password-file", "-", stdin=f"{PASSWORD}\n")

        assert (303, 401, 200) == (web("GET", "/")[0], web("GET", "/api/v1/status")[0], web("GET", "/livez")[0])
        status, headers = web("POST", "/login", form, **sent)
        assert (303, "/") == (status, headers["location"])
        cookie = headers["set-cookie"].partition(";")[0]
        token = cli(directory, "tokens", "add", "grafana").strip()
        assert (200, 200) == (
            web("GET", "/", cookie=cookie)[0],
            web("GET", "/api/v1/status", authorization=f"Bearer {token}")[0],
        )

    with manager(directory, door, web):
        assert (303, 200) == (web("GET", "/")[0], web("GET", "/", cookie=cookie)[0])
        cli(directory, "users", "remove", "eva")
        assert 303 == web("GET", "/", cookie=cookie)[0]


def test_the_port_speaks_tls(directory):
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "key", "-out", directory / "pem"]
    subprocess.run([*words, *more], check=True, capture_output=True)
    web = Web(free_port(), ssl.create_default_context(cafile=str(directory / "pem")))
    keys = 'certificate_file = "pem"\nkey_file = "key"'

    with manager(directory, f'listen = "127.0.0.1:{web.port}"\n{keys}', web):
        cli(directory, "users", "add", "eva", "--password-file", "-", stdin=f"{PASSWORD}\n")
        sent = {"content_type": "application/x-www-form-urlencoded", "sec_fetch_site": "same-origin"}
        _, headers = web("POST", "/login", urlencode({"name": "eva", "password": PASSWORD}), **sent)

        assert headers["set-cookie"].startswith("__Host-mailward=")
        assert headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ('listen = "0.0.0.0:{port}"', "passwords would travel readable"),
        ('listen = "0.0.0.0:{port}"\npublic_url = "https://mailward.example.org"', "mailward users add NAME"),
    ],
)
def test_a_door_open_to_others_is_refused_at_start_with_what_to_do(directory, web, said):
    process = started(directory, web.format(port=free_port()))

    told, _ = process.communicate(timeout=60)

    assert (1, True) == (process.returncode, said in told)
    assert "Traceback" not in told
