"""Letting go of file systems that faults mounted: before a directory is removed, or it would be emptied instead."""

import ctypes
from pathlib import Path

_MNT_DETACH = 2


def let_go_below(directory: Path) -> None:
    """Unmount whatever is mounted below *directory*; only root has mounted anything there."""
    for place in reversed(_mounted()):
        if place.startswith(f"{directory}/"):
            ctypes.CDLL(None).umount2(place.encode(), _MNT_DETACH)


def let_go_of(place: Path) -> None:
    """Unmount whatever is mounted at *place*, in every layer."""
    for _ in range(_mounted().count(str(place))):
        ctypes.CDLL(None).umount2(str(place).encode(), _MNT_DETACH)


def _mounted() -> list[str]:
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
