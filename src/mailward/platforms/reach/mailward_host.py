"""
mailward-host: what mailward may ask of a mail server, behind ssh's forced command.

A program of its own for any python3 from 3.9 on: `python3 -I mailward_host.py [--read-only] [--config FILE]`. It reads
SSH_ORIGINAL_COMMAND, which anybody with the key controls, and answers with one line of JSON.

It is one file, longer than any other here, on purpose: it is copied to each mail server by hand, and whoever lets it
run there as root reads it first, from its beginning to its end, without looking anywhere else. So it imports nothing of
mailward; what mailward itself needs of its table and its rules it imports from here.

Rules of this file: the request chooses from a table, by words that must be equal; no word of it ever becomes part of
what is run. Unit, configuration file and peers come from a file that only root may write. No shell. Time and output are
bounded. What needs root is run as `sudo -n` with exactly one argv for each verb (`--sudoers` prints them).

The one thing that comes from outside are names of mailboxes. They come over standard input, never in a request; they
are few, short, and no option, no mask and no line of something else. Since sudoers(5) could only allow such words by
wildcards, sudo is given this program itself, `--as-root REQUEST`, which checks them once more before it runs doveadm.
"""

from __future__ import annotations

import configparser
import errno
import json
import os
import re
import select
import selectors
import signal
import subprocess
import sys
import syslog
import time
import unicodedata
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence  # noqa: UP035 - for python 3.9

CONFIG = Path("/etc/mailward-host.ini")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
SUDO = ("/usr/bin/sudo", "-n", "--")
ITSELF = ("/usr/bin/python3", "-I", "/usr/local/lib/mailward-host/mailward_host.py")
AS_ROOT = "--as-root"
SYSTEMCTL, DOVEADM, DOVECONF = "/usr/bin/systemctl", "/usr/bin/doveadm", "/usr/bin/doveconf"
SS = "/usr/bin/ss"
PROPERTIES = "LoadState,ActiveState,SubState,Result,MainPID,NRestarts,StateChangeTimestamp,ExecMainStartTimestamp,Job"

#: What a request may consist of at all: words of these characters with one space between them.
_REQUEST = re.compile(r"[A-Za-z0-9@:./_=-]+(?: [A-Za-z0-9@:./_=-]+){0,7}")
_LONGEST_REQUEST = 200
_UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@-]{0,200}")
_PATH = re.compile(r"/[A-Za-z0-9/_.+-]{1,200}")
#: Where a server's copies are synchronised with; a host name or a number of IPv4.
_PEER = re.compile(r"tcps?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}:[0-9]{1,5}")
_LARGEST_OUTPUT = 500_000
#: A list with a line of about a hundred bytes for each session or mailbox; no more of one is read on any machine.
LARGEST_LIST = 10_000_000
_LARGEST_CONFIG = 100_000
#: Bytes that are read at once.
_BLOCK = 65_536
_LOOK_S, _DEED_S = 8, 95
#: What `--as-root` takes beside what it runs.
_AS_ROOT_S = 3

#: How many mailboxes one request may name: those that go into one command line, and those that are dealt with in turn.
MOST_AT_ONCE, MOST_IN_TURN = 500, 100
_LONGEST_NAME = 255
_LARGEST_INPUT = MOST_AT_ONCE * (_LONGEST_NAME * 4 + 1)
#: Dovecot's masks.
_MASK = frozenset("*?")
#: Control characters, halves of characters, and what ends a line or a paragraph (Unicode's general categories).
_NOT_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})
#: In a line of the table: all names, or each name in turn.
_NAMES, _NAME = "NAMES", "NAME"
#: EX_TEMPFAIL and EX_NOPERM of sysexits(3); doveadm itself ends with EX_USAGE where it lacks a command.
_TEMPORARY, _REFUSED = 75, 77
#: How often to see whether a program has ended whose output somebody else holds open.
_TICK_S = 0.05
#: The processes without which nobody can log in; a session that waits is not the service being hung.
_VITAL = ("dovecot", "imap-login", "auth", "master")
_PROC = Path("/proc")

#: Held by apt and dpkg while packages change, and by rpm during a transaction.
PACKAGE_LOCKS = (
    Path("/var/lib/dpkg/lock-frontend"),
    Path("/var/lib/dpkg/lock"),
    Path("/var/lib/rpm/.rpm.lock"),
    Path("/usr/lib/sysimage/rpm/.rpm.lock"),
)
_PACKAGE_MANAGERS = frozenset(
    {"apt", "apt-get", "aptitude", "dpkg", "dnf", "dnf5", "microdnf", "yum", "zypper", "rpm", "pacman"}
)
#: The words of their command lines with which they change packages; what only reads stops nobody.
_CHANGES = frozenset(
    {
        "install", "reinstall", "upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "remove", "purge", "erase",
        "autoremove", "downgrade", "distro-sync", "in", "rm", "up", "dup", "patch",
        "--install", "--unpack", "--configure", "--remove", "--purge", "--upgrade", "--erase",
        "-i", "-r", "-P", "-U", "-Uvh", "-e", "-S", "-Su", "-Syu", "-R",
    }
)  # fmt: skip


# What a host is, and the table of what may be asked of it.


class Refusal(Exception):
    """The request, or this host's own configuration, is not acceptable; nothing was run."""


class Unseen(Exception):
    """This host could not look: what was asked for is unknown."""


@dataclass(frozen=True)
class Host:
    """What this host's own configuration says."""

    unit: str
    config: str
    marks: tuple[str, ...] = ()
    may_restart_server: bool = False
    peers: tuple[str, ...] = ()
    """Whom its mailboxes may be synchronised with, as `doveadm sync` takes it."""
    file: str = str(CONFIG)
    """Where this is written."""


@dataclass(frozen=True)
class Verb:
    """One entry of the table."""

    argv: tuple[str, ...]
    """What is run; UNIT and CONFIG stand for this host's own."""
    acts: bool = False
    """Whether it changes something: such verbs do not exist behind --read-only."""
    root: bool = False
    seconds: int = _LOOK_S
    seconds_a_name: int = 0
    most_names: int = 0
    """How many mailboxes may be named; without NAMES or NAME the program reads them, a line each."""
    alone: tuple[str, ...] = ()
    """What is run instead where one mailbox is named."""
    largest: int = _LARGEST_OUTPUT

    @property
    def through_us(self) -> bool:
        """Whether sudo starts this program: where sudoers would need a wildcard, or would take a mask for one."""
        return self.most_names > 0 or any(_MASK.intersection(word) for word in self.argv)

    def seconds_for(self, names: Sequence[str]) -> int:
        """How long it may take."""
        return self.seconds + self.seconds_a_name * len(names)


class Run(NamedTuple):
    """One program to be run for a verb."""

    argv: tuple[str, ...]
    given: bytes = b""
    """Its standard input."""
    mailbox: str = ""
    """Whom it is for, where one is run for each in turn."""


def _deed(verb: str) -> Verb:
    return Verb((SYSTEMCTL, "--no-ask-password", verb, "--", "UNIT"), acts=True, root=True, seconds=_DEED_S)


def _doveadm(*words: str, acts: bool = False, largest: int = _LARGEST_OUTPUT) -> Verb:
    return Verb((DOVEADM, "-c", "CONFIG", *words), acts=acts, root=True, largest=largest)


def _of_mailboxes(*words: str, most: int, seconds: int = _LOOK_S, each: int = 0, alone: tuple[str, ...] = ()) -> Verb:
    return Verb(
        (DOVEADM, "-c", "CONFIG", *words),
        acts=True,
        root=True,
        seconds=seconds,
        seconds_a_name=each,
        most_names=most,
        alone=(DOVEADM, "-c", "CONFIG", *alone) if alone else (),
    )


def synchronise_with(peer: str) -> Verb:
    """
    `doveadm sync` with one peer.

    A list must be a file, which /dev/stdin may be but a pipe is not (measured with 2.3.19: "pread() failed: Illegal
    seek"). In a list one who does not exist is passed over with status 0; alone it is a failure, status 67.
    """
    alone = ("sync", "-u", _NAME, peer)
    return _of_mailboxes("sync", "-F", "/dev/stdin", peer, most=MOST_IN_TURN, seconds=20, each=5, alone=alone)


#: Every request there is, word for word, beside "boot-id" and "others-at-work", which run nothing of their own, and
#: "doveadm sync PEER" for each peer of this host.
VERBS: Mapping[str, Verb] = {
    "status": Verb((SYSTEMCTL, "show", "--timestamp=unix", "--property=" + PROPERTIES, "--", "UNIT")),
    "check": Verb((DOVECONF, "-x", "-c", "CONFIG", "-h", "protocols"), root=True),
    "check-plain": Verb((DOVECONF, "-c", "CONFIG", "-h", "protocols"), root=True),
    **{verb: _deed(verb) for verb in ("start", "stop", "restart", "reload", "enable", "reset-failed")},
    "listening": Verb((SS, "-Hltn")),
    "restart-server": Verb((SYSTEMCTL, "--no-ask-password", "reboot"), acts=True, root=True),
    "doveadm who": _doveadm("-f", "json", "who"),
    "doveadm stats dump": _doveadm("stats", "dump"),
    "doveadm process status": _doveadm("-f", "json", "process", "status"),
    "doveadm proxy list": _doveadm("-f", "json", "proxy", "list", largest=LARGEST_LIST),
    "doveadm proxy kick": _of_mailboxes("proxy", "kick", "--", _NAMES, most=MOST_AT_ONCE),
    "doveadm auth cache flush": _doveadm("auth", "cache", "flush", acts=True),
    "doveadm service status": _doveadm("-f", "json", "service", "status"),
    "doveadm replicator status": _doveadm("-f", "json", "replicator", "status", "*", largest=LARGEST_LIST),
    "doveadm replicator replicate": _of_mailboxes(
        "replicator", "replicate", "-p", "high", "--", _NAME, most=MOST_IN_TURN, each=1
    ),
}
BOOT_ID, OTHERS = "boot-id", "others-at-work"
_KEYS = ("unit", "config", "healer_marks", "restart_server", "peers")

SYNC = "doveadm sync "
#: Runs an argv of the table within so many seconds; `given` is its standard input, `largest` how much it may say.
Execute = Callable[..., Mapping[str, Any]]


# Answering a request.


def verbs_of(host: Host) -> Mapping[str, Verb]:
    """The table of one host: whom it synchronises with is its own affair."""
    return {**VERBS, **{SYNC + peer: synchronise_with(peer) for peer in host.peers}}


def answer(
    request: str,
    host: Host,
    execute: Execute,
    *,
    read_only: bool,
    proc: Path = _PROC,
    given: Callable[[], bytes] = lambda: b"",
) -> Mapping[str, Any]:
    """
    Answer one request.

    Args:
        request: SSH_ORIGINAL_COMMAND, as it came.
        host: This host's own configuration.
        execute: Runs an argv of the table within so many seconds.
        read_only: Whether verbs that act exist.
        proc: The process table.
        given: Reads the names of mailboxes, a line each.

    Raises:
        Refusal: There is no such request, or not for this key; nothing was run.
        Unseen: What it asks for cannot be found out.
    """
    name = _name(request, host)
    if name == BOOT_ID:
        return {"ok": True, "boot_id": _boot_id(proc)}
    if name == OTHERS:
        return {"ok": True, "others": [*_systemd_at_work(host, execute), *_others(host, proc)], "unit": host.unit}
    verb = verbs_of(host)[name]
    if verb.acts and read_only:
        raise Refusal(f"this key may only look: {name} is not available")
    if name == "restart-server" and not host.may_restart_server:
        raise Refusal("this host does not allow its restart: set restart_server = yes in its mailward-host.ini")
    if verb.through_us:
        names = _names(verb, given)
        seconds = verb.seconds_for(names) + _AS_ROOT_S
        said = dict(execute(argv_of(name, host), seconds, given=as_lines(names), largest=verb.largest))
    else:
        said = dict(execute(argv_of(name, host), verb.seconds, largest=verb.largest))
    if name == "status" and said.get("ok"):
        said["stuck"] = stuck(_main_pid(str(said.get("output", ""))), proc)
    return {**said, "unit": host.unit}


def argv_of(name: str, host: Host) -> tuple[str, ...]:
    """What is run for a request on this host."""
    verb = verbs_of(host)[name]
    if verb.through_us:
        configured = () if host.file == str(CONFIG) else ("--config", host.file)
        return (*SUDO, *ITSELF, *configured, AS_ROOT, *name.split())
    argv = tuple(_own(host).get(word, word) for word in verb.argv)
    return (*SUDO, *argv) if verb.root else argv


def runs_of(verb: Verb, host: Host, names: Sequence[str]) -> Iterator[Run]:
    """What is run for these mailboxes, whose names have been checked."""
    own = _own(host)
    template = verb.alone if verb.alone and len(names) == 1 else verb.argv
    if _NAME in template:
        in_turn = template is verb.argv
        for name in names:
            argv = tuple(name if word == _NAME else own.get(word, word) for word in template)
            yield Run(argv, mailbox=name if in_turn else "")
    elif _NAMES in template:
        yield Run(tuple(said for word in template for said in (names if word == _NAMES else (own.get(word, word),))))
    else:
        yield Run(tuple(own.get(word, word) for word in template), given=as_lines(names))


def _own(host: Host) -> Mapping[str, str]:
    return {"UNIT": host.unit, "CONFIG": host.config}


# What comes from outside: names of mailboxes, and the request itself.


def wrong_with(name: str) -> str:
    """Why nothing can be done for a mailbox of that name; "" where nothing is wrong with it."""
    if not 0 < len(name) <= _LONGEST_NAME:
        return f"is not of 1 to {_LONGEST_NAME} characters"
    if name.startswith("-"):
        return "begins like an option"
    if _MASK.intersection(name):
        return "is a mask, which can mean others as well"
    if any(unicodedata.category(character) in _NOT_IN_NAMES for character in name):
        return "has a character that cannot be shown"
    return ""


def is_peer(text: str) -> bool:
    """Whether it is tcp:HOST:PORT or tcps:HOST:PORT, HOST being a name or a number of IPv4."""
    return _PEER.fullmatch(text) is not None and 0 < int(text.rpartition(":")[2]) < 65536


def as_lines(names: Sequence[str]) -> bytes:
    """Names as they are sent and read."""
    return "".join(f"{name}\n" for name in names).encode()


def names_in(data: bytes, most: int) -> Sequence[str]:
    """
    The names of mailboxes, a line each.

    Raises:
        Refusal: There is none, there are too many, or one cannot be a mailbox's; nobody's is taken then.
    """
    if len(data) > _LARGEST_INPUT:
        raise Refusal(f"these are too many mailboxes: more than {_LARGEST_INPUT} bytes")
    try:
        names = data.decode().split("\n")  # not splitlines, which knows more ends of lines than doveadm
    except UnicodeDecodeError as error:
        raise Refusal(f"names of mailboxes are in UTF-8: {error}") from error
    if names[-1] == "":
        del names[-1]
    if not 0 < len(names) <= most:
        raise Refusal(f"1 to {most} mailboxes are named, a line each on standard input; these are {len(names)}")
    for name in names:
        if wrong := wrong_with(name):
            raise Refusal(f"{name[:40]!a} {wrong}")
    return names


def _names(verb: Verb, given: Callable[[], bytes]) -> Sequence[str]:
    return names_in(given(), verb.most_names) if verb.most_names else ()


def _name(request: str, host: Host) -> str:
    """The table's own copy of the request's words."""
    if len(request) > _LONGEST_REQUEST or not _REQUEST.fullmatch(request):
        raise Refusal("that is no request: words of plain letters, with one space between them")
    all_there_are = (*verbs_of(host), BOOT_ID, OTHERS)
    for known in all_there_are:
        if request == known:
            return known
    if request.startswith(SYNC) and is_peer(request[len(SYNC) :]):
        raise Refusal(f"nothing is synchronised with {request[len(SYNC) :]}: it is not among peers of {host.file}")
    raise Refusal(f"there is no such request; known: {', '.join(all_there_are)}")


# This host's own configuration.


def read_host(path: Path, *, owner: int = 0) -> Host:
    """
    Read this host's own configuration.

    Raises:
        Refusal: It is missing or wrong, or anybody but its owner, root, could have written it.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            seen = os.fstat(stream.fileno())
            if seen.st_uid != owner or seen.st_mode & 0o022:
                raise Refusal(f"{path} must belong to root, and nobody else may write it")
            text = stream.read(_LARGEST_CONFIG)
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{path} cannot be read: {error}") from error
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        section = parser["host"]
        may_restart = section.getboolean("restart_server", fallback=False)
    except (configparser.Error, KeyError, ValueError) as error:
        raise Refusal(f"{path} is wrong: {error}") from error
    host = Host(
        unit=section.get("unit", "dovecot.service"),
        config=section.get("config", "/etc/dovecot/dovecot.conf"),
        marks=tuple(section.get("healer_marks", "").split()),
        may_restart_server=may_restart,
        peers=tuple(section.get("peers", "").split()),
        file=str(path),
    )
    if unknown := set(section) - set(_KEYS):
        raise Refusal(f"{path}: unknown key {min(unknown)!r}; known: {', '.join(_KEYS)}")
    if not _UNIT.fullmatch(host.unit) or not _is_plain_path(host.config):
        raise Refusal(f"{path}: unit or config is no plain name or path")
    for peer in host.peers:
        if not is_peer(peer):
            raise Refusal(f"{path}: {peer!a} of peers is not tcp:HOST:PORT or tcps:HOST:PORT")
    return host


def _is_plain_path(text: str) -> bool:
    """Whether it names one file, from the root on, and nothing that a shell, a log or sudoers could take otherwise."""
    return _PATH.fullmatch(text) is not None and ".." not in text.split("/")


# Running programs.


def run(
    argv: Sequence[str], seconds: float, *, given: bytes = b"", largest: int = _LARGEST_OUTPUT
) -> Mapping[str, Any]:
    """Run an argv of the table, in a session of its own; time and output are bounded."""
    try:
        with _file_of(given) as file:
            process = subprocess.Popen(
                [word.encode() for word in argv],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
    except OSError as error:
        return {"ok": False, "error": f"{argv[0]} cannot be started: {error.strerror}", "unknown": True}
    try:
        output, errors = _listen(process, time.monotonic() + seconds, largest)
    except TimeoutError:
        return {"ok": False, "error": f"{' '.join(argv)[:300]} did not end within {seconds:g} s", "unknown": True}
    finally:
        _let_go(process)
    return {
        "ok": True,
        "status": process.returncode,
        "output": output[:largest].decode("utf-8", "replace"),
        "errors": errors[:largest].decode("utf-8", "replace"),
        "truncated": len(output) > largest or len(errors) > largest,
    }


@contextmanager
def _file_of(data: bytes) -> Iterator[int]:
    """A file without a name that needs no disk: a full one is when help is needed."""
    if not data:
        yield subprocess.DEVNULL
        return
    number = os.memfd_create("names")
    try:
        with open(number, "wb", closefd=False) as file:
            file.write(data)
        os.lseek(number, 0, os.SEEK_SET)
        yield number
    finally:
        os.close(number)


def _listen(process: subprocess.Popen[bytes], deadline: float, largest: int) -> tuple[bytes, bytes]:
    """
    What a program says until it has ended, whoever else still holds its output; what is too much is thrown away.

    Raises:
        TimeoutError: It has not ended by the deadline.
    """
    said = {pipe.fileno(): bytearray() for pipe in (process.stdout, process.stderr) if pipe is not None}
    with selectors.DefaultSelector() as waiting:
        for pipe in said:
            waiting.register(pipe, selectors.EVENT_READ)
        while True:
            has_ended = process.poll() is not None  # asked first: what it said before its end is read after it
            ready = waiting.select(0 if has_ended else _TICK_S)
            for key, _ in ready:
                block = os.read(key.fd, _BLOCK)
                said[key.fd] += block[: largest + 1 - len(said[key.fd])]
                if not block:
                    waiting.unregister(key.fd)
            if has_ended and not ready:
                break
            if time.monotonic() > deadline:
                raise TimeoutError
    output, errors = said.values()
    return bytes(output), bytes(errors)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """End what still runs of a program; what sudo has made root's cannot be ended, nor is it waited for."""
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    if process.returncode is None:
        with suppress(OSError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(1)


# What sudo must allow.


def sudoers(host: Host, user: str = "mailward-host") -> str:
    """The sudoers lines for every verb, one exact command each, without wildcards."""
    lines = ["# What mailward-host may run as root: exact commands only. Printed by mailward_host.py --sudoers."]
    for name, verb in verbs_of(host).items():
        if verb.root and (name != "restart-server" or host.may_restart_server):
            command = " ".join(re.sub(r"([,:=\\])", r"\\\1", word) for word in argv_of(name, host)[len(SUDO) :])
            lines.append(f"{user} ALL=(root) NOPASSWD: {command}")
    return "\n".join(lines) + "\n"


# Who else is at work, and what hangs: all of it read from the process table.


def lock_holders(locks: Sequence[Path], proc: Path = _PROC) -> Iterator[str]:
    """Who holds a package manager's lock, by device and inode (proc_locks(5)); to take one to try it would disturb."""
    rows = [line.split() for line in (proc / "locks").read_text().splitlines()]
    held = {row[5]: row[4] for row in rows if len(row) >= 8 and row[1] != "->"}  # "->" waits for it
    for lock in locks:
        seen = look_for(str(lock))
        if seen is None:
            continue
        key = f"{os.major(seen.st_dev):02x}:{os.minor(seen.st_dev):02x}:{seen.st_ino}"
        if key in held:
            yield f"process {held[key]} holds {lock}: packages are being changed"


def look_for(path: str) -> os.stat_result | None:
    """
    What is at a path, links not followed; None when nothing is.

    Raises:
        OSError: It cannot be looked at, which is not the same as nothing being there.
    """
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def package_managers(proc: Path = _PROC) -> Iterator[str]:
    """
    Package managers whose command line says that they change packages, as only root can: others merely bear the name.

    Raises:
        OSError: Processes cannot be looked at, or are hidden from us.
    """
    if look_for(str(proc / "1")) is None:
        raise PermissionError(errno.EACCES, "the processes of other users are hidden (hidepid=)", str(proc))
    for process in proc.glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            program = _program(words)
            if program in _PACKAGE_MANAGERS and _CHANGES.intersection(words[1:]) and _is_roots(process):
                yield f"process {process.name} ({program}) changes packages"
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue


def _is_roots(process: Path) -> bool:
    """Whether a process acts as root: its effective user, the second number (proc_pid_status(5))."""
    found = re.search(r"^Uid:\s+\d+\s+(\d+)", (process / "status").read_text(errors="replace"), re.MULTILINE)
    return found is None or found[1] == "0"


def _program(words: Sequence[str]) -> str:
    """The program of a command line; of an interpreted one (dnf, yum) the script."""
    name = Path(words[0]).name
    if name.startswith("python"):
        return next((Path(word).name for word in words[1:] if not word.startswith("-")), "")
    return name


def stuck(pid: int, proc: Path = _PROC) -> Sequence[Sequence[object]]:
    """Name and state (T, D) of the vital processes of this master that do not run; D only if it lasts 0.2 s."""
    suspects = [pid, *_children(pid, proc)] if pid else []
    for _ in range(4):
        seen = [(process, *_look(process, proc)) for process in suspects]
        stopped = [[name, state] for process, name, state, _ in seen if state in "Tt" and _vital(process, pid, name)]
        if stopped:
            return stopped
        waiting = [[name, state] for process, name, state, _ in seen if state == "D" and _vital(process, pid, name)]
        if not waiting:
            return []
        time.sleep(0.05)
    return waiting


def _vital(process: int, master: int, name: str) -> bool:
    return process == master or name in _VITAL


def _children(parent: int, proc: Path) -> Sequence[int]:
    numbers = [int(entry.name) for entry in proc.glob("[0-9]*")]
    return [number for number in numbers if _look(number, proc)[2] == parent]


def _look(pid: int, proc: Path) -> tuple[str, str, int]:
    """Name, state and parent of a process; one that is gone has none."""
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return "", "X", -1
    fields = text[text.rindex(")") + 2 :].split()
    return text[text.index("(") + 1 : text.rindex(")")], fields[0], int(fields[1])


def _main_pid(shown: str) -> int:
    found = re.search(r"^MainPID=(\d{1,9})$", shown, re.MULTILINE)
    return int(found[1]) if found else 0


def _systemd_at_work(host: Host, execute: Execute) -> Iterator[str]:
    said = execute(argv_of("status", host), _LOOK_S)
    if not said.get("ok") or said.get("status") != 0 or said.get("truncated"):
        why = said.get("error") or said.get("errors") or f"exit status {said.get('status')}"
        raise Unseen(f"systemd does not say what it is about: {why}")
    shown = dict(line.split("=", 1) for line in str(said["output"]).splitlines() if "=" in line)
    if shown.get("SubState", "").startswith("auto-restart"):
        yield f"systemd restarts {host.unit} itself (Restart=)"
    elif shown.get("Job", "0") not in ("", "0"):
        yield f"systemd has a job for {host.unit} under way (job {shown['Job']})"


def _others(host: Host, proc: Path) -> Iterator[str]:
    for mark in host.marks:
        if look_for(mark) is not None:
            yield f"{mark} exists: another manager is at work"
    yield from lock_holders(PACKAGE_LOCKS, proc)
    yield from package_managers(proc)


def _boot_id(proc: Path) -> str:
    return (proc / "sys/kernel/random/boot_id").read_text().strip()


# The program: started by sshd, or as root by sudo.


def as_root(
    request: str,
    host: Host,
    given: Callable[[], bytes],
    execute: Execute | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """
    What sudo starts: run doveadm for mailboxes whose names are given, until one fails. Its exit status.

    An answer that is not whole is a failure, whatever its program ended with: our other half, which passes on what we
    say, could not see that something is missing. Nor is a program started for which no time is left.

    Args:
        request: A request of the table.
        host: This host's own configuration.
        given: Reads the names of mailboxes, a line each.
        execute: Runs an argv of the table within so many seconds; as it is done here by default.
        clock: Seconds that pass.

    Raises:
        Refusal: There is nothing of that name to be done so, or a name is not acceptable; nothing was run.
    """
    verb = verbs_of(host).get(request)
    if verb is None or not verb.through_us:
        raise Refusal(f"{request[:_LONGEST_REQUEST]!a} is not run as root")
    names = _names(verb, given)
    seconds = verb.seconds_for(names)
    deadline = clock() + seconds
    for argv, lines, mailbox in runs_of(verb, host, names):
        left = deadline - clock()
        if left <= 0:
            said: Mapping[str, Any] = {"ok": False, "error": f"its turn did not come within {seconds} s"}
        else:
            said = (execute or run)(argv, left, given=lines, largest=verb.largest)
        if said.get("truncated"):
            said = {"ok": False, "error": f"{argv[0]} said more than {verb.largest} bytes"}
        status: int = said["status"] if said["ok"] else _TEMPORARY
        errors = said.get("error") or said["errors"] or (f"exit status {status}" if status else "")
        sys.stdout.buffer.write(said.get("output", "").encode())
        sys.stderr.buffer.write((f"{mailbox}: {errors}" if mailbox and status else errors).encode())
        if status != 0:
            return status
    return 0


def _input() -> bytes:
    """
    Standard input to its end, or to where it is too much.

    Raises:
        Unseen: It does not end in time.
    """
    said = bytearray()
    deadline = time.monotonic() + _LOOK_S
    while len(said) <= _LARGEST_INPUT:
        if not select.select([0], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise Unseen(f"the names of mailboxes did not come within {_LOOK_S} s")
        block = os.read(0, _BLOCK)
        if not block:
            break
        said += block
    return bytes(said)


def _started_by_sudo(request: str, options: Sequence[str]) -> int:
    try:
        return as_root(request, read_host(config_in(options)), _input)
    except Refusal as refusal:
        sys.stderr.write(f"mailward-host: {refusal}\n")
        return _REFUSED
    except (OSError, Unseen) as error:
        sys.stderr.write(f"mailward-host: {error}\n")
        return _TEMPORARY


def config_in(options: Sequence[str]) -> Path:
    """
    The file of this host's own configuration; it becomes a word of what sudo is given.

    Raises:
        Refusal: What is named is no plain path.
    """
    if "--config" not in options:
        return CONFIG
    name = "".join(options[options.index("--config") + 1 :][:1])
    if not _is_plain_path(name):
        raise Refusal(f"--config {name[:_LONGEST_REQUEST]!a} is no plain path, such as {CONFIG}")
    return Path(name)


def main() -> int:
    """Answer the request in the environment; the options come from authorized_keys, which root or the user wrote."""
    options = sys.argv[1:]
    if AS_ROOT in options:
        before = options.index(AS_ROOT)
        return _started_by_sudo(" ".join(options[before + 1 :]), options[:before])
    request = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    try:
        host = read_host(config_in(options))
        if "--sudoers" in options and not request:
            sys.stdout.write(sudoers(host))
            return 0
        said = answer(request, host, run, read_only="--read-only" in options, given=_input)
    except Refusal as refusal:
        said = {"ok": False, "error": str(refusal)}
    except (OSError, Unseen) as error:
        said = {"ok": False, "error": f"this host could not look: {error}", "unknown": True}
    verdict = "answered" if said["ok"] else "refused"
    syslog.openlog("mailward-host", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, f"{verdict} {request[:_LONGEST_REQUEST]!a}")
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
