"""The protocol log of a Dovecot on this machine: where its configuration puts it, and who switches it off in time."""

import os
from pathlib import Path

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.protocol_log import LONGEST
from mailward.platforms.commands import Finished
from mailward.platforms.dovecot.doveconf import parse
from mailward.platforms.dovecot.protocol_log import DovecotProtocolLog
from mailward.platforms.dovecot.rawlog_place import numbers, place_in
from mailward.platforms.dovecot.rawlog_switch import marks, switch_on
from mailward.testing.platform import SetClock

USER = "health-db1"
OURS = f"mail_uid = {os.geteuid()}\nmail_gid = {os.getegid()}\n"


def conf(text: str, *, version: str = "2.3.19.1"):
    return parse(f"# {version} (9b53102964): /srv/mbx1/dovecot.conf\n{text}")


class Programs:
    """Plays doveconf, doveadm and whatever starts the timer."""

    def __init__(self, configuration: str, **answers: Finished | TemporaryFailure) -> None:
        self.configuration = configuration
        self.answers = answers
        self.ran: list[tuple[str, ...]] = []

    async def run(self, argv, *, timeout, given=b""):
        self.ran.append(tuple(argv))
        name = Path(argv[0]).name
        if name == "doveconf":
            text = f"# 2.3.19.1 (9b53102964): /srv/mbx1/dovecot.conf\n{self.configuration}"
            return Finished(status=0, output=text, errors="")
        answer = self.answers.get(name.split("-")[0].rstrip("0123456789."), Finished(status=0, output="", errors=""))
        if isinstance(answer, TemporaryFailure):
            raise answer
        return answer

    def started(self) -> list[tuple[str, ...]]:
        return [argv for argv in self.ran if "--off-at" in argv]


def a_log(programs: Programs, tmp_path: Path, *, systemd: bool = False) -> DovecotProtocolLog:
    mark = tmp_path / "systemd"
    if systemd:
        mark.mkdir()
    clock = SetClock()
    return DovecotProtocolLog(
        "mbx1", "/srv/mbx1/dovecot.conf", (USER,), runner=programs, starter=programs, clock=clock, systemd=mark
    )


def logging_below(directory: Path, more: str = OURS) -> str:
    return f"{more}protocol imap {{\n  rawlog_dir = {directory}/%u\n}}\n"


UNTIL = SetClock().now() + LONGEST


@pytest.mark.parametrize(
    ("text", "version", "directory"),
    [
        ("protocol imap {\n rawlog_dir = /run/x/%u\n}\n", "2.3.19.1", "/run/x"),
        ("protocol imap {\n rawlog_dir = /run/x/%{user}\n}\n", "2.4.1", "/run/x"),
        ("rawlog_dir = /run/y/%u\n", "2.3.19.1", "/run/y"),
        ("rawlog_dir = /run/y/%u\nprotocol imap {\n rawlog_dir = /run/x/%u\n}\n", "2.3.19.1", "/run/x"),
    ],
)
def test_the_directory_is_that_of_imap_and_else_everybody_s(text, version, directory):
    assert Path(directory) == place_in(conf(text, version=version)).directory


@pytest.mark.parametrize(
    ("text", "version", "said"),
    [
        ("", "2.3.19.1", "rawlog_dir = /run/mailward-rawlog/%u }"),
        ("rawlog_dir = \n", "2.4.1", "rawlog_dir = /run/mailward-rawlog/%{user} }"),
        ("rawlog_dir = /run/rawlog\n", "2.3.19.1", "no directory for each user"),
        ("rawlog_dir = /run/%d/%u\n", "2.3.19.1", "no directory for each user"),
        ("rawlog_dir = rawlog/%u\n", "2.3.19.1", "no directory for each user"),
        ("rawlog_dir = /run/x/%n\n", "2.3.19.1", "no directory for each user"),
    ],
)
def test_where_there_is_none_it_says_what_to_write_into_which_file(text, version, said):
    with pytest.raises(Refused) as caught:
        place_in(conf(text, version=version))

    assert said in str(caught.value)
    assert "/srv/mbx1/dovecot.conf" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ("", "health-db1"),
        ("auth_default_realm = example.org\n", "health-db1@example.org"),
        ("auth_username_format = %u\n", "Health-DB1"),
        ("auth_username_format = %{user | lower}\n", "health-db1"),
    ],
)
def test_a_user_s_directory_is_called_as_dovecot_knows_him(settings, name):
    place = place_in(conf(f"{settings}rawlog_dir = /run/x/%u\n"))

    assert name == place.name_of("Health-DB1")


def test_whose_directory_it_is_follows_mail_uid_or_else_what_dovecot_says_of_the_user():
    assert (5000, 5001) == numbers("5000:5001", lambda: "")
    assert (5000, -1) == numbers("5000:", lambda: "")
    assert (1000, 100) == numbers(None, lambda: "uid 1000\ngid 100\n")
    with pytest.raises(Refused, match="set mail_uid and mail_gid"):
        numbers(None, lambda: "")


async def test_without_mail_uid_dovecot_is_asked_for_the_user_by_name(tmp_path):
    programs = Programs(
        logging_below(tmp_path / "rawlog", ""), doveadm=Finished(status=0, output=f"{os.geteuid()}\n", errors="")
    )

    await a_log(programs, tmp_path).on([USER], until=UNTIL)

    assert [("user", "-f", "uid", USER), ("user", "-f", "gid", USER)] == [
        argv[3:] for argv in programs.ran if "user" in argv
    ]


async def test_nothing_is_logged_where_nobody_would_switch_it_off(tmp_path):
    programs = Programs(
        logging_below(tmp_path / "rawlog"), python=Finished(status=1, output="", errors="no python here")
    )

    with pytest.raises(TemporaryFailure, match="nothing would switch the protocol log off again: no python here"):
        await a_log(programs, tmp_path).on([USER], until=UNTIL)

    assert not (tmp_path / "rawlog").exists()


async def test_the_timer_waits_before_anything_is_logged_and_knows_when_whom_and_where(tmp_path):
    programs = Programs(logging_below(tmp_path / "rawlog"))

    await a_log(programs, tmp_path).on([USER], until=UNTIL)

    (argv,) = programs.started()
    assert ("-I", "--off-at", repr(UNTIL.timestamp()), str(tmp_path / "rawlog"), USER) == (argv[1], *argv[3:])
    assert argv[2].endswith("rawlog_switch.py")


async def test_under_systemd_the_timer_is_a_unit_of_its_own(tmp_path):
    programs = Programs(logging_below(tmp_path / "rawlog"))

    await a_log(programs, tmp_path, systemd=True).on([USER], until=UNTIL)

    (argv,) = programs.started()
    assert ("systemd-run", "--stay") == (argv[0], argv[argv.index("--off-at") - 1])


@pytest.mark.parametrize(
    "answer", [Finished(status=1, output="", errors="Access denied"), TemporaryFailure("systemd-run cannot be started")]
)
async def test_where_systemd_refuses_a_process_waits(tmp_path, answer):
    programs = Programs(logging_below(tmp_path / "rawlog"), systemd=answer)

    standing = await a_log(programs, tmp_path, systemd=True).on([USER], until=UNTIL)

    assert standing.is_on
    assert ["systemd-run"] == [argv[0] for argv in programs.started()[:-1]]
    assert "--stay" not in programs.started()[-1]


async def test_at_a_start_what_is_overdue_goes_off_and_the_rest_gets_a_timer_anew(tmp_path):
    directory = tmp_path / "rawlog"
    now, later = SetClock().now().timestamp(), UNTIL.timestamp()
    for user, until in ((USER, now), ("health-mbx1", later)):
        switch_on(directory, user, since=1.0, until=until, owner=None)
    programs = Programs(logging_below(directory))

    await a_log(programs, tmp_path).keep_deadline()

    assert ["health-mbx1"] == [mark.user for mark in marks(directory)]
    assert [(repr(later), str(directory), "health-mbx1")] == [argv[-3:] for argv in programs.started()]


async def test_where_one_user_cannot_be_logged_the_others_are_not_left_on(tmp_path):
    directory = tmp_path / "rawlog"
    (directory / "health-mbx1").mkdir(parents=True)
    directory.chmod(0o711)
    programs = Programs(logging_below(directory))
    log = DovecotProtocolLog(
        "mbx1",
        "/srv/mbx1/dovecot.conf",
        (USER, "health-mbx1"),
        runner=programs,
        starter=programs,
        clock=SetClock(),
        systemd=tmp_path / "none",
    )

    with pytest.raises(Refused, match="is not mailward's"):
        await log.on([USER, "health-mbx1"], until=UNTIL)

    standing = await log.standing()
    assert not standing.is_on
    assert "somebody else has made a directory for health-mbx1" in standing.because
    assert not (directory / USER).exists()


async def test_off_with_something_foreign_in_it_is_refused_in_words_and_off_all_the_same(tmp_path):
    programs = Programs(logging_below(tmp_path / "rawlog"))
    log = a_log(programs, tmp_path)
    await log.on([USER], until=UNTIL)
    (tmp_path / "rawlog" / USER / "notes.txt").touch()

    with pytest.raises(Refused, match="it is off, but not all of it is Dovecot's .*notes.txt"):
        await log.off()

    assert not (await log.standing()).is_on


async def test_a_directory_that_is_not_safe_is_not_available_and_why_is_said(tmp_path):
    directory = tmp_path / "rawlog"
    directory.mkdir()
    directory.chmod(0o777)

    standing = await a_log(Programs(logging_below(directory)), tmp_path).standing()

    assert not standing.is_available
    assert "nobody else may write in it" in standing.because


async def test_files_that_are_links_or_no_files_are_not_read(tmp_path):
    programs = Programs(logging_below(tmp_path / "rawlog"))
    log = a_log(programs, tmp_path)
    await log.on([USER], until=UNTIL)
    (tmp_path / "secret").write_text("1795731026.000000 a1 NOOP\r\n")
    inside = tmp_path / "rawlog" / USER
    (inside / "20261126-221026.1.1.in").symlink_to(tmp_path / "secret")
    os.mkfifo(inside / "20261126-221026.2.1.in")

    assert () == await log.conversations(USER, since=SetClock().now())
