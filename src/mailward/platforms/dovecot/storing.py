"""Where a Dovecot keeps mail, and to whom the files belong."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from grp import getgrnam
from pathlib import Path
from pwd import getpwnam

from mailward.platforms.dovecot.doveconf import Block
from mailward.platforms.dovecot.lookups import databases

#: With more of them, such as one for each of many domains, what is above them all is watched.
_STORES_MAX = 8
_WORD = re.compile(r"(\w+)=(\S*)")


def stores(root: Block) -> tuple[Path, ...]:
    """The directories above all users' mail, each up to where its path begins to depend on the user."""
    texts = [root.get("mail_home"), root.get("mail_path"), root.get("mail_location").partition(":")[2]]
    for block in databases(root, "userdb"):
        fields = dict(_fields(block))
        texts.append(fields.get("home", ""))
        if block.get("driver") == "passwd" or block.name == "passwd":
            texts.append("/home/%u")
        texts += _homes(block)
    found = tuple(dict.fromkeys(part for text in texts if (part := _fixed_part(text)) is not None))
    return found if len(found) <= _STORES_MAX else (Path(os.path.commonpath(found)),)


def mail_owner(root: Block) -> str | None:
    """ "uid:gid" of all mail, from mail_uid or from a userdb's fields; empty numbers are left empty."""
    candidates = [{"uid": root.get("mail_uid"), "gid": root.get("mail_gid")}]
    candidates += [dict(_fields(block)) for block in databases(root, "userdb")]
    for fields in candidates:
        uid = fields.get("uid", "")
        if uid:
            return f"{_number(uid)}:{_group(uid, fields.get('gid', ''))}"
    return None


def _fields(block: Block) -> Iterator[tuple[str, str]]:
    for setting in ("default_fields", "args", "override_fields"):
        yield from _WORD.findall(block.get(setting))
    yield from block.block("fields").settings.items()


def _homes(block: Block) -> Iterator[str]:
    """The homes in a passwd-file, as far as it may be read."""
    written = (block.get("passwd_file_path") or block.get("args")).split()
    if block.get("driver") != "passwd-file" or not written:
        return
    with suppress(OSError, UnicodeDecodeError), Path(written[-1]).open() as stream:
        for line in stream:
            fields = line.rstrip("\n").split(":")
            if len(fields) > 5 and fields[5].startswith("/"):
                yield f"{Path(fields[5]).parent}/%u"


def _fixed_part(path: str) -> Path | None:
    """The directory above the first part of *path* that names the user; None when it is relative."""
    path = path.partition(":")[0]
    if not path.startswith("/"):
        return None
    fixed = path.partition("%")[0].rpartition("/")[0]
    return Path(fixed) if fixed else None


def _number(user: str) -> str:
    with suppress(KeyError):
        return user if user.isdigit() else str(getpwnam(user).pw_uid)
    return user


def _group(user: str, group: str) -> str:
    with suppress(KeyError):
        if group:
            return group if group.isdigit() else str(getgrnam(group).gr_gid)
        return "" if user.isdigit() else str(getpwnam(user).pw_gid)
    return group
