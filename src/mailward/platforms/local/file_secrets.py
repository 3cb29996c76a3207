"""
Secrets in files, in the environment, or handed over by systemd (`LoadCredential=`), read at the moment of use.

A file that everybody on the machine can read is no secret: it is refused, in a sentence that says how to mend it.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from mailward.model.errors import TemporaryFailure
from mailward.model.organization import SecretKind, SecretRef
from mailward.platforms.local.opening import without_waiting

#: A secret is short; a larger file is some other file.
_LARGEST_BYTES = 4096


class FileSecrets:
    """Reveals secrets. Relative file names count from *directory*, the configuration's."""

    def __init__(self, directory: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        """
        Args:
            directory: Where relative file names begin; the working directory by default.
            environment: Where variables are looked up; the process's own by default.
        """
        self._directory = directory or Path()
        self._environment = os.environ if environment is None else environment

    def reveal(self, ref: SecretRef) -> str:
        """
        Return the secret *ref* names, without a trailing newline.

        Raises:
            TemporaryFailure: It cannot be read, is empty, or everybody may read it; the text says what to do and never
                holds the content.
        """
        if ref.kind is SecretKind.ENVIRONMENT:
            return self._variable(ref.name)
        if ref.kind is SecretKind.CREDENTIAL:
            return _read(self._credential(ref.name))
        return _read(self._directory / ref.name)

    def _variable(self, name: str) -> str:
        secret = self._environment.get(name, "").rstrip("\r\n")
        if not secret:
            raise TemporaryFailure(f"the environment variable {name}, which should hold a secret, is not set")
        return secret

    def _credential(self, name: str) -> Path:
        directory = self._environment.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise TemporaryFailure(
                f"the credential {name} is not there: mailward was not started with LoadCredential={name}:… by systemd"
            )
        if Path(name).name != name:
            raise TemporaryFailure(f"{name!r} is not the name of a credential: it must not hold a slash")
        return Path(directory) / name


def _read(path: Path) -> str:
    try:
        with open(path, "rb", opener=without_waiting) as file:
            seen = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(seen):
                raise TemporaryFailure(f"the secret file {path} is no ordinary file; put the secret into one")
            if (mode := stat.S_IMODE(seen)) & stat.S_IROTH:
                raise TemporaryFailure(
                    f"the secret file {path} can be read by everybody on this machine (mode {mode:04o}), so it is not"
                    f" used; run: chmod o-rwx {path}"
                )
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise TemporaryFailure(f"the secret file {path} cannot be read: {error.strerror or error}") from error
    if len(content) > _LARGEST_BYTES:
        raise TemporaryFailure(f"the secret file {path} is larger than {_LARGEST_BYTES} bytes: it holds no secret")
    try:
        secret = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise TemporaryFailure(f"the secret file {path} is not UTF-8 text") from None
    if not secret:
        raise TemporaryFailure(f"the secret file {path} is empty")
    return secret
