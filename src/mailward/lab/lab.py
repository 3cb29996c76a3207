"""
A lab: an organization of real Dovecots on this machine, up in two seconds and gone without a trace.

Everything lives in one directory. Each host has a supervisor process of its own; whoever reads `lab.json` in the
directory can look at the lab, break and heal it. A lab that is owned ends with the process that brought it up, however
that ends; one that is not lasts until `down`.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Self

from mailward.lab import control, journal, preparation, session
from mailward.lab.blueprint import Blueprint, LabHost, Shape
from mailward.lab.faults import Fault, catalogue
from mailward.lab.programs import missing_programs
from mailward.lab.session import BROKEN
from mailward.lab.state import read_blueprint
from mailward.lab.supervising import last_words, supervise
from mailward.lab.supervisor import packet_filter, processes
from mailward.lab.supervisor.mounts import let_go_below
from mailward.lab.watch_configuration import Timings, write_configuration
from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure

__all__ = ["Lab", "missing_programs"]

#: A service that fails to start is told at once; these are for a machine that has much else to do.
_UP_SECONDS = 60.0
_HEAL_SECONDS = 60.0
#: Dovecot's programs and HAProxy, as the process table shows them (the kernel keeps 15 letters).
_OWN_NAMES = frozenset(
    {
        *("dovecot", "anvil", "log", "config", "stats", "auth"),
        *("imap-login", "imap", "lmtp", "ipc", "doveadm-server", "aggregator", "replicator"),
        "haproxy",
    }
)


class Lab:
    """A running lab."""

    def __init__(self, blueprint: Blueprint) -> None:
        """Use `Lab.up` or `Lab.attach`."""
        self.blueprint = blueprint
        self._supervisors: dict[str, subprocess.Popen[bytes]] = {}

    @classmethod
    def up(
        cls,
        shape: Shape = Shape.TWO_TIER,
        directory: Path | None = None,
        *,
        owned: bool = True,
        more_users: int = 0,
    ) -> Self:
        """
        Bring a lab up and return when users can log in.

        Args:
            shape: What kind of organization.
            directory: Where it lives; it must not exist, or be empty. By default a new one in the temporary directory.
            owned: Whether the lab ends with this process.
            more_users: How many users the first database has beside the usual ones.

        Raises:
            Refused: The directory cannot be used.
            PermanentFailure: Dovecot is missing or did not start; the text says why. Nothing is left behind.
        """
        with preparation.ended_in_order():
            lab = cls(preparation.plan(shape, directory, more_users=more_users))
            try:
                preparation.write(lab.blueprint)
                for host in lab.blueprint.machines:
                    lab._supervisors[host.name] = supervise(host, owned=owned)
                lab._await_service()
            except BaseException:
                lab.down()
                raise
        return lab

    @classmethod
    def attach(cls, directory: Path) -> Self:
        """
        Attach to a lab that somebody else brought up.

        Raises:
            Refused: There is no lab in that directory.
        """
        return cls(read_blueprint(directory))

    def __enter__(self) -> Self:
        """Use the lab for a while."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the lab down."""
        self.down()

    def down(self) -> None:
        """End every process of the lab and remove its directory. Doing it twice does no harm."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(self._shut_down, self.blueprint.machines))
        deadline = time.monotonic() + 3
        while left := self._survivors():
            processes.send(signal.SIGKILL, left)
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        for supervisor in self._supervisors.values():
            supervisor.wait(timeout=3)
            if supervisor.stdin is not None:
                supervisor.stdin.close()
        let_go_below(self.blueprint.directory)
        shutil.rmtree(self.blueprint.directory, ignore_errors=True)

    def status(self) -> Mapping[str, Mapping[str, object]]:
        """What each host's supervisor says of its service; of a host without supervisor: state unknown."""
        return {host.name: self._look(host) for host in self.blueprint.machines}

    @property
    def configuration(self) -> Path:
        """The mailward configuration that watches this lab, at default timings."""
        return self.blueprint.directory / "mailward" / "mailward.toml"

    def write_configuration(
        self,
        *,
        timings: Timings = Timings.DEFAULT,
        mode: str | None = None,
        listen: str | None = None,
        more: str = "",
    ) -> Path:
        """Write the configuration that watches this lab anew: other timings, another mode, more TOML. The file."""
        return write_configuration(self.blueprint, timings=timings, mode=mode, listen=listen, more=more)

    def start(self, host: str) -> None:
        """Start the service of that host."""
        control.ask(self.blueprint.host(host).control_socket, "start")

    def stop(self, host: str) -> None:
        """Stop the service of that host on purpose."""
        control.ask(self.blueprint.host(host).control_socket, "stop")

    def log_in(self, user: str, *, on: str, source: str | None = None) -> str | None:
        """Log *user* in on that host, from *source* or the prober's address; return the mailbox server that served."""
        with session.logged_in(self.blueprint, self.blueprint.host(on), user, source=source) as client:
            answer, words = client.select()
            if answer != "OK":
                raise client.error(f"SELECT INBOX: {answer} {words[0]!r}")
            return session.serving_server(client)

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Every fault this lab can have, by name."""
        return catalogue(self.blueprint.shape)

    @property
    def active_faults(self) -> tuple[str, ...]:
        """The names of the faults it has now, the oldest first."""
        return tuple(journal.active(self.blueprint.directory))

    def why_not(self, fault: Fault) -> str | None:
        """Why this lab cannot have that fault here, or None when it can."""
        if fault.needs_root and self.blueprint.rootless:
            return f"{fault.name} needs root: it mounts a file system"
        if fault.needs_packet_filter and not packet_filter.permitted():
            return f"{fault.name} needs a packet filter, which this kernel keeps for root"
        return None

    def break_(self, name: str) -> Fault:
        """
        Inject a fault; it has taken effect when this returns.

        Raises:
            Refused: There is no such fault, it cannot be had here, or the lab has it already.
            PermanentFailure: It did not take effect.
        """
        fault = self._fault(name)
        hindrance = self.why_not(fault)
        if hindrance:
            raise Refused(hindrance)
        with journal.open_journal(self.blueprint.directory) as entries:
            if fault.name in entries:
                raise Refused(f"the lab has {fault.name} already")
            entries[fault.name] = {}
            entries[fault.name] = fault.inject(self.blueprint)
        return fault

    def heal(self, name: str | None = None) -> tuple[Fault, ...]:
        """
        Heal one fault, or all of them in reverse order, and return when users can log in again.

        Raises:
            Refused: The lab does not have that fault.
            PermanentFailure: Users cannot log in although no fault is left; the text says who, where, and what came.
        """
        healed = []
        with journal.open_journal(self.blueprint.directory) as entries:
            wanted = tuple(reversed(entries)) if name is None else (self._fault(name).name,)
            for known in wanted:
                if known not in entries:
                    raise Refused(f"the lab does not have {known}; it has {', '.join(entries) or 'no fault'}")
                fault = self._fault(known)
                fault.heal(self.blueprint, entries[known])
                del entries[known]
                healed.append(fault)
            if not entries:
                self._await_users()
        return tuple(healed)

    def _fault(self, name: str) -> Fault:
        known = self.faults
        for fault in known.values():
            if fault.name.lower() == name.lower():
                return fault
        nearest = get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise Refused(f"there is no fault {name!r}{hint}")

    def _await_users(self) -> None:
        """Log one user of each database in on every entrance, and each health mailbox on its own server."""
        asked = [
            *(
                (host.name, database.users[0])
                for host in self.blueprint.entrances
                for database in self.blueprint.databases
            ),
            *((host.name, self.blueprint.local_health_user(host)) for host in self.blueprint.hosts),
        ]
        deadline = time.monotonic() + _HEAL_SECONDS
        for host, user in asked:
            while True:
                try:
                    self.log_in(user, on=host)
                    break
                except BROKEN as error:
                    if time.monotonic() > deadline:
                        raise PermanentFailure(
                            f"{user} cannot log in on {host} although it was healed: {error}"
                        ) from error
                    time.sleep(0.05)

    def _look(self, host: LabHost) -> Mapping[str, object]:
        try:
            return control.ask(host.control_socket, "status", seconds=3)
        except (TemporaryFailure, Refused) as error:
            return {"ok": False, "state": "unknown", "because": str(error)}

    def _shut_down(self, host: LabHost) -> None:
        with suppress(TemporaryFailure, Refused):
            control.ask(host.control_socket, "shutdown", seconds=3)

    def _survivors(self) -> list[processes.Process]:
        """What is left of the lab's own processes; never somebody's shell or editor in its directory."""
        return [
            process
            for process in processes.working_below(self.blueprint.directory)
            if process.name in _OWN_NAMES or "mailward.lab." in process.title
        ]

    def _await_service(self) -> None:
        deadline = time.monotonic() + _UP_SECONDS
        waiting = {host.name: host for host in self.blueprint.machines}
        while waiting:
            for host in tuple(waiting.values()):
                seen = self._look(host)
                if seen["state"] == "running":
                    del waiting[host.name]
                elif seen["state"] == "failed" or self._supervisors[host.name].poll():
                    raise PermanentFailure(f"the service of {host.name} did not start: {last_words(host)}")
            if time.monotonic() > deadline:
                raise PermanentFailure(f"nothing answers on {', '.join(waiting)}: {seen['because']}")
            time.sleep(0.005)
