"""`mailward accounts`: what can be told without a Dovecot; with one, tests/acceptance tries it."""

import asyncio
import json
import threading

import pytest

from mailward.testing.obedient_server import ObedientServer
from mailward.testing.scripted_server import ScriptedServer

CONFIGURATION = """
[organization]
name = "example"

[health_mailboxes]
user = "health-{{name}}"
password_file = "{{name}}.password"

[servers.mbx1]
roles = ["mailbox"]
[servers.mbx1.imap]
host = "127.0.0.1"
port = {port}
security = "plain"
allow_plaintext_auth = true

[databases.DB1]
copies = ["mbx1"]
"""


@pytest.fixture
def served():
    """An IMAP server that knows both health mailboxes, in a thread with a loop of its own."""
    server = ScriptedServer(ObedientServer({"health-mbx1": "one", "health-db1": "two"}, tls=""))
    ready, ended = threading.Event(), []

    async def serve():
        ended.extend((asyncio.get_running_loop(), asyncio.Event()))
        async with server.listening():
            ready.set()
            await ended[1].wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield server
    ended[0].call_soon_threadsafe(ended[1].set)
    thread.join(10)


@pytest.fixture
def file(served, tmp_path):
    path = tmp_path / "mailward.toml"
    path.write_text(CONFIGURATION.format(port=served.port))
    for name, password in (("mbx1", "one"), ("db1", "two")):
        (tmp_path / f"{name}.password").touch(mode=0o600)
        (tmp_path / f"{name}.password").write_text(f"{password}\n")
    return path


def rows(ran):
    return {item["account"]: item for item in json.loads(ran.out)["items"]}


def test_every_account_is_tried_where_it_is_used(run, file, served):
    ran = run("accounts", "check", "--config", str(file), "--format", "json")

    assert (0, "") == (ran.code, ran.err)
    assert {"health-mbx1": ("mbx1", None, "Succeeded"), "health-db1": ("mbx1", "DB1", "Succeeded")} == {
        name: (row["server"], row["database"], row["result"]) for name, row in rows(ran).items()
    }
    assert "EXAMINE" in served.server.heard
    assert "SELECT" not in served.server.heard


def test_a_password_that_is_refused_is_2_and_nowhere_shown(run, file, tmp_path):
    (tmp_path / "db1.password").write_text("wr0ng-canary\n")
    ran = run("accounts", "check", "--config", str(file), "--format", "json")

    assert 2 == ran.code
    assert "Failed" == rows(ran)["health-db1"]["result"]
    assert "wr0ng-canary" not in ran.out + ran.err


def test_a_password_file_that_cannot_be_read_is_3_and_named(run, file, tmp_path):
    (tmp_path / "db1.password").unlink()
    ran = run("accounts", "check", "--config", str(file))

    assert 3 == ran.code
    assert "db1.password" in "".join(ran.out.split())


def test_without_a_dovecot_there_is_nothing_to_make_accounts_on(run, file, tmp_path):
    ran = run("accounts", "create", "--config", str(file), "--dovecot-config", str(tmp_path / "none.conf"))

    assert ran.code in (1, 3)
    assert "none.conf" in ran.err


def test_a_configuration_is_not_made_from_a_dovecot_that_is_not_there(run, tmp_path):
    ran = run("config", "init", "--directory", str(tmp_path / "own"), "--dovecot-config", str(tmp_path / "none.conf"))

    assert ran.code in (1, 3)
    assert not (tmp_path / "own").exists()
