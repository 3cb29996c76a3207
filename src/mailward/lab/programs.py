"""The programs a lab of real Dovecots needs, and where they are on this machine."""

import os
import shutil
from pathlib import Path

#: Daemons stand where ordinary users do not look.
SEARCH_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
_LIBRARIES = Path("/usr/lib/dovecot")
_NEEDED = {
    "dovecot-imapd": _LIBRARIES / "imap",
    "dovecot-lmtpd": _LIBRARIES / "lmtp",
    "dovecot-sqlite": _LIBRARIES / "modules" / "libdriver_sqlite.so",
}


def program(name: str) -> str:
    """The full path of a program; its plain name where there is none."""
    return shutil.which(name, path=SEARCH_PATH) or name


def has_balancer() -> bool:
    """Whether HAProxy is installed; a lab does without it where it is not."""
    return shutil.which("haproxy", path=SEARCH_PATH) is not None


def missing_programs() -> tuple[str, ...]:
    """Debian's packages that a lab needs and this machine lacks."""
    return tuple(package for package, file in _NEEDED.items() if not file.exists())
