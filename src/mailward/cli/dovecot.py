"""Which Dovecot of this host a command means."""

from pathlib import Path
from typing import TYPE_CHECKING

from mailward.cli.progress import progress
from mailward.model.errors import Refused

if TYPE_CHECKING:
    from mailward.platforms.dovecot.detection import Detected


def the_dovecot(config: str | None) -> "Detected":
    """
    Return the Dovecot of this host that is meant: the one of *config*, or the only one.

    Raises:
        ConfigError: There is none.
        Refused: There are several; the text names them.
        TemporaryFailure: Its configuration cannot be read.
    """
    from mailward.config.initial import detect

    with progress("looking at Dovecot"):
        found = detect(Path(config) if config else None)
    if len(found) > 1:
        names = "\n".join(f"--dovecot-config {one.config}" for one in found)
        raise Refused(f"{len(found)} Dovecots run here; say which:\n{names}")
    return found[0]
