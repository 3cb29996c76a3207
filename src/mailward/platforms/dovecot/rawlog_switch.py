"""
Dovecot's protocol log as a switch: a directory DIR/USER, made and taken away.

Dovecot writes down the conversations of a user for whom `rawlog_dir` names a directory that exists, from his next login
on and without a reload; where there is none it says nothing and logs nothing (measured with 2.3.19 and 2.4.1). A
session that is open while its directory is taken away goes on undisturbed, and makes no new one.

Rules of this file. What it made is known by a mark beside it, `.mailward-on-USER`; without one, nothing is touched.
Every name is looked up in a directory that is held open, symbolic links are never followed, and only Dovecot's own
files are removed. DIR must be ours or root's, and nobody else may write in it. Switching off is one rename, so that it
is off at once, whatever is found in the directory afterwards.

It imports nothing of mailward, because the process that switches off at the deadline runs this very file,
`python3 -I rawlog_switch.py --off-at SECONDS DIR USER ...`, and must outlive mailward, and an upgrade of it.
"""

import fcntl
import json
import os
import re
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

OFF_AT, STAY = "--off-at", "--stay"
_MARK, _NEW_MARK, _NEW, _OFF = ".mailward-on-", ".mailward-mark-", ".mailward-new-", ".mailward-off-"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: As Dovecot calls them (measured): 20261126-221026.28676.1.in
LOG_FILE = re.compile(r"\d{8}-\d{6}\.(\d{1,10})\.\d{1,10}\.(in|out)")
_LARGEST_MARK = 1000
_MOST_LEFT_BEHIND = 100
_TICK_S = 1.0
#: How long after its start a timer waits for the mark it is there for.
_MARK_WITHIN_S = 60.0
#: How often a timer tries to switch off, a tick apart.
_TRIES = 300


class NotDone(Exception):
    """It cannot be done, and trying again will not help; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """That a user's conversations are logged for mailward."""

    user: str
    since: float
    until: float
    """Seconds since 1970, as the host's clock counts them."""
    is_logging: bool
    """Whether the directory is there."""


def is_plain(user: str) -> bool:
    """Whether a user's name can be that of a directory, and of nothing else."""
    return 0 < len(user) <= 200 and user.isprintable() and "/" not in user and not user.startswith(".")


def marks(directory: Path) -> tuple[Mark, ...]:
    """
    The users whose conversations are logged for mailward, by name. Where DIR does not exist there are none.

    Raises:
        OSError: It cannot be looked at.
        NotDone: DIR is not safe.
    """
    try:
        with opened(directory) as there:
            users = [name.removeprefix(_MARK) for name in names_in(there) if name.startswith(_MARK)]
            found = [_mark(there, user) for user in sorted(users) if is_plain(user)]
    except FileNotFoundError:
        return ()
    return tuple(mark for mark in found if mark is not None)


def strangers(directory: Path, users: Sequence[str]) -> tuple[str, ...]:
    """Those of *users* who are logged because somebody else made their directory; raises as `marks`."""
    try:
        with opened(directory) as there:
            return tuple(user for user in users if _mark(there, user) is None and _exists(there, user))
    except FileNotFoundError:
        return ()


def switch_on(directory: Path, user: str, *, since: float, until: float, owner: tuple[int, int] | None) -> None:
    """
    Log a user's conversations from his next login on. One who is logged already keeps `since` and what was logged.

    Args:
        directory: DIR; it is made where it is missing and the one above it exists.
        user: Whose.
        since: What the mark says, in seconds since 1970.
        until: The same.
        owner: uid and gid of whoever runs the user's session; None: ourselves.

    Raises:
        OSError: It cannot be done.
        NotDone: DIR is not safe, or somebody else logs this user.
    """
    with suppress(FileExistsError):
        directory.mkdir(mode=0o711)
        directory.chmod(0o711)  # whatever the umask: each user's session must get to its own directory
    with _alone(directory) as there:
        known, exists = _mark(there, user), _exists(there, user)
        if exists and known is None:
            raise NotDone(f"{directory / user} exists and is not mailward's: remove it, or leave it to whoever made it")
        _write_mark(there, user, since=known.since if known and exists else since, until=until)
        if exists:
            return
        try:
            _make(there, user, owner)
        except BaseException:
            os.unlink(_MARK + user, dir_fd=there)
            raise


def switch_off(directory: Path, user: str, *, over_at: float | None = None) -> tuple[str, ...]:
    """
    Log a user's conversations no more and remove what was logged; nothing happens to one whom mailward does not log.

    Args:
        directory: DIR.
        user: Whose.
        over_at: Whoever is logged until later than this is left alone; None: whenever.

    Returns:
        What lay in the directory and is not Dovecot's: it was left, set aside under a name nobody logs to.

    Raises:
        OSError: It cannot be done.
        NotDone: DIR is not safe.
    """
    try:
        with _alone(directory) as there:
            mark = _mark(there, user)
            if mark is None or (over_at is not None and mark.until > over_at):
                return ()
            left = [name for aside in _set_aside(there, user) for name in _emptied(there, aside)]
            os.unlink(_MARK + user, dir_fd=there)
            return tuple(left)
    except FileNotFoundError:
        return ()


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    """
    Hold DIR open.

    Raises:
        FileNotFoundError: There is none.
        NotDone: It is a link, or somebody else's, or others may write in it.
    """
    try:
        number = os.open(directory, _DIRECTORY)
    except NotADirectoryError:
        raise NotDone(f"{directory} is no directory, or a symbolic link to one: make it a directory") from None
    except OSError as error:
        if directory.is_symlink():
            raise NotDone(f"{directory} is a symbolic link: make it a directory") from error
        raise
    try:
        seen = os.fstat(number)
        if seen.st_uid not in (0, os.geteuid()) or seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise NotDone(
                f"{directory} belongs to uid {seen.st_uid} with mode {stat.S_IMODE(seen.st_mode):04o}; it must belong"
                f" to root or uid {os.geteuid()}, and nobody else may write in it: chmod 0711"
            )
        yield number
    finally:
        os.close(number)


@contextmanager
def opened_below(there: int, name: str) -> Iterator[int]:
    """Hold a directory within an open one open; a link is none (OSError)."""
    number = os.open(name, _DIRECTORY, dir_fd=there)
    try:
        yield number
    finally:
        os.close(number)


@contextmanager
def _alone(directory: Path) -> Iterator[int]:
    """
    Hold DIR open, and be the only one who switches: a timer whose time has come must not undo what somebody renews.

    The lock goes with the process that holds it, however that ends.
    """
    with opened(directory) as there:
        fcntl.flock(there, fcntl.LOCK_EX)
        yield there


def names_in(number: int) -> list[str]:
    """What is in a directory that is held open."""
    with os.scandir(number) as entries:
        return [entry.name for entry in entries]


def _exists(there: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=there, follow_symlinks=False)
        return True
    return False


def _mark(there: int, user: str) -> Mark | None:
    """The mark of a user; one that cannot be understood counts as over, so that it is switched off."""
    try:
        number = os.open(_MARK + user, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=there)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        said = json.loads(os.read(number, _LARGEST_MARK))
        since, until = float(said["since"]), float(said["until"])
    except (ValueError, TypeError, KeyError, RecursionError):
        since = until = 0.0
    finally:
        os.close(number)
    return Mark(user=user, since=since, until=until, is_logging=_exists(there, user))


def _write_mark(there: int, user: str, *, since: float, until: float) -> None:
    """Whole or not at all: a mark that is read half-written would switch off."""
    new = _NEW_MARK + user
    with suppress(FileNotFoundError):
        os.unlink(new, dir_fd=there)
    number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=there)
    with os.fdopen(number, "w") as file:
        json.dump({"since": since, "until": until}, file)
    os.rename(new, _MARK + user, src_dir_fd=there, dst_dir_fd=there)


def _make(there: int, user: str, owner: tuple[int, int] | None) -> None:
    """Under another name first: a session that met it before it has its owner would complain in Dovecot's log."""
    new = _NEW + user
    with suppress(FileNotFoundError):
        os.rmdir(new, dir_fd=there)
    os.mkdir(new, 0o700, dir_fd=there)
    try:
        if owner is not None and owner != (os.geteuid(), os.getegid()):
            os.chown(new, *owner, dir_fd=there, follow_symlinks=False)
        os.rename(new, user, src_dir_fd=there, dst_dir_fd=there)
    except PermissionError as error:
        os.rmdir(new, dir_fd=there)
        uid = owner[0] if owner else os.geteuid()
        raise NotDone(
            f"the mail of {user} belongs to uid {uid}, and uid {os.geteuid()}, as which mailward runs, may not make a"
            " directory for it: run mailward as that user or as root"
        ) from error


def _set_aside(there: int, user: str) -> list[str]:
    """Take the directory out of Dovecot's sight; all that was ever set aside for this user."""
    asides = [_OFF + user, *(f"{_OFF}{user}.{number}" for number in range(1, _MOST_LEFT_BEHIND))]
    found = [name for name in asides if _exists(there, name)]
    if _exists(there, user):
        free = next((name for name in asides if name not in found), None)
        if free is None:
            raise NotDone(f"too much is left of earlier logs: remove {_OFF}{user}*")
        os.rename(user, free, src_dir_fd=there, dst_dir_fd=there)
        found.append(free)
    return found


def _emptied(there: int, aside: str) -> list[str]:
    """Remove Dovecot's files and the directory; what is left."""
    try:
        with opened_below(there, aside) as inside:
            for name in names_in(inside):
                if LOG_FILE.fullmatch(name):
                    with suppress(IsADirectoryError, FileNotFoundError):
                        os.unlink(name, dir_fd=inside)
            left = names_in(inside)
    except NotADirectoryError:  # a file or a link stood where the directory should; it logs nothing any more
        return [aside]
    if not left:
        os.rmdir(aside, dir_fd=there)
    return [f"{aside}/{name}" for name in left]


def _now() -> float:
    """Seconds since 1970; only marks are compared with it, never how long something has to wait."""
    return time.clock_gettime(time.CLOCK_REALTIME)


def _passed() -> float:
    """Seconds that pass also while the machine sleeps, and are set by nobody."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wait_and_switch_off(directory: Path, users: Sequence[str], until: float) -> None:
    """
    Switch these users off at *until*, but leave alone whoever was switched on anew for longer: that has its own timer.

    Ends early when all of them are off, or DIR is gone. It waits by a clock that nobody sets.
    """
    begun = _passed()
    left = max(0.0, until - _now())
    was_there = False
    tries = 0
    while tries < _TRIES:
        passed = _passed() - begun
        try:
            ours = [mark.user for mark in marks(directory) if mark.user in users and mark.until <= until]
            was_there = was_there or bool(ours)
            if passed >= left:
                tries += 1
                for user in ours:
                    switch_off(directory, user, over_at=until)
                return
            if not ours and (was_there or passed > _MARK_WITHIN_S):
                return
        except (OSError, NotDone):  # a disk that is full or a file system that is read-only may be mended in time
            tries += passed >= left
        time.sleep(min(_TICK_S, left - passed) if passed < left else _TICK_S)


def main(words: Sequence[str]) -> int:
    """Become a process of its own, unless told to stay one, and wait. 0 once it waits."""
    stays = words[:1] == [STAY]
    given = list(words[1:] if stays else words)
    if len(given) < 4 or given[0] != OFF_AT or not all(map(is_plain, given[3:])):
        sys.stderr.write(f"usage: rawlog_switch.py [{STAY}] {OFF_AT} SECONDS DIR USER ...\n")
        return 64
    until, directory, users = float(given[1]), Path(given[2]), given[3:]
    if not stays:
        if os.fork():
            return 0
        os.setsid()
        os.chdir("/")
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
    wait_and_switch_off(directory, users, until)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
