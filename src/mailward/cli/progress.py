"""Says that something is still going on, once it has taken a second and only where a person looks."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_AFTER_SECONDS = 1.0
_EVERY_SECONDS = 0.1


@contextmanager
def progress(doing: str, *, after: float = _AFTER_SECONDS) -> Iterator[None]:
    """Show *doing* on standard error while the block runs, with the seconds it has taken, once these are *after*."""
    if not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    teller = threading.Thread(target=_tell, args=(doing, after, over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _tell(doing: str, after: float, over: threading.Event) -> None:
    if over.wait(after):
        return
    ticks = 0
    while True:
        seconds = after + ticks * _EVERY_SECONDS
        sys.stderr.write(f"\r\x1b[K{_FRAMES[ticks % len(_FRAMES)]} {doing} … {seconds:.0f} s")
        sys.stderr.flush()
        if over.wait(_EVERY_SECONDS):
            break
        ticks += 1
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
