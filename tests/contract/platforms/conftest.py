"""Each implementation of ServiceControl with a service to control, and the means to kill it."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

import mailward
from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.command.host import CommandHost
from mailward.platforms.command.service import CommandService
from mailward.platforms.commands import DaemonStarter, Feeder, Finished, LocalRunner, Runner
from mailward.platforms.dovecot.service import DovecotService
from mailward.platforms.healers import Healers
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.linux.processes import children
from mailward.platforms.reach.conversation import MailwardHost
from mailward.platforms.reach.mailward_host import Host, Refusal, answer
from mailward.platforms.reach.remote_host import RemoteHost
from mailward.platforms.reach.remote_service import RemoteService
from mailward.platforms.reach.ssh import Destination, SshRunner
from mailward.platforms.supervisor.host import SupervisedHost
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.platforms.systemd.host import SystemdHost
from mailward.platforms.systemd.systemd_service import SystemdService
from mailward.ports.host_control import HostControl
from mailward.ports.service_control import ServiceControl
from mailward.testing.platform import TameHostControl, TameService

#: A master that ends in order like Dovecot: it removes its pid file, given as $0.
_MASTER = "trap 'rm -f \"$0\"; exit 0' TERM; trap : HUP; while :; do sleep 0.02; done"


@dataclass
class Controlled:
    """A running service and its control."""

    control: ServiceControl
    kill: Callable[[], Awaitable[None]]
    """Ends the master as a crash would."""
    can_start: bool
    unreachable: ServiceControl
    """A control whose host cannot be asked."""
    mark: Callable[[], None]
    """Has somebody else be at work."""


@pytest.fixture(params=["supervisor", "pid file", "doveadm", "command", "systemd", "ssh", "tame"])
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Controlled]:
    """One running service per implementation."""
    makers = {
        "supervisor": _supervised,
        "pid file": _by_pid_file,
        "doveadm": _by_doveadm,
        "command": _by_commands,
        "systemd": _by_systemd,
        "ssh": _by_ssh,
        "tame": _tame,
    }
    directory = Path(tempfile.mkdtemp(prefix="mwc-"))
    try:
        async with makers[request.param](directory) as controlled:
            yield controlled
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def _supervised(lab: Path) -> AsyncIterator[Controlled]:
    directory = lab / "host"  # a supervisor that ends removes its host's directory, and the one above: the lab's
    directory.mkdir()
    plan = {
        "name": "host",
        "command": ["/bin/sh", "-c", _MASTER, str(directory / "no.pid")],
        "check": ["/bin/true"],
        "listeners": [],
        "output": str(directory / "output.log"),
    }
    (directory / "supervisor.json").write_text(json.dumps(plan))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-m", "mailward.lab.supervisor", str(directory), "--owned",
        stdin=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(mailward.__file__).parent.parent)},
    )  # fmt: skip
    mark = lab / "mark"
    control = SupervisedService(directory / "control.sock", Healers((str(mark),), packages=False))

    async def kill() -> None:
        reader, writer = await asyncio.open_unix_connection(directory / "control.sock")
        writer.write(b'{"verb": "kill"}\n')
        await reader.readline()
        writer.close()

    try:
        await _until_running(control)
        await (
            control.start()
        )  # it counts as running while it starts; this returns once the supervisor is done with that
        unreachable = SupervisedService(directory / "nosuch.sock")
        yield Controlled(control, kill, can_start=True, unreachable=unreachable, mark=mark.touch)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _by_pid_file(directory: Path) -> AsyncIterator[Controlled]:
    pid_file = directory / "master.pid"
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", _MASTER, str(pid_file))
    pid_file.write_text(f"{process.pid}\n")
    (directory / "nonsense.pid").write_text("hello")

    async def kill() -> None:
        process.kill()
        await process.wait()

    mark = directory / "mark"
    control = PidFileService(pid_file, healers=Healers((str(mark),), packages=False))
    unreachable = PidFileService(directory / "nonsense.pid")
    try:
        await _until_running(control)
        yield Controlled(control, kill, can_start=False, unreachable=unreachable, mark=mark.touch)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def _by_doveadm(directory: Path) -> AsyncIterator[Controlled]:
    if shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin") is None:
        pytest.skip("dovecot is not installed")
    config = write_dovecot_configuration(directory)
    mark = directory / "mark"
    control = DovecotService(config, healers=Healers((str(mark),), packages=False))
    unreachable = DovecotService(directory / "nosuch.conf")

    async def kill() -> None:
        kill_tree((await control.status()).pid)

    await control.start()
    try:
        yield Controlled(control, kill, can_start=True, unreachable=unreachable, mark=mark.touch)
    finally:
        kill_tree((await control.status()).pid)


_INIT_SCRIPT = """
cd "$(dirname "$0")" || exit 4
alive() { [ -r pid ] && kill -0 "$(cat pid)" 2>/dev/null; }
case "$1" in
status) alive || { [ -e pid ] && exit 1; exit 3; }; echo "the master is there"; echo "pid=$(cat pid)" ;;
start) setsid sh -c 'trap "rm -f pid; exit 0" TERM; trap : HUP; echo $$ > pid; while :; do sleep 0.02; done' &
       while ! alive; do sleep 0.01; done ;;
stop) alive || { rm -f pid; exit 0; }; kill "$(cat pid)"; while [ -e pid ]; do sleep 0.01; done ;;
restart) sh "$0" stop && sh "$0" start ;;
reload) kill -HUP "$(cat pid)" ;;
check) : ;;
kill) kill -KILL "$(cat pid)"; while alive; do sleep 0.01; done ;;
esac
"""


@asynccontextmanager
async def _by_commands(directory: Path) -> AsyncIterator[Controlled]:
    (directory / "init").write_text(_INIT_SCRIPT)
    verbs = ("status", "start", "stop", "restart", "reload", "check", "kill")
    commands = {verb: ("/bin/sh", str(directory / "init"), verb) for verb in verbs}
    mark = directory / "mark"
    control = CommandService(
        commands,
        looking=LocalRunner(),
        doing=DaemonStarter(),
        healers=Healers((str(mark),), packages=False),
        look_again=timedelta(seconds=0.05),
    )
    unreachable = CommandService(
        {"status": ("/nosuch",), "stop": ("/nosuch",)}, looking=LocalRunner(), doing=DaemonStarter()
    )

    async def kill() -> None:
        await LocalRunner().run(commands["kill"], timeout=10)

    await control.start()
    try:
        yield Controlled(control, kill, can_start=True, unreachable=unreachable, mark=mark.touch)
    finally:
        if (await control.status()).pid is not None:
            await kill()


class LittleSystemd:
    """What systemctl(1) documents, for one unit with a real process; the machines of these tests have no systemd."""

    def __init__(self) -> None:
        self.unit = "imap.service"
        self.process: asyncio.subprocess.Process | None = None
        self.result = "success"

    async def run(self, argv: Sequence[str], *, timeout: float) -> Finished:
        """Be systemctl."""
        words = [word for word in argv[1:] if not word.startswith("-")]
        deeds = {"start": self.start, "stop": self.stop, "restart": self.restart, "reload": self.reload}
        if argv[0] != "systemctl" or words[-1] != self.unit:
            return Finished(status=5, output="", errors=f"Unit {words[-1]} not found.")
        if words[0] in deeds:
            await deeds[words[0]]()
        return Finished(status=0, output=self._shown() if words[0] == "show" else "", errors="")

    async def start(self) -> None:
        if self.process is None or self.process.returncode is not None:
            script = "trap 'exit 0' TERM; trap : HUP; echo ready; while :; do sleep 0.02; done"
            self.process = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=subprocess.PIPE)
            assert self.process.stdout is not None
            await self.process.stdout.readline()
            self.result = "success"

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def reload(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    async def kill(self) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def _shown(self) -> str:
        process = self.process
        runs = process is not None and process.returncode is None
        failed = process is not None and process.returncode not in (None, 0)
        properties = {
            "LoadState": "loaded",
            "ActiveState": "active" if runs else "failed" if failed else "inactive",
            "SubState": "running" if runs else "failed" if failed else "dead",
            "Result": "signal" if failed else "success",
            "MainPID": str(process.pid) if process is not None and runs else "0",
            "NRestarts": "0",
        }
        return "".join(f"{name}={value}\n" for name, value in properties.items())


@asynccontextmanager
async def _by_systemd(directory: Path) -> AsyncIterator[Controlled]:
    systemd, mark = LittleSystemd(), directory / "mark"
    await systemd.start()
    control = SystemdService(systemd.unit, systemd, healers=Healers((str(mark),), packages=False))
    try:
        yield Controlled(
            control, systemd.kill, can_start=True, unreachable=SystemdService("imap", _Gone()), mark=mark.touch
        )
    finally:
        await systemd.kill()


@asynccontextmanager
async def _by_ssh(directory: Path) -> AsyncIterator[Controlled]:
    systemd, mark = LittleSystemd(), directory / "mark"
    quiet = directory / "proc"
    (quiet / "1").mkdir(parents=True)
    (quiet / "locks").touch()
    host = Host(unit=systemd.unit, config="/etc/x.conf", marks=(str(mark),))
    await systemd.start()

    class Ssh:
        """ssh, sshd and the forced command, without the network."""

        async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
            if "nosuch" in argv:
                return Finished(status=255, output="", errors="No route to host")
            words = list(argv)[list(argv).index("--") + 2 :]
            loop = asyncio.get_running_loop()

            def execute(line: Sequence[str], seconds: int, **_: object) -> dict[str, object]:
                if "protocols" in line:  # doveconf, which accepts
                    return {"ok": True, "status": 0, "output": "imap", "errors": ""}
                plain = ["systemctl" if word == "/usr/bin/systemctl" else word for word in line if word != "--"]
                plain = plain[2:] if plain[0] == "/usr/bin/sudo" else plain
                said = asyncio.run_coroutine_threadsafe(systemd.run(plain, timeout=seconds), loop).result()
                return {"ok": True, "status": said.status, "output": said.output, "errors": said.errors}

            said = await asyncio.to_thread(answer, " ".join(words), host, execute, read_only=False, proc=quiet)
            return Finished(status=0, output=json.dumps(said), errors="")

    def remote(name: str) -> RemoteService:
        runner = SshRunner(Destination(user="u", host=name), key=Path("/k"), known_hosts=Path("/h"), runner=Ssh())
        return RemoteService(systemd.unit, MailwardHost(runner), look_again=timedelta(seconds=0.02))

    try:
        yield Controlled(remote("mbx1"), systemd.kill, can_start=True, unreachable=remote("nosuch"), mark=mark.touch)
    finally:
        await systemd.kill()


@asynccontextmanager
async def _tame(_: Path) -> AsyncIterator[Controlled]:
    control, unreachable = TameService(), TameService()
    unreachable.unreachable = "the host is gone"

    async def kill() -> None:
        control.become(ServiceState.FAILED, "it was killed")

    def mark() -> None:
        control.others = ("the test is at work",)

    yield Controlled(control, kill, can_start=True, unreachable=unreachable, mark=mark)


@dataclass
class ControlledHost:
    """A host and its control."""

    control: HostControl
    refusing: HostControl
    """A host that says no."""
    gone: HostControl
    """A host that does not answer."""


@pytest.fixture(params=["supervisor", "systemd", "command", "ssh", "tame"])
async def host(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ControlledHost]:
    """One machine per implementation; none is really restarted."""
    if request.param == "supervisor":
        async with _supervised_hosts(tmp_path) as made:
            yield made
    else:
        yield _HOSTS[request.param](tmp_path)


@asynccontextmanager
async def _supervised_hosts(directory: Path) -> AsyncIterator[ControlledHost]:
    boots = {"yes": 1, "no": 1}

    async def serve(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        verb = json.loads(await reader.readline())["verb"]
        said: dict[str, object] = {"ok": True, "boot_id": f"b{boots[name]}"}
        if verb == "restart-host" and name == "no":
            said = {"ok": False, "error": "the test says no"}
        elif verb == "restart-host":
            boots[name] += 1
        writer.write(json.dumps(said).encode() + b"\n")
        writer.close()

    servers = [
        await asyncio.start_unix_server(lambda r, w, name=name: serve(name, r, w), directory / f"{name}.sock")
        for name in boots
    ]
    try:
        yield ControlledHost(*(SupervisedHost(directory / f"{name}.sock") for name in ("yes", "no", "gone")))
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()


class _Rebooting:
    """A program that restarts a machine: it writes another boot id."""

    def __init__(self, boot_id: Path, *, refuses: bool = False) -> None:
        self._boot_id, self._refuses = boot_id, refuses
        boot_id.write_text("b1")

    async def run(self, argv: Sequence[str], *, timeout: float) -> Finished:
        if argv[-1] == "boots":
            return Finished(status=0, output=self._boot_id.read_text(), errors="")
        if self._refuses:
            return Finished(status=1, output="", errors="the test says no")
        self._boot_id.write_text("b2")
        return Finished(status=0, output="", errors="")


def _systemd_hosts(directory: Path) -> ControlledHost:
    paths = {name: directory / name for name in ("yes", "no")}
    return ControlledHost(
        SystemdHost(_Rebooting(paths["yes"]), boot_id=paths["yes"]),
        SystemdHost(_Rebooting(paths["no"], refuses=True), boot_id=paths["no"]),
        SystemdHost(_Gone(), boot_id=directory / "gone"),
    )


class _Gone:
    async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
        raise TemporaryFailure("it does not answer")


def _command_host(commands: dict[str, tuple[str, ...]], runner: Runner) -> CommandHost:
    return CommandHost(commands, looking=runner, doing=runner)


def _command_hosts(directory: Path) -> ControlledHost:
    commands = {"restart-server": ("power", "cycle"), "boot-id": ("power", "boots")}
    return ControlledHost(
        _command_host(commands, _Rebooting(directory / "yes")),
        _command_host(commands, _Rebooting(directory / "no", refuses=True)),
        _command_host(commands, _Gone()),
    )


def _ssh_hosts(directory: Path) -> ControlledHost:
    class Ssh:
        def __init__(self, *, allowed: bool) -> None:
            self._allowed, self._boot_id = allowed, directory / f"{allowed}" / "sys/kernel/random/boot_id"
            self._boot_id.parent.mkdir(parents=True)
            self._boot_id.write_text("b1")

        async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
            host = Host(unit="x.service", config="/x", may_restart_server=self._allowed)
            try:
                said = answer(argv[-1], host, self._reboot, read_only=False, proc=directory / f"{self._allowed}")
            except Refusal as refusal:
                said = {"ok": False, "error": str(refusal)}
            return Finished(status=0, output=json.dumps(said), errors="")

        def _reboot(self, argv: Sequence[str], seconds: int, **_: object) -> dict[str, object]:
            self._boot_id.write_text("b2")
            return {"ok": True, "status": 0, "output": "", "errors": ""}

    def remote(runner: Feeder) -> RemoteHost:
        to = Destination(user="u", host="mbx1")
        return RemoteHost(MailwardHost(SshRunner(to, key=Path("/k"), known_hosts=Path("/h"), runner=runner)))

    return ControlledHost(remote(Ssh(allowed=True)), remote(Ssh(allowed=False)), remote(_Gone()))


def _tame_hosts(_: Path) -> ControlledHost:
    yes, no, gone = TameHostControl(), TameHostControl(), TameHostControl()
    no.refusal = Refused("the test says no")
    gone.unreachable = "the machine does not answer"
    return ControlledHost(yes, no, gone)


_HOSTS = {"systemd": _systemd_hosts, "command": _command_hosts, "ssh": _ssh_hosts, "tame": _tame_hosts}


async def _until_running(control: ServiceControl) -> None:
    async with asyncio.timeout(10):
        while True:
            with suppress(TemporaryFailure):
                if (await control.status()).state is ServiceState.RUNNING:
                    return
            await asyncio.sleep(0.01)


def write_dovecot_configuration(directory: Path) -> Path:
    """A private Dovecot that serves IMAP on nothing but a unix socket."""
    config = directory / "dovecot.conf"
    as_root = "" if os.geteuid() == 0 else f"default_internal_user = {os.environ.get('USER', '')}\n"
    config.write_text(
        "protocols = imap\n"
        f"base_dir = {directory}/run\n"
        f"state_dir = {directory}/state\n"
        f"log_path = {directory}/dovecot.log\n"
        "ssl = no\n"
        f"{as_root}"
        "service imap-login {\n"
        "  inet_listener imap {\n    port = 0\n  }\n"
        "  inet_listener imaps {\n    port = 0\n  }\n"
        f"  unix_listener {directory}/imap.sock {{\n    mode = 0600\n  }}\n"
        "}\n"
    )
    return config


def kill_tree(master: int | None) -> None:
    """End a master and its children as a crash would."""
    if master is not None:
        for pid in (master, *(child.pid for child in children(master))):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
