"""
Several files changed as one: each is replaced at once, and all are put back when a later step fails.

Dovecot reads a passwd-file again when its time stamp, in whole seconds, is another one (rootless-and-2.4 §C): a new
content always gets a later second than the one before, so that two changes within a second are not overlooked.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from mailward.model.errors import TemporaryFailure

_SECOND_NS = 1_000_000_000


class Replacing:
    """
    Use as `with Replacing() as files: files.put(…)`; an exception inside puts everything back.

    Raises:
        TemporaryFailure: A file cannot be written; the text names it and what the system said.
    """

    def __init__(self) -> None:
        self._before: list[tuple[Path, bytes | None, os.stat_result | None]] = []

    def __enter__(self) -> "Replacing":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._undo()
        if isinstance(error, OSError):
            raise TemporaryFailure(
                f"{error.filename} cannot be written: {error.strerror}; nothing was changed"
            ) from error

    def put(self, path: Path, text: str, *, mode: int, owner: tuple[int, int] = (-1, -1)) -> None:
        """Write *text* to *path*; *owner* is user and group by number, -1 for our own."""
        self._remember(path)
        _replace(path, text.encode(), mode=mode, owner=owner)

    def remove(self, path: Path) -> None:
        """Remove *path*; it need not exist."""
        self._remember(path)
        path.unlink(missing_ok=True)

    def _remember(self, path: Path) -> None:
        try:
            self._before.append((path, path.read_bytes(), path.stat()))
        except FileNotFoundError:
            self._before.append((path, None, None))

    def _undo(self) -> None:
        for path, content, stat in reversed(self._before):
            with suppress(OSError):
                if content is None or stat is None:
                    path.unlink(missing_ok=True)
                else:
                    _replace(path, content, mode=stat.st_mode & 0o7777, owner=(stat.st_uid, stat.st_gid))


def _replace(path: Path, content: bytes, *, mode: int, owner: tuple[int, int]) -> None:
    try:
        second = int(path.stat().st_mtime)
    except FileNotFoundError:
        second = 0
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            if owner != (-1, -1):
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            written = os.fstat(descriptor).st_mtime_ns
            later = max(written, (second + 1) * _SECOND_NS)
            os.utime(name, ns=(later, later))
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
