"""Writing the lab's files: replaced as a whole, readable by nobody but the user who needs them."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes | str, *, owner: tuple[int, int] | None = None, mode: int = 0o600) -> None:
    """
    Replace *path* as a whole; a reader sees the old or the new content, never half of it.

    Args:
        path: The file; its directory exists.
        content: What it holds from now on.
        owner: User and group number it is given to; only root can give files away.
        mode: Its permissions, from the first byte on.
    """
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(data)
    beside.replace(path)


def make_directory(path: Path, *, mode: int = 0o755, owner: tuple[int, int] | None = None) -> None:
    """Make *path*, whatever the caller's umask."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if owner is not None:
        os.chown(path, *owner)
