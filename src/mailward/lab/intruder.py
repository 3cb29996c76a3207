"""
Processes that a fault needs while it lasts: someone who takes all connections, locks the map, sits on the port.

`python -m mailward.lab.intruder LAB PART [ARGUMENT…]` says so on standard output once it is in place, and ends with
the lab. Parts: `crowd HOST USER…` (keeps a session of each user open), `lock` (holds the map's lock),
`stranger HOST` (speaks SMTP where IMAP is expected), `squatter HOST` (has a port it is to listen on), `queue HOST`
(fills its accept queue), `slow HOST SECONDS` (holds every mailbox's lock for so long, again and again).
"""

import os
import socket
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    from mailward.lab.blueprint import Blueprint, LabHost

#: Said when an intruder has done its work.
IN_PLACE = "in place"
#: How long a crowd may take: others have the places it wants, and give them up when their sessions end.
_CROWD_WITHIN = 30.0
#: How long filling a queue may take.
_QUEUE_WITHIN = 30.0
#: Between two times of a store that is slow.
_BREATHES_S = 0.3
_GREETING = b"220 mail.lab.example ESMTP ready\r\n"
_ANSWER = b"500 5.5.2 Error: command not recognized\r\n"


def main() -> None:
    """Do one part until the lab is gone."""
    from mailward.lab.state import read_blueprint  # noqa: PLC0415 - `IN_PLACE` is imported by everyone

    directory, part, *arguments = sys.argv[1:]
    os.chdir(directory)  # by this `Lab.down` finds it
    blueprint = read_blueprint(Path(directory))
    threading.Thread(target=_end_with, args=(blueprint.state_file,), daemon=True).start()
    if part == "crowd":
        host, *users = arguments
        _crowd(blueprint, blueprint.host(host), users)
    elif part == "lock":
        _lock(blueprint.map_file)
    elif part == "stranger":
        _stranger(blueprint, blueprint.host(arguments[0]))
    elif part == "squatter":
        _squat((blueprint.host(arguments[0]).address, blueprint.ports.taken))
    elif part == "queue":
        _queue((blueprint.host(arguments[0]).address, blueprint.ports.imaps), blueprint.prober)
    elif part == "slow":
        _slow_down(blueprint.host(arguments[0]).store, float(arguments[1]))
    else:
        sys.exit(f"there is no part {part!r}")


def _end_with(state_file: Path) -> None:
    while state_file.exists():
        time.sleep(0.25)
    os._exit(0)


def _say_in_place() -> None:
    print(IN_PLACE, flush=True)  # noqa: T201 - whoever launched us waits for this line
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)


def _crowd(blueprint: "Blueprint", host: "LabHost", users: list[str]) -> None:
    from mailward.lab import session  # noqa: PLC0415 - loads TLS

    def hold(user: str, arrived: threading.Event) -> None:
        while True:
            try:
                with session.logged_in(blueprint, host, user, seconds=3) as client:
                    arrived.set()
                    while True:
                        client.noop()
                        time.sleep(1)
            except session.BROKEN:
                time.sleep(0.1)

    arrivals = [threading.Event() for _ in users]
    for user, arrived in zip(users, arrivals, strict=True):
        threading.Thread(target=hold, args=(user, arrived), daemon=True).start()
    until = time.monotonic() + _CROWD_WITHIN
    if not all(arrived.wait(max(0.0, until - time.monotonic())) for arrived in arrivals):
        sys.exit(f"not all of {', '.join(users)} could log in on {host.name}")
    _say_in_place()
    threading.Event().wait()


def _lock(map_file: Path) -> None:
    connection = sqlite3.connect(map_file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    _say_in_place()
    threading.Event().wait()


def _stranger(blueprint: "Blueprint", host: "LabHost") -> None:
    import ssl  # noqa: PLC0415 - only this part needs it

    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(host.tls / "cert.pem", host.tls / "key.pem")
    for port, context in ((blueprint.ports.imap, None), (blueprint.ports.imaps, secured)):
        door = _take((host.address, port))
        threading.Thread(target=_answer_at, args=(door, context), daemon=True).start()
    _say_in_place()
    threading.Event().wait()


def _squat(place: tuple[str, int]) -> None:
    with _take(place):
        _say_in_place()
        threading.Event().wait()


def _queue(place: tuple[str, int], source: str) -> None:
    """Connect until nobody is let in any more; whoever leaves the queue has a successor."""
    import resource  # noqa: PLC0415 - only this part needs it

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    waiting, until = [], time.monotonic() + _QUEUE_WITHIN
    while True:
        try:
            waiting.append(socket.create_connection(place, 0.5, (source, 0)))
        except TimeoutError:
            break
        except OSError as error:
            sys.exit(f"{place[0]}:{place[1]}: {error}")
        if time.monotonic() > until:
            sys.exit(f"{place[0]}:{place[1]} took {len(waiting)} connections and is not full")
    _say_in_place()
    threading.Event().wait()


def _slow_down(store: Path, seconds: float) -> None:
    """Dovecot locks the log of a mailbox's index (fcntl, its default) for whatever changes the mailbox."""
    import fcntl  # noqa: PLC0415 - only this part needs it

    said = False
    while True:
        held = []
        for log in store.glob("**/dovecot.index.log"):
            with suppress(OSError):  # it is rotated, or removed, just now
                file = log.open("r+b")
                fcntl.lockf(file, fcntl.LOCK_EX)
                held.append(file)
        if not said:
            _say_in_place()
            said = True
        time.sleep(seconds)
        for file in held:
            file.close()
        time.sleep(_BREATHES_S)


def _take(place: tuple[str, int]) -> socket.socket:
    """Listen there as soon as Dovecot has let go of the port."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return socket.create_server(place)
        except OSError as error:
            if time.monotonic() > deadline:
                sys.exit(f"{place[0]}:{place[1]}: {error}")
            time.sleep(0.02)


def _answer_at(door: socket.socket, context: "ssl.SSLContext | None") -> None:
    while True:
        client, _ = door.accept()
        threading.Thread(target=_answer, args=(client, context), daemon=True).start()


def _answer(client: socket.socket, context: "ssl.SSLContext | None") -> None:
    client.settimeout(30)
    try:
        with context.wrap_socket(client, server_side=True) if context else client as stream:
            stream.sendall(_GREETING)
            while stream.recv(4096):
                stream.sendall(_ANSWER)
    except OSError:
        client.close()


if __name__ == "__main__":
    main()
