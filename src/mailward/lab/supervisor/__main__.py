"""Run the supervisor of one lab host: `python -m mailward.lab.supervisor DIRECTORY [--owned | --detached]`."""

import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mailward.lab.supervisor.door import Door
from mailward.lab.supervisor.machine import Machine
from mailward.lab.supervisor.mounts import let_go_below
from mailward.lab.supervisor.processes import all_processes
from mailward.lab.supervisor.service import NotDone, Plan, Service, Status

Request = Mapping[str, object]
#: How long a host that restarts is away.
DOWN_SECONDS = 3.0
#: How long a manager may take to end, and a little more.
MANAGER_ENDS_WITHIN = 10.0


def main() -> None:
    """
    Supervise the host whose directory is the first argument.

    With --owned until standard input ends, and then its lab is removed; with --detached as nobody's child.
    """
    directory = Path(sys.argv[1])
    if "--detached" in sys.argv[2:] and os.fork():
        os._exit(0)
    known = json.loads((directory / "supervisor.json").read_text())
    service = Service(_read_plan(known))
    door = Door(directory / "control.sock")
    machine = Machine(service, door, down_seconds=float(known.get("down_seconds", DOWN_SECONDS)))
    ending = Ending(service, directory)
    signal.signal(signal.SIGTERM, lambda *_: ending.now(remove=False))
    if "--owned" in sys.argv[2:]:
        threading.Thread(target=_outlive_owner, args=(ending,), daemon=True).start()
    machine.boot()
    clients = Clients(service, machine, ending)
    while True:
        connection = door.accept()
        threading.Thread(target=clients.serve, args=(connection, door), daemon=True).start()


class Ending:
    """How this supervisor ends: with every process of its host."""

    def __init__(self, service: Service, directory: Path) -> None:
        """Nothing happens yet."""
        self._service = service
        self._directory = directory

    def now(self, *, remove: bool) -> None:
        """End the host; with *remove* also its directory and, after the last host, the lab's."""
        self._service.end()
        (self._directory / "control.sock").unlink(missing_ok=True)
        if remove:
            _remove(self._directory)
        os._exit(0)


def _remove(directory: Path) -> None:
    """Remove a host's directory, and the lab's after its last host. What is not part of a lab is never touched."""
    lab = directory.parent
    if not (lab / "lab.json").is_file():
        return
    let_go_below(directory)
    shutil.rmtree(directory, ignore_errors=True)
    if not any(lab.glob("*/control.sock")):
        _remove_for_good(lab)


def _remove_for_good(lab: Path) -> None:
    """Its manager ends at the same moment; one that still ran would make its database anew when that was removed."""
    until = time.monotonic() + MANAGER_ENDS_WITHIN
    while _has_manager(lab) and time.monotonic() < until:
        time.sleep(0.05)
    shutil.rmtree(lab, ignore_errors=True)
    while lab.exists() and time.monotonic() < until:  # somebody else still writes his last words into it
        time.sleep(0.05)
        shutil.rmtree(lab, ignore_errors=True)


def _has_manager(lab: Path) -> bool:
    return any(f"--config {lab}/" in process.title for process in all_processes())


def _read_plan(known: Mapping[str, Any]) -> Plan:
    return Plan(
        name=known["name"],
        program=known.get("program", "dovecot"),
        command=tuple(known["command"]),
        check=tuple(known["check"]),
        listeners=tuple((address, port) for address, port in known["listeners"]),
        output=Path(known["output"]),
        works_in_children=known.get("works_in_children") is True,
    )


def _outlive_owner(ending: Ending) -> None:
    while os.read(0, 1024):
        pass
    ending.now(remove=True)


class Clients:
    """What clients may ask of this host."""

    def __init__(self, service: Service, machine: Machine, ending: Ending) -> None:
        """Nobody asks yet."""
        self._service = service
        self._machine = machine
        self._ending = ending

    def serve(self, connection: socket.socket, door: Door) -> None:
        """Answer one client until it goes, or the host does."""
        verb = None
        with connection, connection.makefile("rwb") as stream, suppress(OSError, ValueError):
            for line in stream:
                request = json.loads(line)
                verb = request.get("verb")
                if verb == "watch":
                    _watch(connection, self._service)
                    break
                stream.write(_line(self._answer(request)))
                stream.flush()
                if verb == "shutdown":
                    self._ending.now(remove=False)
                if verb == "restart-host":
                    break
        door.left(connection)
        if verb == "restart-host":
            self._machine.restart()

    def _answer(self, request: Request) -> dict[str, object]:
        deeds, looks = self._deeds(request), self._looks()
        verb = str(request.get("verb"))
        try:
            if verb in looks:
                return {"ok": True, **looks[verb]()}
            if verb in deeds:
                deeds[verb]()
                return _as_answer(self._service.status())
        except NotDone as error:
            return {"ok": False, "error": str(error)}
        known = ", ".join((*deeds, *looks, "watch"))
        return {"ok": False, "error": f"there is no verb {verb!r}; known: {known}"}

    def _looks(self) -> Mapping[str, Callable[[], Mapping[str, object]]]:
        return {
            "check": self._check,
            "boot-id": lambda: {"boot_id": self._machine.boot_id, "boots": self._machine.boots},
        }

    def _check(self) -> Mapping[str, object]:
        wrong = self._service.mistake()
        return {"valid": wrong is None, "because": wrong or "the configuration on disk is valid"}

    def _deeds(self, request: Request) -> Mapping[str, Callable[[], None]]:
        service = self._service
        return {
            "status": lambda: None,
            "start": service.start,
            "stop": service.stop,
            "restart": service.restart,
            "reload": service.reload,
            "restart-host": lambda: None,  # done once this is answered
            "drop": lambda: service.drop(_words(request, "sources")),
            "freeze": lambda: service.freeze(_words(request, "titles"), until_boot=request.get("until_boot") is True),
            "flap": lambda: service.flap(_seconds(request)),
            "kill": lambda: service.signal_tree(signal.SIGKILL),
            "hang": lambda: service.signal_tree(signal.SIGSTOP),
            "resume": lambda: service.signal_tree(signal.SIGCONT),
            "shutdown": service.end,
        }


def _watch(connection: socket.socket, service: Service) -> None:
    known: Status | None = None
    while not select.select([connection], [], [], 0)[0]:  # readable here means: the client closed
        now = service.wait_for_change(known, seconds=1.0)
        if now != known:
            known = now
            connection.sendall(_line(_as_answer(now)))


def _as_answer(status: Status) -> dict[str, object]:
    return {"ok": True, **asdict(status), "supervisor": os.getpid()}


def _line(answer: Mapping[str, object]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _words(request: Request, member: str) -> list[str]:
    given = request.get(member, [])
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        raise NotDone(f"{member} must be a list of words")
    return given


def _seconds(request: Request) -> float | None:
    given = request.get("after_seconds")
    if given is None:
        return None
    if not isinstance(given, int | float) or isinstance(given, bool) or given < 0:
        raise NotDone("after_seconds must be a number that is not negative, or left out")
    return float(given)


if __name__ == "__main__":
    main()
