"""
A first configuration, complete and commented, from a Dovecot that runs here.

`initial` decides what the files say and touches nothing; `write` writes them. Dovecot's own configuration is never
edited: what it needs to know is in a file that its administrator includes.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from mailward.config import initial_text as text
from mailward.config.locate import NAME
from mailward.model.errors import Refused
from mailward.platforms.dovecot.detection import Detected, detected
from mailward.platforms.dovecot.replacing import Replacing
from mailward.platforms.dovecot.snippet import snippet

_SNIPPET = "mailward.conf"
_PASSWD_FILES = ("health-new", "health-old", "health-users")
_LOCAL_FILE = "health-local"


@dataclass(frozen=True, kw_only=True, slots=True)
class InitialFile:
    """One file to write."""

    path: Path
    text: str
    mode: int
    gid: int | None = None
    """Its group; None: ours."""
    is_kept: bool = False
    """Whether one that exists is left as it is, even when overwriting was asked for: it may hold accounts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InitialFiles:
    """The files of a first configuration, and what is left to do."""

    files: tuple[InitialFile, ...]
    next_steps: tuple[str, ...]
    """For the administrator, in order; each a sentence or a command."""


def detect(config: Path | None = None) -> tuple[Detected, ...]:
    """
    Look at one Dovecot, or at all that run here.

    Raises:
        ConfigError: There is none.
        TemporaryFailure: Its configuration cannot be read; the text says why and what to do.
    """
    return asyncio.run(detected(config))


def initial(
    found: Detected,
    *,
    host_name: str,
    directory: Path,
    state_directory: Path | None = None,
    passwd_directory: Path | None = None,
    ca_file: Path | None = None,
) -> InitialFiles:
    """
    Make a first configuration.

    Args:
        found: The Dovecot to watch.
        host_name: This host's name.
        directory: Where mailward's configuration will be.
        state_directory: Where the manager will keep its database; systemd's or /var/lib/mailward by default.
        passwd_directory: Where Dovecot will look for probes' accounts; beside its configuration by default.
        ca_file: Authorities to trust, where the certificate's is not known to this machine.
    """
    accounts = passwd_directory or found.health_directory or found.config.parent / "mailward"
    include = accounts / _SNIPPET
    watched = text.Watched(found=found, host_name=host_name.lower(), state_directory=state_directory, ca_file=ca_file)
    passwd_files = (*_PASSWD_FILES, _LOCAL_FILE) if found.may_replicate else _PASSWD_FILES
    files = (
        InitialFile(path=directory / NAME, text=text.toml(watched), mode=0o640),
        *(
            InitialFile(path=accounts / name, text="", mode=0o640, gid=found.reader_gid, is_kept=True)
            for name in passwd_files
        ),
        InitialFile(path=include, text=snippet(found, accounts), mode=0o644),
    )
    return InitialFiles(files=files, next_steps=tuple(text.next_steps(watched, directory, include)))


def write(files: InitialFiles, *, force: bool = False) -> tuple[Path, ...]:
    """
    Write the files, all or none.

    Args:
        files: What `initial` made.
        force: Whether files that exist with another content are overwritten.

    Returns:
        Those that were written; one that is there already, as it should be, is not.

    Raises:
        Refused: A file exists and *force* was not given.
        TemporaryFailure: A file cannot be written.
    """
    wanted = [file for file in files.files if not _is_there(file)]
    existing = [str(file.path) for file in wanted if file.path.exists()]
    if existing and not force:
        raise Refused(f"{', '.join(existing)} exists already; nothing was written. --force overwrites")
    with Replacing() as replacing:
        for file in wanted:
            file.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            owner = (-1, -1) if file.gid is None else (-1, file.gid)
            replacing.put(file.path, file.text, mode=file.mode, owner=owner)
    return tuple(file.path for file in wanted)


def _is_there(file: InitialFile) -> bool:
    if not file.path.exists():
        return False
    return file.is_kept or file.path.read_bytes() == file.text.encode()
