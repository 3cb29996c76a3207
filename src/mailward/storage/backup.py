"""
A consistent copy of the database while it is in use.

The copy is made through a connection of its own, within one reading transaction: SQLite's write-ahead log lets writers
go on beside it, and what they write is not part of the copy. It is written under another name, checked, and gets its
own name when it is complete: what has the name of a backup is one.
"""

import asyncio
import errno
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.storage.failures import not_copied

_PAGES = 1000
"""Pages to copy before it is looked whether to stop: 4 MB."""
_CHECKED_EVERY = 10_000
"""SQLite's instructions between two such looks while the copy is checked."""
_ENDS_WITHIN = timedelta(seconds=5)
"""What a copy that is stopped may take to remove what it wrote."""
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS})
_MAY_PASS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


async def back_up(source: Path, path: str) -> int:
    """
    Copy the database *source* to the new file *path*; return its bytes.

    A daemon thread does it, from the first look at *path* on: a disk that hangs under it holds up neither the event
    loop nor, once the copy was given a moment to remove what it wrote, the end of the program.

    Raises:
        Refused: *path* is not absolute, exists, or nothing can be made there.
        TemporaryFailure: It cannot be read or written now; what was written is removed.
    """
    loop = asyncio.get_running_loop()
    written: asyncio.Future[int] = loop.create_future()
    stop = threading.Event()

    def settle(settling: Callable[[], None]) -> None:
        settling()
        written.exception()  # nobody may be waiting any more

    def run() -> None:
        try:
            settling = partial(written.set_result, copy_to(source, _target(path), stop))
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            settling = partial(written.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, settling)

    threading.Thread(target=run, name="backup", daemon=True).start()
    try:
        return await asyncio.shield(written)
    finally:
        stop.set()
        await asyncio.wait((written,), timeout=_ENDS_WITHIN.total_seconds())


def _target(path: str) -> Path:
    """Where a backup goes; the manager's directory is not the caller's, so only an absolute path means the same."""
    target = Path(path)
    if not target.is_absolute():
        raise Refused(f"{path!r} is no absolute path: mailward writes the backup, and its directory is not yours")
    _refuse_existing(target)
    return target


def copy_to(source: Path, target: Path, stop: threading.Event) -> int:
    """
    Copy the database *source* to *target*, which must not exist; return its bytes. *stop* ends it early.

    Raises:
        Refused: *target* exists, or nothing can be made there.
        TemporaryFailure: It cannot be read or written now, or was stopped; what was written is removed.
    """
    part = target.with_name(target.name + ".part")
    try:
        _make(part)
        try:
            _copy(source, part, stop)
            _name(part, target)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
        return target.stat().st_size
    except sqlite3.Error as error:
        if stop.is_set():
            raise TemporaryFailure(f"no backup was made: it was stopped before {target} was complete") from error
        raise not_copied(error, source, target) from error
    except OSError as error:
        raise _not_made(error, target) from error


def _copy(source: Path, part: Path, stop: threading.Event) -> None:
    def look(*_: int) -> bool:
        if stop.is_set():
            raise sqlite3.OperationalError("stopped")
        return False

    with (
        closing(sqlite3.connect(source, isolation_level=None)) as reader,
        closing(sqlite3.connect(part, isolation_level=None)) as writer,
    ):
        writer.execute("PRAGMA journal_mode=OFF")
        reader.execute("BEGIN")
        reader.execute("SELECT 1 FROM sqlite_master").fetchone()  # only now does the transaction see one state
        reader.backup(writer, pages=_PAGES, progress=look)
        reader.execute("ROLLBACK")
        writer.execute("PRAGMA journal_mode=DELETE")  # one file, without companions
        writer.set_progress_handler(stop.is_set, _CHECKED_EVERY)
        said = writer.execute("PRAGMA quick_check(1)").fetchone()
        if said != ("ok",):
            raise TemporaryFailure(f"no backup was made: the store {source} is damaged (SQLite: {said[0]})")
    with part.open("rb+") as written:
        os.fsync(written.fileno())


def _make(part: Path) -> None:
    """For its owner alone, from the first moment."""
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError as error:
        raise Refused(
            f"{part} exists: another backup is being made, or one was broken off; remove it if no other runs"
        ) from error


def _name(part: Path, target: Path) -> None:
    """Unlike renaming, linking never takes the place of a file that has come meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        _refuse_existing(target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _refuse_existing(target)
        part.rename(target)


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise Refused(f"{target} exists already: a backup takes the place of nothing; name another file")


def _not_made(error: OSError, target: Path) -> MailwardError:
    kind = TemporaryFailure if error.errno in _MAY_PASS else Refused
    return kind(f"no backup was made: {target} cannot be written ({error.strerror}) by the user mailward runs as")
