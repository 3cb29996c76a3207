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
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.model.copies import ProxiedSession, SyncReport
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import LocalRunner
from mailward.platforms.dovecot.proxy import DovecotProxy
from mailward.platforms.dovecot.replication import DovecotReplication
from mailward.platforms.local.boot import read_boot_id
from mailward.platforms.reach import mailward_host
from mailward.platforms.reach.conversation import MailwardHost
from mailward.platforms.reach.remote_doveadm import RemoteDoveadm
from mailward.platforms.reach.remote_host import RemoteHost
from mailward.platforms.reach.ssh import LARGEST_ANSWER, Destination, SshRunner

ADDRESS = "127.0.94.1"


@dataclass
class Reached:
    """A host reached over ssh: two keys, one of which may only look."""

    directory: Path
    port: int

    def runner(self, key: str = "acts", known_hosts: str = "known_hosts") -> SshRunner:
        to = Destination(user="root", host=ADDRESS, port=self.port)
        runner = LocalRunner(largest=LARGEST_ANSWER)
        return SshRunner(to, key=self.directory / key, known_hosts=self.directory / known_hosts, runner=runner)

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
    for name in ("host", "acts", "looks", "stranger", "moves", "moves-looks"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(directory / name)], check=True
        )
    (directory / "host.ini").write_text("[host]\nrestart_server = no\n")
    (directory / "host.ini").chmod(0o644)
    command = f"{sys.executable} -I {mailward_host.__file__} --config {directory}/host.ini"
    installed = _install(directory / "installed")
    commands = {
        "acts": command,
        "looks": f"{command} --read-only",
        "moves": installed,
        "moves-looks": f"{installed} --read-only",
    }
    lines = [
        f'command="{command}",restrict {(directory / f"{name}.pub").read_text()}' for name, command in commands.items()
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


# doveadm, with programs that stand for sudo and doveadm

PEER = "tcp:mbx2.example.org:12345"
NAMES = ["anna", "o'neil", "a b; touch /tmp/x", "größe", "$(id)", "CONFIG"]

_SUDO = '''#!{python} -I
"""Runs what a line of sudoers allows, word for word, in a clean environment."""
import os, re, sys
asked = " ".join(sys.argv[3:])
lines = open("{directory}/sudoers").read().splitlines()
allowed = [re.sub(r"\\\\(.)", r"\\1", line.split("NOPASSWD: ")[1]) for line in lines if "NOPASSWD" in line]
if sys.argv[1:3] != ["-n", "--"] or asked not in allowed:
    sys.exit("sudo: a password is required")
os.execve(sys.argv[3], sys.argv[3:], {{"PATH": "/usr/bin:/bin"}})
'''
_DOVEADM = '''#!{python} -I
"""Notes its words and what it reads, and says what it is to say to the request that one of its words is."""
import json, os, sys, time
given = open("/dev/stdin").read() if "-F" in sys.argv else None
with open("{directory}/ran", "a") as file:
    file.write(json.dumps([sys.argv[1:], given]) + "\\n")
says = json.load(open("{directory}/says"))
status, output, errors = next((said for word, said in says.items() if word in sys.argv), (0, "", ""))
time.sleep(60 if output == "hang" else 0)
sys.stdout.write(output)
sys.stderr.write(errors)
sys.exit(status)
'''


class Installed:
    """mailward-host as it would be installed there, but that its programs are the test's."""

    def __init__(self, reached: Reached) -> None:
        self.reached = reached
        self.directory = reached.directory / "installed"
        self.says({})

    def says(self, answers: dict[str, tuple[int, str, str]]) -> None:
        """What doveadm says from now on; nothing has been run."""
        (self.directory / "says").write_text(json.dumps(answers))
        (self.directory / "ran").write_text("")

    def ran(self) -> list[list[object]]:
        """The words of each doveadm, and what it read."""
        return [json.loads(line) for line in (self.directory / "ran").read_text().splitlines()]

    def doveadm(self, key: str = "moves") -> RemoteDoveadm:
        return RemoteDoveadm(self.reached.host(key))

    async def by_hand(self, *words: str, given: bytes) -> dict[str, object]:
        """What an attacker with the key that acts gets for these words and that standard input."""
        argv = self.reached.runner("moves").words(words)
        return json.loads((await LocalRunner().run(argv, timeout=20, given=given)).output)


@pytest.fixture
def installed(reached: Reached) -> Installed:
    """Its program, configuration and sudoers as the page says, in a directory of the test."""
    return Installed(reached)


def _install(directory: Path) -> str:
    """Install it, and return what the forced command begins with."""
    directory.mkdir()
    text = Path(mailward_host.__file__).read_text()
    there = {
        '"/usr/bin/sudo"': f'"{directory}/sudo"',
        '"/usr/bin/doveadm"': f'"{directory}/doveadm"',
        '"/usr/bin/python3"': f'"{sys.executable}"',
        '"/usr/local/lib/mailward-host/mailward_host.py"': f'"{directory}/mailward_host.py"',
        '"/etc/mailward-host.ini"': f'"{directory}/mailward-host.ini"',
        "_LOOK_S, _DEED_S = 8, 95": "_LOOK_S, _DEED_S = 2, 95",
    }
    for usual, ours in there.items():
        assert 1 == text.count(usual), usual
        text = text.replace(usual, ours)
    program = directory / "mailward_host.py"
    program.write_text(text)
    (directory / "mailward-host.ini").write_text(f"[host]\npeers = {PEER}\n")
    (directory / "mailward-host.ini").chmod(0o644)
    for name, script in (("sudo", _SUDO), ("doveadm", _DOVEADM)):
        (directory / name).write_text(script.format(python=sys.executable, directory=directory))
        (directory / name).chmod(0o755)
    command = [sys.executable, "-I", str(program)]
    printed = subprocess.run([*command, "--sudoers"], capture_output=True, text=True, check=True, timeout=20).stdout
    (directory / "sudoers").write_text(printed)
    return " ".join(command)


CONFIG = ["-c", "/etc/dovecot/dovecot.conf"]


@pytest.mark.parametrize("key", ["moves", "moves-looks"])
async def test_sessions_and_replication_of_another_host_are_seen_with_either_key(key, installed):
    session = {"username": "größe", "service": "imap", "src-ip": "::1", "dest-ip": "192.0.2.7", "dest-port": "993"}
    row = {"username": "anna", "priority": "none", "success sync": "00:00:07", "failed": "-"}
    installed.says({"proxy": (0, json.dumps([session] * 9_000), ""), "replicator": (0, json.dumps([row]), "")})

    sessions = await DovecotProxy(installed.doveadm(key)).sessions()
    syncs = await DovecotReplication(installed.doveadm(key), {}).status()

    assert [ProxiedSession(mailbox="größe", address="192.0.2.7")] * 9_000 == list(sessions)
    assert timedelta(seconds=7) == syncs["anna"].last_success
    assert [
        [[*CONFIG, "-f", "json", "proxy", "list"], None],
        [[*CONFIG, "-f", "json", "replicator", "status", "*"], None],
    ] == installed.ran()


async def test_sessions_of_another_host_are_ended_and_its_cache_is_flushed(installed):
    proxy = DovecotProxy(installed.doveadm())

    await proxy.forget()
    await proxy.end_sessions(NAMES)

    assert [
        [[*CONFIG, "auth", "cache", "flush"], None],
        [[*CONFIG, "proxy", "kick", "--", *NAMES], None],
    ] == installed.ran()


async def test_mailboxes_of_another_host_are_hastened_in_turn_until_one_fails(installed):
    replication = DovecotReplication(installed.doveadm(), {})
    installed.says({"größe": (75, "", "Fatal: net_connect_unix failed\n")})

    with pytest.raises(TemporaryFailure, match="größe: Fatal: net_connect_unix failed"):
        await replication.hasten(NAMES)

    assert [[*CONFIG, "replicator", "replicate", "-p", "high", "--", name] for name in NAMES[:4]] == [
        words for words, _ in installed.ran()
    ]


async def test_mailboxes_of_another_host_are_synchronised_and_one_that_fails_is_named(installed):
    replication = DovecotReplication(installed.doveadm(), {"mbx2": PEER})
    assert SyncReport(done=tuple(NAMES)) == await replication.synchronise(NAMES, with_server="mbx2")
    assert [[[*CONFIG, "sync", "-F", "/dev/stdin", PEER], "".join(f"{name}\n" for name in NAMES)]] == installed.ran()

    refused = "doveadm(boris): Fatal: connect(mbx2:12345) failed: Connection refused\n"
    installed.says({"-F": (75, "", "doveadm: Error: Failed\n"), "boris": (75, "", refused)})
    report = await replication.synchronise(["anna", "boris", "o'neil"], with_server="mbx2")

    assert ("anna", "o'neil") == report.done
    assert (("boris", "connect(mbx2:12345) failed: Connection refused"),) == report.failed
    assert [[*CONFIG, "sync", "-u", "boris", PEER], None] == installed.ran()[2]


async def test_a_dovecot_without_replicator_on_another_host(installed):
    installed.says({"replicator": (64, "", "usage: doveadm [-Dv]\n")})

    with pytest.raises(Refused, match="this Dovecot has no replicator"):
        await DovecotReplication(installed.doveadm(), {}).status()


@pytest.mark.parametrize("request_", [("auth", "cache", "flush"), ("proxy", "kick"), ("sync", PEER)])
async def test_a_key_that_may_only_look_ends_and_synchronises_nothing(request_, installed):
    with pytest.raises(Refused, match="this key may only look"):
        await installed.doveadm("moves-looks").run(*request_, mailboxes=["anna"])

    assert [] == installed.ran()


async def test_a_peer_that_is_not_in_its_own_configuration_is_refused(installed):
    with pytest.raises(Refused, match="nothing is synchronised with tcp:evil.example.org:1"):
        await installed.doveadm().run("sync", "tcp:evil.example.org:1", mailboxes=["anna"])

    assert [] == installed.ran()


@pytest.mark.parametrize(
    "given",
    [
        b"", b"\n", b"-A\n", b"anna\n-A\n", b"--\n", b"-S/tmp/evil.sock\n", b"*\n", b"anna\n?\n", b"anna\0\n",
        b"anna\r\n", b"\xff\n", "a\u2028b\n".encode(), b"x" * 256 + b"\n", b"x\n" * 501,
        b"x\n" * 5_000_000, b"x" * 5_000_000,
    ],
    ids=lambda given: ascii(given)[:30],
)  # fmt: skip
@pytest.mark.parametrize("words", [("doveadm", "proxy", "kick"), ("doveadm", "sync", PEER)], ids=" ".join)
async def test_whatever_names_an_attacker_sends_nothing_is_run_but_for_mailboxes(words, given, installed):
    said = await installed.by_hand(*words, given=given)

    assert (False, []) == (said["ok"], installed.ran())


@pytest.mark.parametrize(
    "words",
    [
        ("doveadm", "proxy", "kick", "anna"), ("doveadm", "sync", "-A", PEER),
        ("--as-root", "doveadm", "proxy", "kick"), ("doveadm", "replicator", "remove"),
        ("doveadm", "-c", "/tmp/x", "proxy", "kick"),
    ],
    ids=" ".join,
)  # fmt: skip
async def test_other_words_of_doveadm_are_no_requests(words, installed):
    said = await installed.by_hand(*words, given=b"anna\n")

    assert (False, []) == (said["ok"], installed.ran())
    assert "there is no such request" in str(said["error"])


async def test_a_command_that_sudoers_lack_is_refused(installed):
    sudoers = installed.directory / "sudoers"
    everything = sudoers.read_text()
    sudoers.write_text("".join(line for line in everything.splitlines(keepends=True) if "kick" not in line))
    try:
        with pytest.raises(Refused, match="its sudoers lacks this command"):
            await DovecotProxy(installed.doveadm()).end_sessions(["anna"])
    finally:
        sudoers.write_text(everything)


async def test_a_doveadm_that_hangs_is_ended_there_and_what_it_was_about_is_not_done(installed):
    installed.says({"kick": (0, "hang", "")})

    with pytest.raises(TemporaryFailure, match="sessions were not ended: .*did not end within"):
        await DovecotProxy(installed.doveadm()).end_sessions(["anna"])

    doveadm = f"{installed.directory}/doveadm".encode()
    alive = [line for file in Path("/proc").glob("[0-9]*/cmdline") for line in _words_of(file) if line == doveadm]
    assert [] == alive


def _words_of(cmdline: Path) -> list[bytes]:
    with suppress(OSError):
        return cmdline.read_bytes().split(b"\0")
    return []


async def test_names_that_do_not_come_are_not_waited_for(installed):
    argv = installed.reached.runner("moves").words(("doveadm", "proxy", "kick"))
    ssh = await asyncio.create_subprocess_exec(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert ssh.stdin is not None
    assert ssh.stdout is not None
    ssh.stdin.write(b"anna\n")

    async with asyncio.timeout(20):
        said = json.loads(await ssh.stdout.readline())
    ssh.stdin.close()
    await ssh.wait()

    assert (False, True, []) == (said["ok"], said["unknown"], installed.ran())
    assert "did not come within 2 s" in said["error"]
