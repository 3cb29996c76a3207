"""
Where a Dovecot writes its protocol log, found out from its own configuration, and what to put there where it does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mailward.model.errors import Refused
from mailward.platforms.dovecot import storing
from mailward.platforms.dovecot.doveconf import Doveconf

#: What stands for the user as the last part of `rawlog_dir`: 2.3, and 2.4.
_USER = ("%u", "%{user}")
_HOW = "put this into its dovecot.conf and reload it once: protocol imap {{ rawlog_dir = /run/mailward-rawlog/{user} }}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one Dovecot looks for a user's directory."""

    directory: Path
    """DIR of DIR/USER."""
    realm: str
    """The domain of a user who gives none; empty: there is none."""
    owner: str | None
    """"uid:gid" of all mail where Dovecot has such a setting; None: each user's mail has its own owner."""
    folds_case: bool
    """Whether Dovecot knows users by small letters, as by default."""

    def name_of(self, user: str) -> str:
        """A health mailbox by the name Dovecot gives its directory."""
        name = f"{user}@{self.realm}" if self.realm and "@" not in user else user
        return name.lower() if self.folds_case else name


def place_in(conf: Doveconf) -> Place:
    """
    Find where the protocol log of IMAP is written.

    Raises:
        Refused: Nowhere, or not to a directory for each user; the text says what to write into dovecot.conf.
    """
    root = conf.root
    written = root.block("protocol", "imap").get("rawlog_dir") or root.get("rawlog_dir")
    how = _HOW.format(user=_USER[conf.is_new_style])
    if not written:
        raise Refused(f"{conf.file} names no rawlog_dir, so this Dovecot has no protocol log: {how}")
    above, _, last = written.rpartition("/")
    if last not in _USER or "%" in above or not above.startswith("/"):
        raise Refused(
            f"rawlog_dir = {written} in {conf.file} is no directory for each user, by which it could be switched: {how}"
        )
    case = root.get("auth_username_format")
    return Place(
        directory=Path(above),
        realm=root.get("auth_default_realm"),
        owner=storing.mail_owner(root),
        folds_case=not case or "%L" in case or "lower" in case,
    )


def numbers(owner: str | None, look_up: Callable[[], str]) -> tuple[int, int]:
    """
    The uid and gid of a user's session.

    Args:
        owner: "uid:gid" of all mail; None: each user's is asked for.
        look_up: What `doveadm user` says of one user, a line for each field.

    Raises:
        Refused: No numbers come of it.

    Returns:
        Both as numbers; a gid of -1 where only the uid is known, which leaves the group as it is.
    """
    if owner is not None:
        uid, _, gid = owner.partition(":")
    else:
        fields = dict(line.split(None, 1) for line in look_up().splitlines() if len(line.split(None, 1)) == 2)
        uid, gid = fields.get("uid", ""), fields.get("gid", "")
    if not uid.isdecimal() or not (gid.isdecimal() or not gid):
        raise Refused("Dovecot does not say by uid and gid whose the mail of its users is: set mail_uid and mail_gid")
    return int(uid), int(gid or -1)
