"""A mailward-host at the other end of an ssh that is not there: the real program's answers, without its programs."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mailward.platforms.commands import Finished
from mailward.platforms.reach.conversation import MailwardHost
from mailward.platforms.reach.mailward_host import Host, Refusal, Unseen, answer
from mailward.platforms.reach.ssh import Destination, SshRunner

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "Result": "success",
    "MainPID": "0",
    "NRestarts": "0",
    "ExecMainStartTimestamp": "@1795480929",
}


class OtherEnd:
    """Runs the requests that ssh would carry; what programs there say is set by the test."""

    def __init__(self, proc: Path) -> None:
        self.host = Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf", may_restart_server=True)
        self.read_only = False
        self.properties = dict(RUNNING)
        self.finished: dict[str, tuple[int, str]] = {}
        """Exit status and errors of what is run, by a word of its argv."""
        self.ssh: list[tuple[str, ...]] = []
        self.ran: list[tuple[str, ...]] = []
        self.given: list[bytes] = []
        """What each program reads."""
        self.output = ""
        """What each program says."""
        self.lost: Exception | Finished | None = None
        """What happens instead of an answer."""
        self._proc = proc

    async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
        """Be ssh and, behind it, sshd with the forced command."""
        self.ssh.append(tuple(argv))
        if isinstance(self.lost, Exception):
            raise self.lost
        if self.lost is not None:
            return self.lost
        after = list(argv)[list(argv).index("--") + 1 :]
        request = " ".join(after[1:])  # what sshd makes of the words after the host
        assert shlex.split(request) == after[1:]
        try:
            said = answer(
                request, self.host, self._execute, read_only=self.read_only, proc=self._proc, given=lambda: given
            )
        except (Refusal, Unseen) as problem:
            said = {"ok": False, "error": str(problem), "unknown": isinstance(problem, Unseen)}
        return Finished(status=0, output=json.dumps(said) + "\n", errors="")

    def _execute(self, argv: Sequence[str], seconds: int, *, given: bytes = b"", largest: int = 0) -> Mapping[str, Any]:
        self.ran.append(tuple(argv))
        self.given.append(given)
        if "show" in argv:
            output = "".join(f"{key}={value}\n" for key, value in self.properties.items())
            return {"ok": True, "status": 0, "output": output, "errors": ""}
        status, errors = next((said for word, said in self.finished.items() if word in argv), (0, ""))
        return {"ok": True, "status": status, "output": self.output, "errors": errors}


@pytest.fixture
def other_end(tmp_path: Path) -> OtherEnd:
    """A host where the unit runs and nobody else is at work."""
    proc = tmp_path / "proc"
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "sys/kernel/random/boot_id").write_text("b1\n")
    (proc / "locks").touch()
    (proc / "1").mkdir()
    return OtherEnd(proc)


@pytest.fixture
def mailward_host(other_end: OtherEnd) -> MailwardHost:
    """The conversation with it."""
    to = Destination(user="mailward-host", host="mbx1.example", port=2222)
    return MailwardHost(SshRunner(to, key=Path("/key"), known_hosts=Path("/known hosts"), runner=other_end))


@pytest.fixture
def a_process(tmp_path: Path) -> Callable[[int, str, str, int], None]:
    """Puts a process into the other end's process table."""

    def put(pid: int, name: str, state: str, parent: int) -> None:
        directory = tmp_path / "proc" / str(pid)
        directory.mkdir()
        (directory / "stat").write_text(f"{pid} ({name}) {state} {parent} 0 0")
        (directory / "cmdline").write_bytes(name.encode() + b"\0")

    return put
