"""A Dovecot that nothing supervises: its words by a recording runner, its deeds with a private real one."""

import asyncio
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.commands import DaemonStarter
from mailward.platforms.dovecot.programs import program
from mailward.platforms.dovecot.service import DovecotService
from mailward.platforms.linux.processes import children, look_at
from mailward.ports.service_control import ServiceDeed

CONFIGURATION = """\
protocols = imap
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/dovecot.log
ssl = no
mail_location = maildir:{directory}/mail/%u
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}/mail/%u
}}
first_valid_uid = 1
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = 0
  }}
  unix_listener {directory}/imap.sock {{
    mode = 0600
  }}
}}
"""


class Watched:
    """A runner that notes what it really runs."""

    def __init__(self):
        self.argvs = []

    async def run(self, argv, *, timeout):
        self.argvs.append(tuple(argv))
        return await DaemonStarter().run(argv, timeout=timeout)


@pytest.fixture
async def dovecot():
    """A private Dovecot, not started; its directory, control, and runner."""
    if not shutil.which(program("dovecot")):
        pytest.skip("dovecot is not installed")
    if os.geteuid() != 0:
        pytest.skip("this Dovecot is started as root")
    directory = Path(tempfile.mkdtemp(prefix="mwd-"))
    directory.chmod(0o755)
    (directory / "mail").mkdir(mode=0o777)
    (directory / "mail").chmod(0o777)
    config = directory / "dovecot.conf"
    config.write_text(CONFIGURATION.format(directory=directory, uid=65534, gid=65534))
    runner = Watched()
    service = DovecotService(config, doing=runner)
    yield directory, service, runner
    for process in list(Path("/proc").glob("[0-9]*")):  # sessions too, which a killed master leaves behind
        with suppress(OSError):
            if str((process / "cwd").readlink()).startswith(f"{directory}/"):
                os.kill(int(process.name), signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


async def a_session(directory):
    """A logged-in IMAP session on the unix socket."""
    reader, writer = await asyncio.open_unix_connection(directory / "imap.sock")
    async with asyncio.timeout(10):
        await reader.readline()
        writer.write(b"a LOGIN anna secret\r\n")
        while not (line := await reader.readline()).startswith(b"a "):
            assert line
    assert line.startswith(b"a OK")
    return reader, writer


async def test_it_is_started_by_the_words_that_a_rehearsal_shows_and_then_runs(dovecot):
    _, service, runner = dovecot
    assert ServiceState.STOPPED == (await service.status()).state

    await service.start()

    status = await service.status()
    assert [service.command(ServiceDeed.START)] == runner.argvs
    assert (ServiceState.RUNNING, True) == (status.state, status.pid is not None and status.since is not None)


async def test_a_stop_ends_the_sessions_that_dovecot_would_leave_behind(dovecot):
    directory, service, runner = dovecot
    await service.start()
    _, writer = await a_session(directory)
    below = children((await service.status()).pid)
    assert "imap" in {process.name for process in below}

    await service.stop()

    writer.close()
    alive = [process for process in below if (now := look_at(process.pid)) is not None and now.is_alive]
    assert [] == alive
    assert service.command(ServiceDeed.STOP) == runner.argvs[-1]
    assert ServiceState.STOPPED == (await service.status()).state


async def test_a_restart_runs_both_commands_that_a_rehearsal_shows(dovecot):
    _, service, runner = dovecot
    await service.start()
    before = await service.status()
    runner.argvs.clear()

    await service.restart()

    stop, start = runner.argvs
    assert (*stop, "&&", *start) == service.command(ServiceDeed.RESTART)
    assert before.pid != (await service.status()).pid


async def test_a_dovecot_that_is_well_is_asked_to_end_where_doveadm_cannot_ask_it(dovecot):
    directory, service, _ = dovecot
    await service.start()
    with (directory / "dovecot.conf").open("a") as config:
        config.write("imap_nosuch = yes\n")

    await service.stop()

    # one that is killed leaves its pid file behind, and has failed
    assert ServiceState.STOPPED == (await service.status()).state


async def test_a_dovecot_that_hangs_is_restarted_all_the_same(dovecot):
    directory, *_ = dovecot
    service = DovecotService(directory / "dovecot.conf", stops_within_s=0.5)
    await service.start()
    before = await service.status()
    for process in (before.pid, *(child.pid for child in children(before.pid))):
        os.kill(process, signal.SIGSTOP)
    async with asyncio.timeout(10):
        while ServiceState.HUNG != (await service.status()).state:
            await asyncio.sleep(0.005)

    await service.restart()

    after = await service.status()
    assert (ServiceState.RUNNING, True) == (after.state, after.pid != before.pid)


async def test_a_reload_keeps_sessions_and_runs_the_words_that_a_rehearsal_shows(dovecot):
    directory, service, runner = dovecot
    await service.start()
    before = await service.status()
    reader, writer = await a_session(directory)

    await service.reload()

    writer.write(b"b NOOP\r\n")
    async with asyncio.timeout(30):
        assert b"b OK" in await reader.readline()
    writer.close()
    assert service.command(ServiceDeed.RELOAD) == runner.argvs[-1]
    assert (before.pid, before.since) == ((await service.status()).pid, (await service.status()).since)


async def test_a_broken_configuration_is_found_before_anything_is_done_and_the_status_stays_known(dovecot):
    directory, service, _ = dovecot
    await service.start()
    assert True is (await service.check_configuration()).is_valid
    with (directory / "dovecot.conf").open("a") as config:
        config.write("imap_nosuch = yes\n")

    check = await service.check_configuration()

    assert False is check.is_valid
    assert f"{directory}/dovecot.conf line" in check.because
    assert ServiceState.RUNNING == (await service.status()).state
    with pytest.raises(PermanentFailure, match="Unknown setting: imap_nosuch"):
        await service.reload()


async def test_a_certificate_that_is_missing_makes_the_configuration_invalid(dovecot):
    directory, service, _ = dovecot
    with (directory / "dovecot.conf").open("a") as config:
        config.write(f"ssl_cert = <{directory}/nosuch.pem\n")

    check = await service.check_configuration()

    assert (False, True) == (check.is_valid, "nosuch.pem" in check.because)


async def test_a_start_that_fails_says_why(dovecot):
    directory, service, _ = dovecot
    assert ServiceState.STOPPED == (await service.status()).state
    with (directory / "dovecot.conf").open("a") as config:
        config.write("imap_nosuch = yes\n")

    with pytest.raises(PermanentFailure, match="Unknown setting: imap_nosuch"):
        await service.start()


async def test_enabling_is_refused(tmp_path):
    with pytest.raises(Refused, match="nothing that starts it at boot"):
        await DovecotService(tmp_path / "dovecot.conf").enable()


async def test_without_its_base_directory_nothing_is_known(recording, ended, tmp_path):
    runner = recording(ended(89, errors="doveconf: Fatal: open failed"))

    with pytest.raises(TemporaryFailure, match="does not tell the base_dir"):
        await DovecotService(tmp_path / "dovecot.conf", looking=runner).status()
