"""ssh to mailward-host for real: a private sshd, the forced command, and what an attacker with the key may try."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import LocalRunner
from mailward.platforms.local.boot import read_boot_id
from mailward.platforms.reach import mailward_host
from mailward.platforms.reach.conversation import MailwardHost
from mailward.platforms.reach.remote_host import RemoteHost
from mailward.platforms.reach.ssh import Destination, SshRunner

ADDRESS = "127.0.94.1"


@dataclass
class Reached:
    """A host reached over ssh: two keys, one of which may only look."""

    directory: Path
    port: int

    def runner(self, key: str = "acts", known_hosts: str = "known_hosts") -> SshRunner:
        to = Destination(user="root", host=ADDRESS, port=self.port)
        return SshRunner(to, key=self.directory / key, known_hosts=self.directory / known_hosts, runner=LocalRunner())

    def host(self, key: str = "acts") -> MailwardHost:
        return MailwardHost(self.runner(key))

    async def by_hand(self, *words: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
        """What an attacker's own ssh would get: exit status and output."""
        argv = self.runner().words(("boot-id",))
        finished = await LocalRunner().run((*argv[:-3], *options, "--", ADDRESS, *words), timeout=20)
        return finished.status, finished.output


@pytest.fixture(scope="module")
async def reached(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reached]:
    """An sshd of our own on a high port of a loopback address."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if sshd is None or shutil.which("ssh") is None:
        pytest.skip("ssh reach is not tried: sshd is not installed (openssh-server)")
    if os.geteuid() != 0:
        pytest.skip("ssh reach is not tried: an sshd of one's own needs root here")
    directory = tmp_path_factory.mktemp("ssh")
    _write_keys(directory)
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    (directory / "sshd_config").write_text(
        f"ListenAddress {ADDRESS}\nPort {port}\nHostKey {directory}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\nPermitRootLogin prohibit-password\nUseDNS no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    )
    host_key = (directory / "host.pub").read_text()
    (directory / "known_hosts").write_text(f"[{ADDRESS}]:{port} {host_key}")
    (directory / "other_hosts").write_text(f"[{ADDRESS}]:{port} {(directory / 'looks.pub').read_text()}")
    (directory / "no_hosts").touch()
    Path("/run/sshd").mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sshd, "-D", "-f", str(directory / "sshd_config"), "-E", str(directory / "sshd.log")
    )
    try:
        await _until_listening(port)
        yield Reached(directory, port)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _write_keys(directory: Path) -> None:
    for name in ("host", "acts", "looks", "stranger"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(directory / name)], check=True
        )
    (directory / "host.ini").write_text("[host]\nrestart_server = no\n")
    (directory / "host.ini").chmod(0o644)
    command = f"{sys.executable} -I {mailward_host.__file__} --config {directory}/host.ini"
    lines = [
        f'command="{command}{option}",restrict {(directory / f"{name}.pub").read_text()}'
        for name, option in (("acts", ""), ("looks", " --read-only"))
    ]
    (directory / "authorized_keys").write_text("".join(lines))


async def _until_listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(ADDRESS, port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def test_the_boot_id_of_the_other_end(reached):
    assert read_boot_id() == await RemoteHost(reached.host()).boot_id()


async def test_the_host_itself_decides_whether_it_may_be_restarted(reached):
    with pytest.raises(Refused, match="does not allow its restart"):
        await RemoteHost(reached.host()).restart()


async def test_a_key_that_may_only_look(reached):
    assert read_boot_id() == await RemoteHost(reached.host("looks")).boot_id()
    with pytest.raises(Refused, match="this key may only look"):
        await reached.host("looks").ask("restart", seconds=20)


async def test_a_key_the_host_does_not_know_is_unknown_not_down(reached):
    with pytest.raises(TemporaryFailure, match="was not reached over ssh: .*Permission denied"):
        await reached.host("stranger").ask("boot-id", seconds=20)


@pytest.mark.parametrize("known_hosts", ["other_hosts", "no_hosts"])
async def test_a_host_with_another_key_than_the_pinned_one_is_not_spoken_to(known_hosts, reached):
    with pytest.raises(TemporaryFailure, match="was not reached over ssh: .*Host key verification failed"):
        await reached.runner(known_hosts=known_hosts).run(("boot-id",), timeout=20)


@pytest.mark.parametrize(
    "words",
    [
        (), ("id",), ("status; id",), ("boot-id\nid",), ("$(id)",), ("`id`",), ("boot-id", "&&", "id"), ("id", "-c"),
        ("sh", "-c", "id"), ("boot-id > /tmp/x",), ("A=b", "boot-id"), ("--config", "/tmp/evil", "boot-id"),
        ("--sudoers",), ("start", "--", "sshd.service"), ("doveadm", "-c", "/tmp/evil", "who"), ("/bin/sh",),
        ("ѕtatus",), ("x" * 100_000,),
    ],
    ids=lambda words: ascii(words)[:40],
)  # fmt: skip
async def test_whatever_an_attacker_asks_by_hand_is_answered_by_the_forced_command(words, reached):
    status, output = await reached.by_hand(*words)

    said = json.loads(output)
    assert (0, False) == (status, said["ok"])
    assert "uid=" not in output


@pytest.mark.parametrize("options", [("-tt",), ("-A",), ("-X",), ("-o", "SendEnv=PATH"), ("-s",)])
async def test_terminals_forwarding_environment_and_subsystems_are_no_way_around_it(options, reached):
    _, output = await reached.by_hand("sftp", options=options)

    assert output == "" or json.loads(output)["ok"] is False


async def test_no_port_is_forwarded(reached):
    status, output = await reached.by_hand(options=("-o", "ClearAllForwardings=no", "-W", f"{ADDRESS}:{reached.port}"))

    assert (255, "") == (status, output)


async def test_a_host_that_is_gone_is_unknown(reached):
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        gone = Reached(reached.directory, free.getsockname()[1])
    with pytest.raises(TemporaryFailure, match="Connection refused"):
        await gone.host().ask("boot-id", seconds=20)
