"""
What an administrator includes in Dovecot so that it knows probes' accounts; written for 2.3 or 2.4.

2.3: inside `protocol imap` the lookups come before all others and are for IMAP alone, so that the accounts can neither
submit mail nor cost a slow directory a lookup; `username_filter` keeps users' logins away from them (tried: 2.3.19).
2.4: named lookups behind the others, as measured (rootless-and-2.4 §C).
"""

from pathlib import Path

from mailward.platforms.dovecot.detection import Detected

#: How the names of all accounts for probes begin.
PREFIX = "health-"


def snippet(detected: Detected, directory: Path) -> str:
    """
    Return the text of the file to include.

    Args:
        detected: The Dovecot.
        directory: Where the passwd-files are.
    """
    if detected.is_new_style:
        return _HEAD + _NEW_STYLE.format(directory=directory)
    listed = detected.may_replicate
    users = _USERDB.format(file=directory / "health-users")
    local = _USERDB.format(file=directory / "health-local")
    return "".join(
        (
            _HEAD,
            "protocol imap {\n",
            _indented(_PASSDB.format(comment=_NEW, file=directory / "health-new", prefix=PREFIX)),
            _indented(_PASSDB.format(comment=_OLD, file=directory / "health-old", prefix=PREFIX)),
            _indented(f"# {_LOCAL}\n{local}" if listed else users),
            "}\n",
            f"# {_LISTED}\n{users}" if listed else "",
        )
    )


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


_HEAD = """\
# mailward: accounts that only probes use, apart from users' accounts. Made by `mailward config init`.
# The files named here are kept by `mailward accounts`; Dovecot notices their changes without a reload.
"""

_NEW = "passwords of probes; each account is accepted from mailward's addresses only (allow_nets)"
_LOCAL = "the server's own account, for IMAP alone: replication would look for it on the peer in vain"
_LISTED = "one account in each database, for every service: replication must find these mailboxes as well"
_OLD = "also accepted while a password is being changed; empty otherwise"

_PASSDB = """\
# {comment}
passdb {{
  driver = passwd-file
  args = {file}
  username_filter = {prefix}*
}}
"""

_USERDB = """\
userdb {{
  driver = passwd-file
  args = {file}
}}
"""

_NEW_STYLE = """\
passdb mailward-new {{
  driver = passwd-file
  passwd_file_path = {directory}/health-new
}}
# also accepted while a password is being changed; empty otherwise
passdb mailward-old {{
  driver = passwd-file
  passwd_file_path = {directory}/health-old
}}
userdb mailward {{
  driver = passwd-file
  passwd_file_path = {directory}/health-users
}}
"""
