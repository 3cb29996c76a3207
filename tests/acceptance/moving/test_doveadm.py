"""What a move asks of real Dovecots: sessions of proxies, their caches, the replicator, and synchronising."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from mailward.lab import control, session
from mailward.lab.blueprint import LabHost, Shape
from mailward.lab.lab import Lab, missing_programs
from mailward.model.copies import ProxiedSession, SyncReport
from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import LocalRunner
from mailward.platforms.dovecot.doveadm import LocalDoveadm
from mailward.platforms.dovecot.programs import program
from mailward.platforms.dovecot.proxy import DovecotProxy
from mailward.platforms.dovecot.replication import DovecotReplication
from mailward.platforms.reach import mailward_host

WITHOUT_REPLICATION = "plugin {\n  mail_replica =\n}\n"
WITH_A_CACHE = "auth_cache_size = 1M\nauth_cache_ttl = 1 hour\n"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab of this module's own: its hosts are stopped, and its replication is cut."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    with Lab.up(Shape.TWO_TIER) as running:
        yield running


def doveadm_of(lab: Lab, host: str) -> LocalDoveadm:
    return LocalDoveadm(str(lab.blueprint.host(host).configuration), LocalRunner())


def proxy_of(lab: Lab, host: str) -> DovecotProxy:
    return DovecotProxy(doveadm_of(lab, host))


def peer(lab: Lab, host: str) -> str:
    return f"tcp:{lab.blueprint.host(host).address}:{lab.blueprint.ports.doveadm}"


def replication_of(lab: Lab, host: str) -> DovecotReplication:
    return DovecotReplication(doveadm_of(lab, host), {name: peer(lab, name) for name in ("be1", "be2")})


def append(lab: Lab, user: str, *, on: str, times: int = 1) -> None:
    left, deadline = times, monotonic() + 60
    while left:
        try:
            with session.logged_in(lab.blueprint, lab.blueprint.host(on), user) as client:
                while left:
                    assert "OK" == client.append("INBOX", "", None, b"Subject: trial\r\n\r\nMail.\r\n")[0]
                    left -= 1
        except session.BROKEN:  # a reload that is under way ends whoever logs in: come again, as clients do
            if monotonic() > deadline:
                raise


def copy_of(lab: Lab, user: str, host: str) -> str:
    """What makes two copies of an INBOX alike (field notes §B)."""
    fields = "messages uidnext uidvalidity guid highestmodseq"
    command = [program("doveadm"), "-f", "tab", "-c", str(lab.blueprint.host(host).configuration)]
    return subprocess.run(
        [*command, "mailbox", "status", "-u", user, fields, "INBOX"], capture_output=True, text=True, check=True
    ).stdout


async def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, f"not within {seconds:g} s"
        await asyncio.sleep(0.05)


@contextmanager
def settings(lab: Lab, text: str, *hosts: str) -> Iterator[None]:
    """Have these hosts run with more settings for a while."""
    files = [lab.blueprint.host(name).fault_settings / "of-this-test.conf" for name in hosts]
    for file in files:
        file.write_text(text)
    _reload(lab, hosts)
    try:
        yield
    finally:
        for file in files:
            file.unlink()
        _reload(lab, hosts)


def _reload(lab: Lab, hosts: tuple[str, ...]) -> None:
    for name in hosts:
        control.ask(lab.blueprint.host(name).control_socket, "reload")


@contextmanager
def stopped(lab: Lab, host: str) -> Iterator[None]:
    lab.stop(host)
    try:
        yield
    finally:
        lab.start(host)


def _address(lab: Lab, host: str) -> str:
    found: LabHost = lab.blueprint.host(host)
    return found.address


async def test_sessions_are_seen_on_their_proxy_with_their_server_and_are_ended(lab: Lab) -> None:
    blueprint = lab.blueprint
    with (
        session.logged_in(blueprint, blueprint.host("proxy1"), "anna") as anna,
        session.logged_in(blueprint, blueprint.host("proxy1"), "gustav") as gustav,
        session.logged_in(blueprint, blueprint.host("proxy2"), "boris") as boris,
    ):
        first, second = proxy_of(lab, "proxy1"), proxy_of(lab, "proxy2")
        assert {
            ProxiedSession(mailbox="anna", address=_address(lab, "be1")),
            ProxiedSession(mailbox="gustav", address=_address(lab, "be2")),
        } == set(await first.sessions())
        assert (ProxiedSession(mailbox="boris", address=_address(lab, "be1")),) == await second.sessions()

        await first.end_sessions(["anna", "boris", "nobody", "o'neil", "größe", "a b"])

        assert ["gustav"] == [one.mailbox for one in await first.sessions()]
        with pytest.raises(session.BROKEN):
            anna.noop()
        assert "OK" == gustav.noop()[0] == boris.noop()[0]


async def test_a_changed_map_is_followed_once_the_proxy_has_forgotten(lab: Lab) -> None:
    def move(database: str, server: str) -> None:
        with closing(sqlite3.connect(lab.blueprint.map_file)) as connection, connection:
            connection.execute("UPDATE databases SET active = ? WHERE name = ?", (server, database))

    with settings(lab, WITH_A_CACHE, "proxy1"):
        assert "be1" == lab.log_in("dora", on="proxy1")
        move("DB2", "be2")
        try:
            assert "be1" == lab.log_in("dora", on="proxy1"), "its cache hides the change"

            await proxy_of(lab, "proxy1").forget()

            assert "be2" == lab.log_in("dora", on="proxy1")
        finally:
            move("DB2", "be1")


async def test_the_replicator_says_when_a_mailbox_is_in_sync(lab: Lab) -> None:
    append(lab, "anna", on="be1")
    replication = replication_of(lab, "be1")
    deadline = monotonic() + 60
    while True:
        found = (await replication.status())["anna"]
        if not found.is_waiting and not found.has_failed and found.last_success is not None:
            break
        assert monotonic() < deadline, found
        await asyncio.sleep(0.05)

    assert found.last_success < timedelta(seconds=62)
    await until(lambda: copy_of(lab, "anna", "be1") == copy_of(lab, "anna", "be2"))


async def test_a_mailbox_that_failed_is_replicated_when_hastened(lab: Lab) -> None:
    replication = replication_of(lab, "be1")
    with stopped(lab, "be2"):
        append(lab, "carla", on="be1")
        deadline = monotonic() + 60
        while not (await replication.status())["carla"].has_failed:
            assert monotonic() < deadline
            await asyncio.sleep(0.05)
        report = await replication.synchronise(["anna", "carla"], with_server="be2")

    assert ((), ["anna", "carla"]) == (report.done, [name for name, _ in report.failed])
    assert all("Connection refused" in why for _, why in report.failed)

    await replication.hasten(["carla", "anna"])

    await until(lambda: copy_of(lab, "carla", "be1") == copy_of(lab, "carla", "be2"))


async def test_copies_that_do_not_replicate_are_made_alike_and_one_that_is_not_there_is_named(lab: Lab) -> None:
    users = ["helen", "ivo"]
    with settings(lab, WITHOUT_REPLICATION, "be1", "be2"):
        with stopped(lab, "be2"):
            for user in users:
                append(lab, user, on="be1", times=3)
        append(lab, "ivo", on="be2", times=2)
        assert all(copy_of(lab, user, "be1") != copy_of(lab, user, "be2") for user in users)

        report = await replication_of(lab, "be2").synchronise([*users, "nosuch"], with_server="be1")

        assert SyncReport(done=tuple(users), failed=(("nosuch", "User doesn't exist"),)) == report
        assert all(copy_of(lab, user, "be1") == copy_of(lab, user, "be2") for user in users)
        assert "\n5\t" in copy_of(lab, "ivo", "be1").replace("INBOX\t", "")


@pytest.mark.skipif(os.getuid() != 0, reason="what mailward-host runs as root is configured by root")
async def test_mailward_host_does_the_same_with_a_real_doveadm(lab: Lab, tmp_path: Path) -> None:
    if program("doveadm") != mailward_host.DOVEADM:
        pytest.skip(f"doveadm is not where mailward-host expects it, {mailward_host.DOVEADM}")
    written = tmp_path / "mailward-host.ini"
    written.write_text(f"[host]\nconfig = {lab.blueprint.host('be2').configuration}\npeers = {peer(lab, 'be1')}\n")
    written.chmod(0o644)

    def ran(*request: str, names: str = "") -> subprocess.CompletedProcess[str]:
        argv = [
            sys.executable,
            "-I",
            mailward_host.__file__,
            "--config",
            str(written),
            "--as-root",
            "doveadm",
            *request,
        ]
        return subprocess.run(argv, input=names, capture_output=True, text=True, check=False, timeout=20)

    with settings(lab, WITHOUT_REPLICATION, "be1", "be2"):
        for user in ("jana", "karim"):
            append(lab, user, on="be1", times=2)
        several = ran("sync", peer(lab, "be1"), names="jana\nkarim\n")
        assert (0, "", "") == (several.returncode, several.stdout, several.stderr)
        assert copy_of(lab, "jana", "be1") == copy_of(lab, "jana", "be2")
        assert copy_of(lab, "karim", "be1") == copy_of(lab, "karim", "be2")
        alone = ran("sync", peer(lab, "be1"), names="nosuch\n")
        assert (67, "doveadm(nosuch): Error: User doesn't exist\n") == (alone.returncode, alone.stderr)
        assert 77 == ran("sync", peer(lab, "be2"), names="jana\n").returncode

    assert (0, "1 users updated\n1 users updated\n") == (
        (said := ran("replicator", "replicate", names="jana\nkarim\n")).returncode,
        said.stdout,
    )
    assert '"username":"jana"' in ran("replicator", "status").stdout


async def test_a_proxy_that_does_not_run_is_unknown_whatever_doveadm_ends_with(lab: Lab) -> None:
    proxy = proxy_of(lab, "proxy2")
    with stopped(lab, "proxy2"):
        for asked in (proxy.sessions(), proxy.forget(), proxy.end_sessions(["anna"])):
            with pytest.raises(TemporaryFailure, match="onnection refused"):
                await asked
