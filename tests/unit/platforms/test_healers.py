import asyncio
import fcntl
import os

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.healers import Healers


def a_process(proc, pid, *words, user=0):
    (proc / "1").mkdir(parents=True, exist_ok=True)
    (proc / str(pid)).mkdir(exist_ok=True)
    (proc / str(pid) / "cmdline").write_bytes("\0".join(words).encode() + b"\0")
    (proc / str(pid) / "status").write_text(f"Name:\tx\nUid:\t1000\t{user}\t0\t0\nGid:\t0\t0\t0\t0\n")
    (proc / "locks").touch()


async def at_work(proc, **given):
    return await Healers(proc=proc, locks=(), **given).at_work()


async def test_nobody_is_at_work_on_a_quiet_machine(tmp_path):
    a_process(tmp_path, 7, "/usr/sbin/dovecot", "-F")

    assert () == await at_work(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("apt-get", "-y", "upgrade"),
        ("/usr/bin/dpkg", "--status-fd", "7", "--configure", "--pending"),
        ("/usr/bin/python3", "/usr/bin/dnf", "upgrade"),
        ("rpm", "-Uvh", "dovecot.rpm"),
    ],
)
async def test_a_package_manager_that_changes_packages_is_at_work(words, tmp_path):
    a_process(tmp_path, 7, *words)

    (said,) = await at_work(tmp_path)

    assert "changes packages" in said


@pytest.mark.parametrize(
    "words",
    [
        ("apt-get", "update"),
        ("dpkg", "-l"),
        ("rpm", "-qa"),
        ("/usr/bin/python3", "/usr/share/unattended-upgrades/unattended-upgrade-shutdown", "--wait-for-signal"),
        ("install", "-d", "x"),
        ("",),
    ],
)
async def test_what_only_reads_is_not_at_work(words, tmp_path):
    a_process(tmp_path, 7, *words)

    assert () == await at_work(tmp_path)


async def test_whoever_is_not_root_cannot_change_packages(tmp_path):
    a_process(tmp_path, 7, "apt-get", "upgrade", user=1000)

    assert () == await at_work(tmp_path)


async def test_a_service_that_packages_do_not_restart_is_not_concerned(tmp_path):
    a_process(tmp_path, 7, "apt-get", "upgrade")

    assert () == await at_work(tmp_path, packages=False)


async def test_the_package_managers_lock_is_seen_without_being_taken(tmp_path):
    lock = tmp_path / "lock-frontend"
    with lock.open("w") as held:
        assert () == await Healers(locks=(lock,)).at_work()

        fcntl.lockf(held, fcntl.LOCK_EX)
        (said,) = await Healers(locks=(lock,)).at_work()

    assert f"process {os.getpid()} holds {lock}: packages are being changed" == said


async def test_a_mark_says_who_is_at_work(tmp_path):
    mark = tmp_path / "maintenance"
    a_process(tmp_path / "proc", 1, "init")
    healers = Healers((str(mark),), proc=tmp_path / "proc", locks=())
    assert () == await healers.at_work()

    mark.touch()

    assert (f"{mark} exists: another manager is at work",) == await healers.at_work()


async def test_what_cannot_be_looked_at_is_unknown_not_nobody(tmp_path):
    with pytest.raises(TemporaryFailure, match="the processes of mbx1 cannot be looked at"):
        await Healers(proc=tmp_path / "nosuch", locks=(), whose="mbx1").at_work()


async def test_a_mark_below_a_file_is_not_there(tmp_path):
    (tmp_path / "file").touch()

    async with asyncio.timeout(30):
        assert () == await Healers((str(tmp_path / "file" / "mark"),), packages=False).at_work()


async def test_where_other_users_processes_are_hidden_it_is_unknown_who_is_at_work(tmp_path):
    a_process(tmp_path, 7, "sleep")
    (tmp_path / "1").rmdir()

    with pytest.raises(TemporaryFailure, match="the processes of mbx1 cannot be looked at: .*hidepid"):
        await at_work(tmp_path, whose="mbx1")


async def test_a_process_that_does_not_show_its_command_line_could_be_anybody(tmp_path):
    a_process(tmp_path, 7, "sleep")
    (tmp_path / "7" / "cmdline").unlink()
    (tmp_path / "7" / "cmdline").mkdir()

    with pytest.raises(TemporaryFailure, match="cannot be looked at"):
        await at_work(tmp_path)


async def test_a_process_that_has_just_ended_is_nobody(tmp_path):
    a_process(tmp_path, 7, "sleep")
    (tmp_path / "7" / "cmdline").unlink()

    assert () == await at_work(tmp_path)


async def test_a_mark_that_leads_nowhere_is_one(tmp_path):
    (tmp_path / "mark").symlink_to("nosuch")

    assert 1 == len(await Healers((str(tmp_path / "mark"),), packages=False).at_work())


async def test_a_process_table_that_hangs_holds_up_nobody_else(tmp_path):
    a_process(tmp_path, 7, "sleep")
    (tmp_path / "locks").unlink()
    os.mkfifo(tmp_path / "locks")  # whoever opens it waits

    looking = asyncio.create_task(at_work(tmp_path))
    async with asyncio.timeout(10):
        while not (writer := _opened_for_writing(tmp_path / "locks")):
            await asyncio.sleep(0.005)
        os.close(writer)

        assert () == await looking


def _opened_for_writing(fifo):
    """The descriptor of a pipe that somebody reads; None while nobody does."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


async def test_two_who_ask_at_once_are_both_answered(tmp_path):
    a_process(tmp_path, 7, "apt-get", "upgrade")
    healers = Healers(proc=tmp_path, locks=())

    first, second = await asyncio.gather(healers.at_work(), healers.at_work())

    assert first == second != ()
