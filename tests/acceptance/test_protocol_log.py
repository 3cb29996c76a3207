"""
The protocol log on real Dovecots: on, joined over both tiers, masked, off; and off in time when the manager is killed.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from mailward.lab import session
from mailward.lab.lab import Lab
from mailward.lab.manager_process import ManagerProcess
from mailward.lab.watch_configuration import Timings
from mailward.model.errors import TemporaryFailure
from mailward.model.event import EventKind
from mailward.platforms.local.system_clock import SystemClock

USER, SERVER = "health-db1", "be1"
BODY = "nobody's business but the postman's"


@pytest.fixture
def manager(lab: Lab) -> Iterator[ManagerProcess]:
    with ManagerProcess(lab.write_configuration(timings=Timings.SHORT)) as running:
        until(running.client.health)
        yield running


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = monotonic() + seconds
    while True:
        with suppress(TemporaryFailure):
            if condition():
                return
        assert monotonic() < deadline, "it never came"
        sleep(0.05)


def cli(manager: ManagerProcess, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "mailward.cli.main",
        "--socket",
        str(manager.client.socket),
        "protocol-log",
        *words,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def found(manager: ManagerProcess) -> list[dict]:
    ran = cli(manager, "find", USER, "--since", "5m", "--format", "json")
    return json.loads(ran.stdout)["items"] if ran.returncode == 0 else []


def talk(lab: Lab, through: str) -> None:
    """A conversation as a probe has it, with a message in both directions."""
    with session.logged_in(lab.blueprint, lab.blueprint.host(through), USER) as client:
        client.select("INBOX")
        client.append("INBOX", None, None, f"Subject: {BODY}\r\n\r\n{BODY}\r\n".encode())
        client.fetch("1:*", "(ENVELOPE BODY[])")
        client.store("1:*", "+FLAGS", "(\\Deleted)")
        client.expunge()


def timers(logged_below: Path) -> list[int]:
    """What waits to switch off there."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if entry.name.isdigit() and b"--off-at" in words and str(logged_below).encode() in words:
                found.append(int(entry.name))
    return found


def directory(lab: Lab, server: str = SERVER) -> Path:
    return lab.blueprint.host(server).protocol_log


def test_a_conversation_is_logged_joined_over_both_tiers_and_masked_and_off_leaves_nothing(lab, manager):
    assert "off" in cli(manager, "where", SERVER).stdout
    ran = cli(manager, "on", SERVER, "--for", "5m", "--yes", "--reason", "logins are slow")
    assert (0, "") == (ran.returncode, ran.stderr)
    assert (directory(lab) / USER).is_dir()
    (changed,) = manager.client.events(kinds=[EventKind.PROTOCOL_LOG_CHANGED])
    assert (SERVER, "off", "on") == (changed.subject, changed.before, changed.after)
    assert "logins are slow" in changed.because
    assert changed.actor

    talk(lab, "proxy1")

    def ours() -> list[dict]:
        return [
            one
            for one in found(manager)
            if one["proxy"] == "proxy1" and any("APPEND INBOX {" in line["text"] for line in one["lines"])
        ]

    until(ours)
    (one, *_) = ours()
    assert (SERVER, USER) == (one["mailbox_server"], one["user"])
    assert one["session"]
    assert {"proxy1", SERVER} == {line["server"] for line in one["lines"]}
    texts = [line["text"] for line in one["lines"]]
    assert any("Started proxying to" in text for text in texts[:2])
    assert any("FETCH" in text and '"***"' in text for text in texts), "the subject of the message is masked"
    written = b"".join(path.read_bytes() for path in (directory(lab) / USER).iterdir())
    assert BODY.encode() in written, "there is something to mask"
    assert BODY not in json.dumps(found(manager))

    ran = cli(manager, "off", SERVER, "--yes")

    assert (0, "") == (ran.returncode, ran.stderr)
    assert [] == list(directory(lab).iterdir())
    talk(lab, "proxy1")
    assert [] == list(directory(lab).iterdir())


def test_find_names_the_mailbox_server_without_a_protocol_log_too(lab, manager):
    talk(lab, "proxy2")

    until(lambda: any(one["proxy"] == "proxy2" and one["mailbox_server"] == SERVER for one in found(manager)))


def test_people_are_never_looked_for(lab, manager):
    lab.log_in("anna", on="proxy1")

    person = cli(manager, "find", "anna")

    assert (1, "") == (person.returncode, person.stdout)
    assert "no health mailbox 'anna'" in person.stderr
    assert "anna" not in json.dumps(found(manager))


def test_a_person_is_not_logged_while_it_is_on(lab, manager):
    cli(manager, "on", SERVER, "--for", "5m", "--yes")

    lab.log_in("anna", on="proxy1")
    talk(lab, "proxy1")

    until(lambda: list((directory(lab) / USER).iterdir()))
    users = {entry.name for entry in directory(lab).iterdir() if not entry.name.startswith(".")}
    assert users <= {USER, "health-db2", "health-db3", "health-db4", "health-be1"}
    cli(manager, "off", SERVER, "--yes")


def test_a_proxy_has_none_and_is_refused_in_words(manager):
    ran = cli(manager, "on", "proxy1", "--yes")

    assert (1, "") == (ran.returncode, ran.stdout)
    assert "mailbox servers have the protocol log" in ran.stderr


def test_a_manager_that_is_killed_leaves_a_log_that_goes_off_at_its_deadline(lab, manager):
    begun = monotonic()
    ran = cli(manager, "on", SERVER, "--for", "12s", "--yes")
    assert 0 == ran.returncode, ran.stderr

    os.kill(manager.pid, signal.SIGKILL)
    until(lambda: manager.has_ended)

    talk(lab, "proxy1")
    assert list((directory(lab) / USER).iterdir()), "it goes on until its deadline"
    until(lambda: [] == list(directory(lab).iterdir()), seconds=30)
    assert monotonic() - begun > 11


def test_where_the_timer_is_killed_with_the_manager_the_next_manager_keeps_the_deadline(lab, manager):
    ran = cli(manager, "on", SERVER, "--for", "3s", "--yes")
    assert 0 == ran.returncode, ran.stderr

    os.kill(manager.pid, signal.SIGKILL)
    for pid in timers(directory(lab)):
        os.kill(pid, signal.SIGKILL)
    until(lambda: manager.has_ended and not timers(directory(lab)))
    manager.start()

    until(lambda: [] == list(directory(lab).iterdir()))


def test_on_again_moves_the_deadline(lab, manager):
    cli(manager, "on", SERVER, "--for", "2s", "--yes")
    cli(manager, "on", SERVER, "--for", "6s", "--yes")
    last = manager.client.protocol_log(SERVER).until

    until(lambda: not manager.client.protocol_log(SERVER).is_on)

    assert SystemClock().now() >= last
    assert [] == list(directory(lab).iterdir())
