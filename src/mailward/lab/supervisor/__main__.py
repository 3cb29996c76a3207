"""Run the supervisor of one lab host: `python -m mailward.lab.supervisor DIRECTORY [--owned | --detached]`."""

import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from mailward.lab.supervisor.mounts import let_go_below
from mailward.lab.supervisor.service import NotDone, Plan, Service, Status

Request = Mapping[str, object]


def main() -> None:
    """
    Supervise the host whose directory is the first argument.

    With --owned until standard input ends, and then its lab is removed; with --detached as nobody's child.
    """
    directory = Path(sys.argv[1])
    if "--detached" in sys.argv[2:] and os.fork():
        os._exit(0)
    service = Service(_read_plan(directory / "supervisor.json"))
    door = _open_door(directory / "control.sock")
    ending = Ending(service, directory)
    signal.signal(signal.SIGTERM, lambda *_: ending.now(remove=False))
    if "--owned" in sys.argv[2:]:
        threading.Thread(target=_outlive_owner, args=(ending,), daemon=True).start()
    threading.Thread(target=_first_start, args=(service,), daemon=True).start()
    while True:
        connection, _ = door.accept()
        threading.Thread(target=_serve, args=(connection, service, ending), daemon=True).start()


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
        shutil.rmtree(lab, ignore_errors=True)


def _read_plan(path: Path) -> Plan:
    known = json.loads(path.read_text())
    return Plan(
        name=known["name"],
        command=tuple(known["command"]),
        check=tuple(known["check"]),
        listeners=tuple((address, port) for address, port in known["listeners"]),
        output=Path(known["output"]),
    )


def _open_door(path: Path) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    door.bind(str(path))
    os.umask(before)
    door.listen(64)
    return door


def _first_start(service: Service) -> None:
    try:
        service.start()
    except NotDone as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - the supervisor's own log


def _outlive_owner(ending: Ending) -> None:
    while os.read(0, 1024):
        pass
    ending.now(remove=True)


def _serve(connection: socket.socket, service: Service, ending: Ending) -> None:
    with connection, connection.makefile("rwb") as stream:
        try:
            for line in stream:
                request = json.loads(line)
                if request.get("verb") == "watch":
                    _watch(connection, service)
                    return
                stream.write(_line(_answer(request, service)))
                stream.flush()
                if request.get("verb") == "shutdown":
                    ending.now(remove=False)
        except (OSError, ValueError):
            return


def _answer(request: Request, service: Service) -> dict[str, object]:
    verbs: dict[str, Callable[[], None]] = {
        "status": lambda: None,
        "start": service.start,
        "stop": service.stop,
        "restart": service.restart,
        "reload": service.reload,
        "drop": lambda: service.drop(_words(request, "sources")),
        "freeze": lambda: service.freeze(_words(request, "titles")),
        "kill": lambda: service.signal_tree(signal.SIGKILL),
        "hang": lambda: service.signal_tree(signal.SIGSTOP),
        "resume": lambda: service.signal_tree(signal.SIGCONT),
        "shutdown": service.end,
    }
    verb = str(request.get("verb"))
    if verb not in verbs:
        return {"ok": False, "error": f"there is no verb {verb!r}; known: {', '.join((*verbs, 'watch'))}"}
    try:
        verbs[verb]()
    except NotDone as error:
        return {"ok": False, "error": str(error)}
    return _as_answer(service.status())


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


if __name__ == "__main__":
    main()
