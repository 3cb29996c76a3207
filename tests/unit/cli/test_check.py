"""`mailward check` against servers of our own making on 127.0.0.1."""

import asyncio
import json
import socket
import threading

import pytest

from mailward.testing.obedient_server import ObedientServer
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer


class Listening:
    """A scripted server in a thread with a loop of its own."""

    def __init__(self, served) -> None:
        self.server = ScriptedServer(served)
        self._ready, self._over = threading.Event(), None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self.server.listening():
            self._ready.set()
            await self._over.wait()

    @property
    def target(self):
        return f"127.0.0.1:{self.server.port}"

    def close(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)


@pytest.fixture
def serving():
    opened = []

    def serve(served):
        opened.append(Listening(served))
        return opened[-1]

    yield serve
    for one in opened:
        one.close()


@pytest.fixture
def imap(serving):
    return serving(ObedientServer({"anna": "s3cret-canary"}, tls=""))


@pytest.fixture
def password(tmp_path):
    file = tmp_path / "password"
    file.write_text("s3cret-canary\n")
    return str(file)


@pytest.fixture
def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_a_healthy_server_is_0_with_its_waterfall(run, imap):
    ran = run("check", imap.target, "--plain")

    assert (0, "") == (ran.code, ran.err)
    assert "✓ healthy: it answers" in ran.out
    assert "greeting" in ran.out
    assert "UIDPLUS" in ran.out


def test_with_a_user_we_sign_in_and_the_password_is_nowhere(run, imap, password):
    ran = run(
        *("check", imap.target, "--plain", "--allow-plaintext-password", "--user", "anna", "-v"),
        *("--password-file", password),
    )

    assert 0 == ran.code
    assert "✓ healthy: anna can sign in" in ran.out
    assert "C: " in ran.out
    assert "s3cret-canary" not in ran.out + ran.err


def test_the_password_may_come_from_standard_input(process, imap):
    ran = process(
        *("check", imap.target, "--plain", "--allow-plaintext-password", "--user", "anna", "--password-file", "-"),
        stdin="s3cret-canary\n",
    )

    assert 0 == ran.code


def test_a_password_is_not_sent_in_the_clear_unless_told_to(run, imap, password):
    ran = run("check", imap.target, "--plain", "--user", "anna", "--password-file", password)

    assert ran.code in (2, 3)
    assert "AUTHENTICATE" not in imap.server.server.heard
    assert "LOGIN" not in imap.server.server.heard


def test_deep_opens_the_mailbox_and_writes_nothing(run, imap, password):
    ran = run(
        *("check", imap.target, "--plain", "--allow-plaintext-password", "--user", "anna", "--deep"),
        *("--password-file", password),
    )

    heard = imap.server.server.heard
    assert 0 == ran.code
    assert "EXAMINE" in heard
    assert not {"SELECT", "APPEND", "STORE", "EXPUNGE", "UID STORE", "UID EXPUNGE"} & set(heard)


def test_json_has_every_agreed_member(run, imap):
    plain = json.loads(run("check", imap.target, "--plain", "--format", "json").out)

    agreed = (
        *("result", "failed_phase", "cause", "phases", "verdict", "mailbox_server"),
        *("certificate", "capabilities", "transcript", "schema"),
    )
    assert set(agreed) <= set(plain)
    assert "Succeeded" == plain["result"]


def test_a_refused_connection_is_2_and_says_so(run, closed_port):
    ran = run("check", f"127.0.0.1:{closed_port}")

    assert 2 == ran.code
    assert "✗ unhealthy at connect: refused" in ran.out


def test_as_a_plugin_it_says_one_line(run, imap, closed_port):
    healthy = run("check", imap.target, "--plain", "--nagios", "-w", "5", "-c", "9")
    broken = run("check", "-H", "127.0.0.1", "-p", str(closed_port), "--nagios")
    slow = run("check", imap.target, "--plain", "--nagios", "-w", "@0:60")

    assert (0, 1, "IMAP OK") == (healthy.code, healthy.out.count("\n"), healthy.out[:7])
    assert (2, 1, "IMAP CRITICAL") == (broken.code, broken.out.count("\n"), broken.out[:13])
    assert (1, 1, "IMAP WARNING") == (slow.code, slow.out.count("\n"), slow.out[:12])


def test_a_server_that_never_greets_is_given_up_in_time(run, serving):
    ran = run("check", serving(Script().stalls()).target, "--plain", "-t", "0.3")

    assert 2 == ran.code
    assert "timed-out" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give one HOST"),
        (("a", "-H", "b"), "give one HOST"),
        (("imaps://imap.example.org",), "is a URL"),
        (("a", "--deep"), "needs --user"),
        (("a", "--login-as", "m"), "needs --user"),
        (("a", "--user", "anna"), "--password-file"),
        (("a", "--ca", "/nowhere.pem"), "does not exist"),
        (("a", "--nagios", "-w", "x"), "no threshold range"),
    ],
)
def test_a_wrong_command_line_is_3_and_says_what_to_write(process, words, said):
    ran = process("check", *words)

    assert 3 == ran.code
    assert said in ran.err


def test_what_cannot_be_examined_is_3_in_either_voice(run, tmp_path):
    (tmp_path / "empty").write_text("\n")
    words = ("check", "127.0.0.1", "--user", "anna", "--password-file", str(tmp_path / "empty"))
    spoken, plugin = run(*words), run(*words, "--nagios")

    assert (3, "", 3, "") == (spoken.code, spoken.out, plugin.code, plugin.err)
    assert "empty holds no password" in spoken.err
    assert plugin.out.startswith("IMAP UNKNOWN - ")
