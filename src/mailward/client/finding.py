"""Where a manager's socket is looked for, in this order; what is named is not searched for elsewhere."""

import os
from collections.abc import Mapping
from pathlib import Path

from mailward.client.errors import NoManager

SYSTEM_SOCKET = Path("/run/mailward/api.sock")


def candidates(given: str | None, environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """
    Return the sockets to try: *given* alone, else $MAILWARD_SOCKET alone, else the user's own and the system's.
    """
    named = given or environment.get("MAILWARD_SOCKET")
    if named:
        return (Path(named).expanduser(),)
    runtime = environment.get("XDG_RUNTIME_DIR")
    own = (Path(runtime) / "mailward" / "api.sock",) if runtime else ()
    return (*own, SYSTEM_SOCKET)


def find_socket(given: str | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """
    Return the first socket that exists.

    Raises:
        NoManager: None does; the text names every place.
    """
    tried = candidates(given, environment)
    for path in tried:
        if path.is_socket():
            return path
    raise NoManager(tried)
