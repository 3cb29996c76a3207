"""What SQLite's and the file system's errors mean for a person, and who must act. Codes: sqlite.org/rescode.html."""

import errno
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from mailward.model.errors import ConfigError, MailwardError, TemporaryFailure

DatabaseError = DBAPIError | sqlite3.Error

_DAMAGED = (
    "is damaged or no database: stop mailward and move it away with its -wal and -shm companions; it starts with an"
    " empty one, or with a backup put in its place"
)
_LOCKED = "is locked by another process (`fuser` on the file names it); it is tried again"
_NOT_OURS = "see that the user mailward runs as may read and write it and its directory"

_SENTENCES: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: "cannot grow: make room on its file system",
    sqlite3.SQLITE_READONLY: f"is read-only for this user: {_NOT_OURS}, and that its file system is mounted writable",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk answered with an error, or a quota is used up",
    sqlite3.SQLITE_CANTOPEN: f"cannot be opened: {_NOT_OURS}",
    sqlite3.SQLITE_PERM: f"may not be opened: {_NOT_OURS}",
    sqlite3.SQLITE_AUTH: f"may not be opened: {_NOT_OURS}",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
_FOR_THE_OPERATOR = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BREAKS_CONNECTION = _FOR_THE_OPERATOR | {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_MAY_PASS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE}
)


def explained(error: DatabaseError, path: Path) -> MailwardError:
    """What to raise instead of *error*: ConfigError for what no waiting mends, TemporaryFailure for the rest."""
    sentence = _SENTENCES.get(_code(error), "did not answer as it should; it is tried again")
    kind = ConfigError if _code(error) in _FOR_THE_OPERATOR else TemporaryFailure
    return kind(f"the store {path} {sentence} (SQLite: {_original(error)})")


def breaks_connection(error: DatabaseError) -> bool:
    """Whether the file is to be opened anew before the next attempt: it may be another by then, or mounted again."""
    return _code(error) in _BREAKS_CONNECTION


def not_made(error: OSError, path: Path) -> MailwardError:
    """What to raise when the file or its directory could not be made."""
    kind = TemporaryFailure if error.errno in _MAY_PASS else ConfigError
    return kind(f"the store {path} cannot be made ({error.strerror}: {error.filename}): {_NOT_OURS}")


def not_copied(error: DatabaseError, source: Path, target: Path) -> TemporaryFailure:
    """What to raise when *source* could not be copied to *target*; the text says which of the two is in trouble."""
    is_sources = _code(error) in _FOR_THE_OPERATOR | {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return TemporaryFailure(f"no backup was made: {explained(error, source if is_sources else target)}")


def _original(error: DatabaseError) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _code(error: DatabaseError) -> int:
    """SQLite's primary result code, or -1 when the error is not SQLite's own."""
    code = getattr(_original(error), "sqlite_errorcode", None)
    return -1 if code is None else int(code) & 0xFF
