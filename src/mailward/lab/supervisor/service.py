"""
One supervised service: starting, watching and ending the process tree of a master that stays in the foreground.

Deeds (start, stop, reload …) happen one at a time; looking (`status`, `wait_for_change`) never waits for a deed.
As a child subreaper this process inherits what an ended master leaves behind, so nothing can escape it.
"""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mailward.lab.supervisor import packet_filter, processes
from mailward.lab.supervisor.processes import Process

#: How long a master may take to end in order.
STOP_GRACE_S = 3.0
#: How long sessions may take to say goodbye.
LEFTOVER_GRACE_S = 0.5
#: How long a started service may take until it listens.
START_GRACE_S = 8.0
#: How long a started service may take to have the processes that are to be kept stopped.
FREEZE_GRACE_S = 2.0
#: How often new ones are looked for.
FREEZE_AGAIN_S = 0.05

_PR_SET_CHILD_SUBREAPER = 36
#: The processes without which nobody can log in; a worker that waits is not the service being hung.
_VITAL = ("dovecot", "imap-login", "auth", "master")
_STOPPED = ("T", "t")
_IN_KERNEL = "D"


class NotDone(Exception):
    """A deed failed; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What there is to supervise."""

    name: str
    command: tuple[str, ...]
    check: tuple[str, ...]
    """Ends with status 0 when the configuration on disk is valid."""
    listeners: tuple[tuple[str, int], ...]
    """IPv4 address and port of each socket that makes the service a service."""
    output: Path
    """Receives what the service writes to its standard output and error."""
    program: str = "dovecot"
    """What it is called in sentences."""
    works_in_children: bool = False
    """Whether it starts processes of its own once every socket is open; before that it may still give up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What the service does; the members of the protocol's answer."""

    state: str
    because: str
    pid: int | None
    since: float
    starts: int
    in_kernel: bool = False
    leftovers: int = 0
    stuck: tuple[tuple[int, str, str], ...] = ()


class Service:
    """The service of one host."""

    def __init__(self, plan: Plan) -> None:
        """Prepare to supervise; nothing is started."""
        self._plan = plan
        self._deed = threading.RLock()
        self._changed = threading.Condition()
        self._spawned = threading.Event()
        self._checks: dict[int, tuple[bool, int] | None] = {}
        """Checks of the configuration under way, and how they ended; of no other process, whose pid may come again."""
        self._now = Status(state="stopped", because="it has not been started yet", pid=None, since=_clock(), starts=0)
        self._dropped: tuple[str, ...] = ()
        self._frozen: tuple[str, ...] = ()
        self._thaws_at_boot = False
        self._flaps_after: float | None = None
        self._power = threading.Lock()
        self._is_down = False
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for loop in (self._reap, self._keep_faults):
            threading.Thread(target=loop, daemon=True).start()

    # looking

    def status(self) -> Status:
        """Look at the service now."""
        now = self._now
        pid = now.pid
        below = processes.descendants(os.getpid())
        if pid is None:
            return replace(now, leftovers=len(below))
        stuck = _stuck(pid, below)
        if stuck and now.state == "running":
            names = ", ".join(sorted({process.name for process in stuck}))
            in_kernel = any(process.state == _IN_KERNEL for process in stuck)
            how = "waits in the kernel" if in_kernel else "was stopped by a signal"
            now = replace(now, state="hung", because=f"{names} {how}", in_kernel=in_kernel)
        return replace(
            now,
            leftovers=len(below) - len(_tree(pid, below)),
            stuck=tuple((process.pid, process.name, process.state) for process in stuck),
        )

    def wait_for_change(self, known: Status | None, *, seconds: float) -> Status:
        """Return the state as soon as it differs from *known*, or after that long."""
        with self._changed:
            self._changed.wait_for(lambda: self._now != known, timeout=seconds)
            return self._now

    def mistake(self) -> str | None:
        """What is wrong with the configuration on disk, or None; nothing is touched, and no deed is waited for."""
        with self._changed:
            pid = self._spawn(self._plan.check, quiet=True)
            self._checks[pid] = None
            self._changed.wait_for(lambda: self._checks[pid] is not None, timeout=START_GRACE_S)
            exited, status = self._checks.pop(pid) or (False, 0)
        if not exited:  # somebody ended it: that says nothing of the configuration
            raise NotDone("the check of the configuration on disk did not come to an end")
        return None if status == 0 else f"the configuration on disk is invalid: {_last_words(self._plan.output)}"

    # deeds

    def start(self) -> None:
        """Start the service unless it runs, and wait until it listens."""
        with self._deed:
            if self._now.pid is not None:
                return
            self._check()
            self._end_leftovers()
            pid = self._spawn(self._plan.command)
            self._become("starting", f"process {pid} was started", pid=pid, starts=self._now.starts + 1)
            deadline = time.monotonic() + START_GRACE_S
            while not self._is_up(pid):
                if not self._is_master(pid):
                    raise NotDone(f"{self._now.because}; its last words: {_last_words(self._plan.output)}")
                if time.monotonic() > deadline:
                    raise NotDone(f"process {pid} does not listen after {START_GRACE_S:.0f} s")
                time.sleep(0.005)
            if self._dropped:
                self._apply_drop()
            if self._frozen:
                self._await_frozen()
            self._become("running", f"{self._plan.program} runs as process {pid}", only_from="starting")

    def stop(self) -> None:
        """Stop the service on purpose, with every session it would leave behind."""
        with self._deed:
            pid = self._now.pid
            if pid is not None:
                self._become("stopping", "somebody asked this supervisor to stop it", pid=pid)
                master = processes.look_at(pid)
                if master is not None and master.state not in _STOPPED:
                    os.kill(pid, signal.SIGTERM)
                    self._await_end(pid, STOP_GRACE_S)
                if self._is_master(pid):
                    os.kill(pid, signal.SIGKILL)
                    self._await_end(pid, STOP_GRACE_S)
            self._end_leftovers()
            self._become("stopped", "somebody asked this supervisor to stop it")

    def restart(self) -> None:
        """Stop the service and start it, unless it could not be started again."""
        with self._deed:
            self._check()
            self.stop()
            self.start()

    def reload(self) -> None:
        """Have the service read its configuration again, if that is valid."""
        with self._deed:
            pid = self._now.pid
            if pid is None:
                raise NotDone(f"it does not run: {self._now.because}")
            self._check()
            os.kill(pid, signal.SIGHUP)

    def signal_tree(self, number: signal.Signals) -> None:
        """Send a signal to every process of the service, leftovers included."""
        processes.send(number, processes.descendants(os.getpid()))

    def drop(self, sources: Sequence[str]) -> None:
        """Let no packet from *sources* arrive, until told otherwise."""
        with self._deed:
            before, self._dropped = self._dropped, tuple(sources)
            try:
                self._apply_drop()
            except PermissionError as error:
                self._dropped = before
                raise NotDone(f"this kernel does not let this user filter packets: {error.strerror}") from error

    def freeze(self, titles: Sequence[str], *, until_boot: bool = False) -> None:
        """Keep processes stopped whose command line contains one of *titles*, until told otherwise or the next boot."""
        with self._deed:
            self._thaws_at_boot = until_boot
            thawed = [process for process in processes.descendants(os.getpid()) if _titled(process, self._frozen)]
            self._frozen = tuple(titles)
            processes.send(signal.SIGCONT, [process for process in thawed if not _titled(process, self._frozen)])
            self._stop_frozen()

    def flap(self, after_seconds: float | None) -> None:
        """Crash now, and again that long after each start, until told otherwise (None)."""
        self._flaps_after = after_seconds
        if after_seconds is not None:
            self.signal_tree(signal.SIGKILL)

    def lose_power(self) -> None:
        """End every process at once, and start none until the power is back."""
        with self._power:
            self._is_down = True
        self.end()

    def power_on(self) -> None:
        """The host boots: nothing has been started on it yet."""
        if self._thaws_at_boot:
            self._frozen, self._thaws_at_boot = (), False
        self._become("stopped", "the host has just booted and has not started it yet")
        with self._power:
            self._is_down = False

    def end(self) -> None:
        """End every process at once."""
        while below := processes.descendants(os.getpid()):
            processes.send(signal.SIGKILL, below)
            time.sleep(0.005)

    # inside

    def _apply_drop(self) -> None:
        packet_filter.drop(processes.descendants(os.getpid()), self._dropped)

    def _check(self) -> None:
        wrong = self.mistake()
        if wrong is not None:
            raise NotDone(wrong)

    def _spawn(self, command: Sequence[str], *, quiet: bool = False) -> int:
        with self._power:
            if self._is_down:
                raise NotDone("the host is down")
            pid = _spawn(command, self._plan.output, quiet=quiet)
        self._spawned.set()
        return pid

    def _end_leftovers(self) -> None:
        deadline = time.monotonic() + LEFTOVER_GRACE_S
        left = processes.descendants(os.getpid())
        processes.send(signal.SIGTERM, left)
        processes.send(signal.SIGCONT, left)
        while processes.descendants(os.getpid()) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.end()

    def _is_master(self, pid: int) -> bool:
        return self._now.pid == pid

    def _await_end(self, pid: int, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._now.pid != pid, timeout=seconds)

    def _become(
        self,
        state: str,
        because: str,
        *,
        pid: int | None = None,
        starts: int | None = None,
        only_from: str | None = None,
    ) -> None:
        with self._changed:
            if only_from is not None and self._now.state != only_from:
                return
            self._now = Status(
                state=state,
                because=because,
                pid=self._now.pid if only_from else pid,
                since=self._now.since if only_from else _clock(),
                starts=self._now.starts if starts is None else starts,
            )
            self._changed.notify_all()

    def _reap(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED)
            except ChildProcessError:
                self._spawned.wait()
                self._spawned.clear()
                continue
            if ended is not None:
                self._note_end(ended.si_pid, exited=ended.si_code == os.CLD_EXITED, status=ended.si_status)

    def _note_end(self, pid: int, *, exited: bool, status: int) -> None:
        with self._changed:
            if pid == self._now.pid:
                self._become(*_judge(self._now.state, pid, exited=exited, status=status))
            elif pid in self._checks:
                self._checks[pid] = (exited, status)
                self._changed.notify_all()

    def _keep_faults(self) -> None:
        while True:
            pause = 0.1
            if self._frozen:
                self._stop_frozen()
                pause = FREEZE_AGAIN_S
            flaps, now = self._flaps_after, self._now
            if flaps is not None and now.state == "running" and _clock() - now.since >= flaps:
                self.signal_tree(signal.SIGKILL)
            time.sleep(pause)

    def _is_up(self, pid: int) -> bool:
        if not _listening(self._plan.listeners):
            return False
        return not self._plan.works_in_children or bool(processes.descendants(pid))

    def _await_frozen(self) -> None:
        """Whoever started it must not meet it before it hangs again."""
        deadline = time.monotonic() + FREEZE_GRACE_S
        while time.monotonic() < deadline:
            self._stop_frozen()
            below = processes.descendants(os.getpid())
            if any(process.state in _STOPPED and _titled(process, self._frozen) for process in below):
                return
            time.sleep(FREEZE_AGAIN_S)

    def _stop_frozen(self) -> None:
        running = [process for process in processes.descendants(os.getpid()) if process.state not in _STOPPED]
        processes.send(signal.SIGSTOP, [process for process in running if _titled(process, self._frozen)])


def _judge(before: str, pid: int, *, exited: bool, status: int) -> tuple[str, str]:
    """What the end of the master means: failed, or stopped on purpose."""
    if before == "stopping":
        return "stopped", "somebody asked this supervisor to stop it"
    if exited and status == 0:
        return "stopped", f"process {pid} ended in order: somebody asked the service itself to stop"
    how = f"exited with status {status}" if exited else f"was ended by {signal.Signals(status).name}"
    return "failed", f"process {pid} {how}"


def _spawn(command: Sequence[str], output: Path, *, quiet: bool = False) -> int:
    log = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    standard_output = (os.POSIX_SPAWN_OPEN, 1, os.devnull if quiet else str(output), log, 0o600)
    return os.posix_spawn(
        command[0],
        list(command),
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            standard_output,
            (os.POSIX_SPAWN_OPEN, 2, str(output), log, 0o600),
        ],
        setsid=True,
    )


def _tree(master: int, below: Sequence[Process]) -> set[int]:
    """The master and what descends from it; the rest outlived a former master."""
    tree = {master}
    for process in below:  # parents come before their children
        if process.parent in tree:
            tree.add(process.pid)
    return tree


def _stuck(master: int, below: Sequence[Process]) -> list[Process]:
    """The processes without which nobody can log in that do not run."""
    tree = _tree(master, below)
    suspects = [
        process
        for process in below
        if process.pid == master
        or (process.pid in tree and process.name in _VITAL and not process.title.endswith("auth -w"))
    ]
    stuck = [process for process in suspects if process.state in _STOPPED]
    waiting = [process for process in suspects if process.state == _IN_KERNEL]
    for _ in range(4):  # a healthy process waits in the kernel for a moment, a hung one goes on doing so
        if not waiting:
            break
        time.sleep(0.03)
        seen = (processes.look_at(process.pid) for process in waiting)
        waiting = [process for process in seen if process is not None and process.state == _IN_KERNEL]
    return stuck + waiting


def _listening(wanted: Sequence[tuple[str, int]]) -> bool:
    """Whether all of these IPv4 addresses and ports are being listened on."""
    open_sockets = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state = line.split(maxsplit=4)[:4]
        if state == "0A":
            address, port = local.split(":")
            open_sockets.add((".".join(str(byte) for byte in reversed(bytes.fromhex(address))), int(port, 16)))
    return open_sockets.issuperset(wanted)


def _last_words(output: Path) -> str:
    try:
        lines = output.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "none"


def _titled(process: Process, titles: Sequence[str]) -> bool:
    title = process.title if titles else ""
    return any(wanted in title for wanted in titles)


def _clock() -> float:
    return time.time()  # noqa: TID251 - a process of its own, without the manager's Clock
