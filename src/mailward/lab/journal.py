"""
Which faults a lab has now, and what their healing must remember: a file in the lab's directory.

Whoever breaks or heals holds its lock, so two terminals never do so at once.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailward.lab.faults.fault import Memory
from mailward.lab.files import write_private

Entries = dict[str, Memory]


def active(directory: Path) -> Entries:
    """The names of the faults a lab has now, in the order they were injected, with their memories."""
    try:
        return dict(json.loads((directory / "faults.json").read_text()))
    except FileNotFoundError:
        return {}


@contextmanager
def open_journal(directory: Path) -> Iterator[Entries]:
    """Change the entries under the lock; what is in them at the end, also after an error, is kept."""
    with (directory / "faults.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = active(directory)
        try:
            yield entries
        finally:
            write_private(directory / "faults.json", json.dumps(entries, indent=1))
