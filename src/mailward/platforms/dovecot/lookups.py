"""What a Dovecot's passdbs and userdbs tell: whether it passes sessions on, and where it looks for probes' accounts."""

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mailward.platforms.dovecot.doveconf import Block

#: The file by which mailward's own passdb is recognised.
HEALTH_NEW = "health-new"
_PROXY = re.compile(r"\bproxy(_maybe)?\b", re.IGNORECASE)
_LARGEST_BYTES = 100_000


def databases(root: Block, kind: str) -> Iterator[Block]:
    """The passdbs or userdbs in force for IMAP: those of `protocol imap` first, as Dovecot asks them."""
    yield from root.block("protocol", "imap").of_kind(kind)
    yield from root.of_kind(kind)


def backends(root: Block) -> tuple[str, ...]:
    """The driver of each passdb but ours."""
    return tuple(_driver(block) for block in databases(root, "passdb") if Path(_file(block)).name != HEALTH_NEW)


def health_directory(root: Block) -> Path | None:
    """Where mailward's passwd-files are, once its snippet is included."""
    files = (Path(_file(block)) for block in databases(root, "passdb"))
    return next((file.parent for file in files if file.name == HEALTH_NEW), None)


def passes_on(root: Block) -> bool:
    """Whether a passdb hands sessions to another server."""
    return any(_passes_on(block) for block in databases(root, "passdb"))


def reader_gid(root: Block) -> int | None:
    """The group of the auth process, which reads passwd-files; None when its user is not known here."""
    written = root.block("service", "auth").get("user")
    user = root.get(written.removeprefix("$")) if written.startswith("$") else written
    try:
        return pwd.getpwnam(user or root.get("default_internal_user") or "dovecot").pw_gid
    except KeyError:
        return None


def _passes_on(block: Block) -> bool:
    texts = [*block.settings.values(), *(f"{key}={value}" for key, value in block.block("fields").settings.items())]
    texts += list(block.block("fields").settings)
    file = Path(_file(block))
    if _driver(block) in ("sql", "ldap") and file.is_absolute():
        with suppress(OSError), file.open(errors="replace") as stream:
            texts.append(os.linesep.join(_without_comments(stream.read(_LARGEST_BYTES))))
    return any(_PROXY.search(text) for text in texts)


def _without_comments(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _driver(block: Block) -> str:
    return block.get("driver") or block.get("passdb_driver") or block.name


def _file(block: Block) -> str:
    """The file a passdb reads: the last word of 2.3's args, which may begin with options such as scheme=…"""
    written = block.get("passwd_file_path") or block.get("args")
    return written.split()[-1] if written.split() else ""
