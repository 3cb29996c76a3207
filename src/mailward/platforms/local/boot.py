"""What tells one boot of this machine from the next."""

from pathlib import Path

from mailward.model.errors import TemporaryFailure

#: random(4): made anew at every boot.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id(path: Path = BOOT_ID) -> str:
    """
    Return this machine's boot id.

    Raises:
        TemporaryFailure: The kernel does not show it.
    """
    try:
        found = path.read_text().strip()
    except OSError as error:
        raise TemporaryFailure(f"{path} cannot be read: {error.strerror or error}") from error
    if not found:
        raise TemporaryFailure(f"{path} is empty")
    return found
