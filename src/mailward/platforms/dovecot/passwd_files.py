"""
The three passwd-files of probes' accounts, apart from everybody else's (rootless-and-2.4 §C).

`health-new` holds the passwords, `health-old` the ones that are still accepted while they are being changed,
`health-users` where the mail is.
"""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mailward.model.errors import ConfigError, TemporaryFailure
from mailward.platforms.dovecot.detection import Detected
from mailward.platforms.dovecot.replacing import Replacing

PASSWD_MODE = 0o640
_SALT_BYTES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthFiles:
    """Where one Dovecot looks for probes' accounts, and how it wants them written."""

    directory: Path
    reader_gid: int | None = None
    """The group that may read them; None leaves them to our own user."""
    owner: str = ""
    """"uid:gid" of the accounts' mail; empty where Dovecot's mail_uid says it."""
    is_replicated: bool = False
    """Whether mailboxes may have copies, so that the server's own account stands in a file of its own."""
    quota_field: str = "quota_rule=*:storage={quota}"
    """The userdb field of an own quota; empty: none can be given."""

    @property
    def new(self) -> Path:
        """The passwords."""
        return self.directory / "health-new"

    @property
    def old(self) -> Path:
        """Passwords that are accepted as well."""
        return self.directory / "health-old"

    @property
    def users(self) -> Path:
        """Where the mail is."""
        return self.directory / "health-users"

    @property
    def local(self) -> Path:
        """Where the mail of a mailbox server's own account is, which must not be replicated."""
        return self.directory / "health-local"


def health_files(detected: Detected, *, owner: str | None = None) -> HealthFiles:
    """
    Find the passwd-files in a Dovecot's own configuration.

    Args:
        detected: The Dovecot.
        owner: "uid:gid" of the accounts' mail, needed where each user's mail has its own owner.

    Raises:
        ConfigError: mailward's snippet is not included there, or nobody is known to own the mail.
    """
    if detected.health_directory is None:
        raise ConfigError(
            f"{detected.config} does not include mailward's accounts yet: add the line `!include …` that"
            " `mailward config init` told, and reload Dovecot"
        )
    known = owner or detected.mail_owner
    if known is None:
        raise ConfigError(
            "each user's mail has its own owner here, so the probes' mail needs one too: create a user for it and give"
            " its numbers, as in --mail-owner 5000:5000"
        )
    field = "quota_rule=*:storage={quota}"
    if detected.is_new_style:
        field = f"quota/{detected.quota}/quota_storage_size={{quota}}" if detected.quota else ""
    return HealthFiles(
        directory=detected.health_directory,
        reader_gid=detected.reader_gid,
        owner=known,
        is_replicated=detected.may_replicate,
        quota_field=field,
    )


def hashed(password: str) -> str:
    """
    The password as Dovecot stores it: {SSHA512}, 2.3 and 2.4 alike.

    A slow hash guards passwords that people choose. These are random and longer than any search; slow, each probe would
    cost the server what an attacker's guess should.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    return "{SSHA512}" + b64encode(hashlib.sha512(password.encode() + salt).digest() + salt).decode()


def read_lines(path: Path) -> dict[str, str]:
    """
    The lines of a passwd-file by user; none when there is no such file.

    Raises:
        TemporaryFailure: It cannot be read.
    """
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise TemporaryFailure(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return {line.partition(":")[0]: line for line in lines if ":" in line and not line.startswith("#")}


def put_lines(replacing: Replacing, files: HealthFiles, path: Path, lines: Mapping[str, str]) -> None:
    """Write a passwd-file so that Dovecot, and nobody else, can read it."""
    owner = (-1, -1) if files.reader_gid is None else (-1, files.reader_gid)
    replacing.put(path, "".join(f"{line}\n" for line in lines.values()), mode=PASSWD_MODE, owner=owner)
