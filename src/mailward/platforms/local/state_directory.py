"""One manager at a time on a state directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailward.model.errors import ConfigError, Refused


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """
    Hold *directory* for this process; it is made, for us alone, when it does not exist.

    The lock is the kernel's: it goes with the process, however that ends.

    Raises:
        ConfigError: The directory cannot be made or written.
        Refused: Another process holds it; the text names its process id.
    """
    path = directory / "manager.lock"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"the state directory {directory} cannot be used: {error.strerror}; give --state-directory or set"
            " [manager] state_directory to one that this user may write"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise Refused(
                f"another manager (process {owner}) runs on {directory}; stop it first, or use another state directory"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
