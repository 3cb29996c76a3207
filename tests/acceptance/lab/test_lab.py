import imaplib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mailward.lab import session
from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab, missing_programs
from mailward.lab.supervisor import processes
from mailward.model.errors import Refused

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason=f"this machine has no {', '.join(missing_programs())}")

_OWNER = """
import sys, time
from pathlib import Path
from mailward.lab.blueprint import Shape
from mailward.lab.lab import Lab
with Lab.up(Shape.ONE_BOX, Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("proxy", ["proxy1", "proxy2"])
@pytest.mark.parametrize(
    ("user", "server"), [("anna", "be1"), ("dora", "be1"), ("gustav", "be2"), ("health-db4", "be2")]
)
def test_every_proxy_takes_users_to_the_server_of_their_database(lab: Lab, proxy: str, user: str, server: str) -> None:
    assert server == lab.log_in(user, on=proxy)


@pytest.mark.parametrize(("user", "server"), [("health-be1", "be1"), ("health-be2", "be2"), ("health-db1", "be2")])
def test_health_mailboxes_open_directly_on_their_server_and_on_every_copy(lab: Lab, user: str, server: str) -> None:
    assert server == lab.log_in(user, on=server)


def test_a_proxy_opens_its_own_health_mailbox_without_any_mailbox_server(lab: Lab) -> None:
    assert "proxy1" == lab.log_in("health-proxy", on="proxy1")


def test_health_mailboxes_are_closed_to_everybody_but_the_prober(lab: Lab) -> None:
    host = lab.blueprint.host("be1")

    with (
        pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"),
        session.logged_in(lab.blueprint, host, "health-db1", source="127.0.0.1"),
    ):
        pass


def test_mail_delivered_through_a_proxy_reaches_the_active_copy_and_then_the_other(lab: Lab) -> None:
    session.deliver(lab.blueprint, lab.blueprint.host("proxy2"), "emil", b"Subject: delivered\r\n\r\nhello\r\n")

    assert [b"1"] == _found(lab, "emil", "be1", "delivered")
    _eventually(lambda: [b"1"] == _found(lab, "emil", "be2", "delivered"))


def test_a_lab_is_up_and_gone_within_seconds() -> None:
    """Two and one where nobody else is at work; what keeps it waiting would keep it for longer than this."""
    before = time.monotonic()
    lab = Lab.up()
    up = time.monotonic() - before
    master = lab.status()["be1"]["pid"]

    before = time.monotonic()
    lab.down()

    assert (True, True) == (up < 15, time.monotonic() - before < 15)
    assert not lab.blueprint.directory.exists()
    assert _has_ended(master)
    assert [] == processes.working_below(lab.blueprint.directory)


def test_several_labs_run_at_once(one_box: Lab) -> None:
    with Lab.up(Shape.ONE_BOX) as other:
        assert "mail" == other.log_in("anna", on="mail")
        assert "mail" == one_box.log_in("anna", on="mail")


def test_a_lab_whose_start_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    deep = tmp_path / ("a-directory-name-too-long-for-unix-sockets" * 3)

    with pytest.raises(Refused, match="too long"):
        Lab.up(directory=deep)

    assert not deep.exists()


def test_a_directory_with_something_in_it_is_refused_and_left_alone(short_path: Path) -> None:
    (short_path / "precious").write_text("mine")

    with pytest.raises(Refused, match="not empty"):
        Lab.up(directory=short_path)

    assert "mine" == (short_path / "precious").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_owned_lab_ends_with_its_owner_however_that_ends(number: signal.Signals, short_path: Path) -> None:
    directory = short_path / "lab"
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(directory)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert owner.stdout is not None
    with owner:
        assert b"up\n" == owner.stdout.readline()
        master = Lab.attach(directory).status()["mail"]["pid"]

        owner.send_signal(number)

    _eventually(lambda: not directory.exists())
    assert _has_ended(master)
    assert [] == processes.working_below(directory)


def test_a_lab_without_owner_lasts_until_somebody_takes_it_down(short_path: Path) -> None:
    Lab.up(Shape.ONE_BOX, short_path / "lab", owned=False)

    attached = Lab.attach(short_path / "lab")
    assert "mail" == attached.log_in("anna", on="mail")
    attached.down()

    assert not (short_path / "lab").exists()


def test_a_lab_goes_down_also_when_its_supervisors_were_killed(short_path: Path) -> None:
    lab = Lab.up(Shape.ONE_BOX, short_path / "lab")
    seen = lab.status()["mail"]
    os.kill(int(str(seen["supervisor"])), signal.SIGKILL)

    lab.down()

    assert _has_ended(seen["pid"])
    assert [] == processes.working_below(short_path / "lab")


def test_attaching_where_no_lab_is_says_so(short_path: Path) -> None:
    with pytest.raises(Refused, match="there is no lab in"):
        Lab.attach(short_path)


def _has_ended(pid: object) -> bool:
    """Gone, or waiting for a lazy init to notice."""
    process = processes.look_at(int(str(pid)))
    return process is None or process.state == "Z"


def _found(lab: Lab, user: str, server: str, subject: str) -> list[bytes]:
    with session.logged_in(lab.blueprint, lab.blueprint.host(server), user) as client:
        client.select(readonly=True)
        return list(client.search(None, "SUBJECT", subject)[1])


def _eventually(happened: Callable[[], bool], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
