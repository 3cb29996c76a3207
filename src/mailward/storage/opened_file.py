"""Which file a connection writes to. SQLite goes on writing to one that was removed, all of it lost at a restart."""

import os
from dataclasses import dataclass
from pathlib import Path

Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """The file a path named when it was opened, and SQLite's companions beside it."""

    path: Path
    identity: Identity | None
    companions: tuple[tuple[Path, Identity | None], ...]

    def is_in_place(self) -> bool:
        """Whether the path still names it."""
        return self.identity == _identity(self.path)

    def remove_companions(self) -> None:
        """
        Remove what SQLite left beside a file that is no longer there.

        A write-ahead log carries no mark of its database: beside another one it would be played into that.
        """
        for path, identity in self.companions:
            if identity is not None and identity == _identity(path):
                path.unlink()


def made(path: Path) -> None:
    """Make directory and file for their owner alone; what exists is left as it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def opened(path: Path) -> OpenedFile:
    """Remember what is at *path* now."""
    real = path.resolve()  # SQLite puts its companions beside the file, not beside a link to it
    companions = [real.with_name(real.name + suffix) for suffix in ("-wal", "-shm")]
    return OpenedFile(path, _identity(path), tuple((companion, _identity(companion)) for companion in companions))


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
