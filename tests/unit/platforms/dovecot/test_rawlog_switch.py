"""The switch of Dovecot's protocol log: what it makes, what it never touches, and what switches off in time."""

import fcntl
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mailward.platforms.dovecot import rawlog_switch
from mailward.platforms.dovecot.rawlog_switch import (
    NotDone,
    is_plain,
    marks,
    strangers,
    switch_off,
    switch_on,
    wait_and_switch_off,
)
from mailward.platforms.local.system_clock import SystemClock

USER = "health-db1"
FILE = "20261126-221026.28676.1.in"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "rawlog"


def now() -> float:
    return SystemClock().now().timestamp()


def on(directory: Path, user: str = USER, *, since: float = 1.0, until: float = 2e9, owner=None) -> Path:
    switch_on(directory, user, since=since, until=until, owner=owner)
    return directory / user


def left_in(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_on_makes_a_directory_for_the_user_alone_below_one_everybody_may_pass(directory):
    made = on(directory)

    assert 0o700 == stat.S_IMODE(made.stat().st_mode)
    assert 0o711 == stat.S_IMODE(directory.stat().st_mode)
    assert [(USER, 1.0, 2e9, True)] == [(m.user, m.since, m.until, m.is_logging) for m in marks(directory)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_on_gives_the_directory_to_whoever_runs_the_sessions(directory):
    made = on(directory, owner=(5000, 5001))

    assert (5000, 5001) == (made.stat().st_uid, made.stat().st_gid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_the_right_to_give_it_away_it_says_so_and_leaves_nothing(directory):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import rawlog_switch as switch\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: switch.switch_on(Path(sys.argv[2]), 'health-db1', since=1, until=2e9, owner=(5000, 5000))\n"
        "except switch.NotDone as error: print(error)"
    )
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    for above in directory.parents[:4]:  # the test, its worker, the run, and everybody's
        above.chmod(above.stat().st_mode | 0o011)
    script = Path(rawlog_switch.__file__).parent

    ran = subprocess.run(
        [sys.executable, "-I", "-c", code, script, directory], capture_output=True, text=True, check=False
    )

    assert "belongs to uid 5000, and uid 65534, as which mailward runs, may not" in ran.stdout, ran.stderr
    assert [] == left_in(directory)


def test_off_leaves_nothing_of_it(directory):
    (on(directory) / FILE).write_text("secret")

    assert () == switch_off(directory, USER)
    assert [] == left_in(directory)


def test_what_is_not_dovecot_s_is_left_and_named_but_the_log_is_off(directory):
    made = on(directory)
    (made / FILE).write_text("secret")
    (made / "notes.txt").write_text("somebody's")

    assert (f".mailward-off-{USER}/notes.txt",) == switch_off(directory, USER)
    assert [f".mailward-off-{USER}"] == left_in(directory)
    assert ["notes.txt"] == left_in(directory / f".mailward-off-{USER}")


def test_it_can_be_switched_again_beside_what_was_left(directory):
    (on(directory) / "notes.txt").write_text("somebody's")
    switch_off(directory, USER)
    (on(directory) / "more.txt").write_text("somebody's")

    left = switch_off(directory, USER)

    assert {f".mailward-off-{USER}/notes.txt", f".mailward-off-{USER}.1/more.txt"} == set(left)
    assert not (directory / USER).exists()


def test_a_directory_that_somebody_else_made_is_never_touched(directory):
    directory.mkdir(mode=0o711)
    (directory / USER).mkdir()
    (directory / USER / FILE).write_text("the administrator's")

    with pytest.raises(NotDone, match="is not mailward's"):
        on(directory)

    assert () == switch_off(directory, USER)
    assert (USER,) == strangers(directory, [USER, "health-mbx1"])
    assert [FILE] == left_in(directory / USER)


def test_links_are_not_followed_to_what_they_lead_to(directory, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / FILE).write_text("somebody's")
    made = on(directory)
    made.rmdir()
    made.symlink_to(elsewhere)

    left = switch_off(directory, USER)

    assert (f".mailward-off-{USER}",) == left
    assert "somebody's" == (elsewhere / FILE).read_text()
    assert not made.is_symlink()


def test_a_link_among_dovecot_s_files_is_removed_and_not_what_it_leads_to(directory, tmp_path):
    (tmp_path / "precious").write_text("somebody's")
    (on(directory) / FILE).symlink_to(tmp_path / "precious")

    assert () == switch_off(directory, USER)
    assert "somebody's" == (tmp_path / "precious").read_text()


@pytest.mark.parametrize("mode", [0o777, 0o771, 0o717])
def test_a_directory_in_which_others_may_write_is_not_used(directory, mode):
    directory.mkdir()
    directory.chmod(mode)

    with pytest.raises(NotDone, match="nobody else may write in it"):
        on(directory)


def test_a_link_in_place_of_the_directory_is_not_used(directory, tmp_path):
    directory.symlink_to(tmp_path)

    with pytest.raises(NotDone, match="symbolic link"):
        on(directory)
    with pytest.raises(NotDone, match="symbolic link"):
        marks(directory)


def test_without_the_directory_above_it_cannot_be_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        on(tmp_path / "nothing" / "rawlog")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"since": 1}', '{"since": [], "until": {}}', "9" * 5000])
def test_a_mark_that_is_not_understood_is_over(directory, text):
    on(directory)
    (directory / f".mailward-on-{USER}").write_text(text)

    assert [0.0] == [mark.until for mark in marks(directory)]


def test_what_a_killed_switch_left_half_done_is_taken_up(directory):
    (on(directory) / FILE).write_text("secret")
    (directory / USER).rename(directory / f".mailward-off-{USER}")  # killed after the rename
    (directory / f".mailward-new-{USER}").mkdir()

    assert () == switch_off(directory, USER)
    assert [f".mailward-new-{USER}"] == left_in(directory)
    on(directory)
    assert {USER, f".mailward-on-{USER}"} == set(left_in(directory))


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "a\nb", "x" * 201])
def test_such_names_are_no_directories(name):
    assert not is_plain(name)
    assert is_plain("health-größe@example.org")


def test_a_timer_switches_off_what_is_over(directory):
    (on(directory, until=now() - 1) / FILE).write_text("secret")

    wait_and_switch_off(directory, [USER], now())

    assert [] == left_in(directory)


def test_a_timer_leaves_alone_what_was_switched_on_anew_for_longer(directory):
    on(directory, until=2e9)

    wait_and_switch_off(directory, [USER], now())

    assert [USER] == [mark.user for mark in marks(directory)]


def test_what_is_renewed_at_the_last_moment_is_left_alone(directory):
    on(directory, until=2e9)

    assert () == switch_off(directory, USER, over_at=2e9 - 1)
    assert [USER] == [mark.user for mark in marks(directory)]
    switch_off(directory, USER, over_at=2e9)
    assert [] == left_in(directory)


def test_two_never_switch_at_the_same_time(directory):
    made = on(directory)
    with rawlog_switch.opened(directory) as there:
        fcntl.flock(there, fcntl.LOCK_EX)
        other = threading.Thread(target=switch_off, args=(directory, USER))
        other.start()
        other.join(0.2)
        assert other.is_alive()
        assert made.exists()
    other.join(20)
    assert not made.exists()


def test_a_timer_switches_off_none_but_its_own_users(directory):
    on(directory, "health-mbx1", until=1.0)

    wait_and_switch_off(directory, [USER], now())

    assert ["health-mbx1"] == [mark.user for mark in marks(directory)]


def timer(*words: str) -> subprocess.CompletedProcess[str]:
    script = str(Path(rawlog_switch.__file__))
    return subprocess.run(
        [sys.executable, "-I", script, *words], capture_output=True, text=True, check=False, timeout=20
    )


def test_the_timer_is_a_process_of_its_own_that_outlives_whoever_started_it(directory):
    made = on(directory, until=now() + 5)
    begun = time.monotonic()

    ran = timer("--off-at", repr(marks(directory)[0].until), str(directory), USER)

    assert (0, "", "") == (ran.returncode, ran.stdout, ran.stderr)
    assert time.monotonic() - begun < 4.5, "it waited itself"
    assert made.exists()
    deadline = time.monotonic() + 30
    while left_in(directory):
        assert time.monotonic() < deadline, "it never went off"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "words", [(), ("--off-at", "1"), ("--off-at", "1", "/tmp"), ("--off-at", "1", "/tmp", "../x"), ("x",) * 4]
)
def test_other_words_are_refused(words):
    ran = timer(*words)

    assert 64 == ran.returncode
    assert "usage:" in ran.stderr
