"""
Accounts that only probes use: made, and given new passwords without a single refused login.

A rotation: Dovecot accepts both passwords (`begin_rotation`) → the new one is tried → mailward uses it
(`use_new_passwords`) → no conversation can be on its way with the old one → Dovecot forgets it (`finish_rotation`).
`cancel_rotation` leads back from every point before the last. Dovecot reads its files anew by their time stamps, at
most once a second, and is never restarted (rootless-and-2.4 §C).

Each function changes all its files or none.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from mailward.model.errors import ConfigError, Refused
from mailward.platforms.dovecot.passwd_files import HealthFiles, hashed, put_lines, read_lines
from mailward.platforms.dovecot.probe_account import Account, read_secret
from mailward.platforms.dovecot.replacing import Replacing
from mailward.platforms.local.system_chance import SystemChance
from mailward.ports.chance import Chance

SECRET_MODE = 0o600
#: What would end a field or a line of a passwd-file.
_UNFIT = frozenset(": \t\r\n")


def create(files: HealthFiles, accounts: Sequence[Account], *, chance: Chance | None = None) -> tuple[str, ...]:
    """
    Make the accounts that do not exist yet. A password file that is there already is used: so one account can be made
    on every copy of a database with the same password.

    Returns:
        The users that were made.

    Raises:
        ConfigError: A name or a home cannot stand in a passwd-file.
        TemporaryFailure: A file cannot be read or written; nothing was changed.
    """
    chance = chance or SystemChance()
    passwords, users, local = read_lines(files.new), read_lines(files.users), read_lines(files.local)
    missing = [
        account
        for account in accounts
        if not (account.user in passwords and account.user in {**users, **local} and account.password_file.exists())
    ]
    with Replacing() as replacing:
        for account in missing:
            _check(account)
            passwords[account.user] = _password_line(account, _kept_or_new(replacing, account.password_file, chance))
            (local if files.is_replicated and account.is_local else users)[account.user] = _user_line(files, account)
            _make_room(files, account)
        if missing:
            put_lines(replacing, files, files.users, users)
            if local:
                put_lines(replacing, files, files.local, local)
            put_lines(replacing, files, files.new, passwords)
    return tuple(account.user for account in missing)


def begin_rotation(files: HealthFiles, accounts: Sequence[Account], *, chance: Chance | None = None) -> None:
    """
    Have Dovecot accept a new password beside the present one; mailward goes on with the present one.

    Raises:
        Refused: An account does not exist, or its password is being changed already.
        TemporaryFailure: A file cannot be read or written; nothing was changed.
    """
    chance = chance or SystemChance()
    new, old = read_lines(files.new), read_lines(files.old)
    for account in accounts:
        if account.user not in new:
            raise Refused(f"there is no account {account.user} in {files.new}; `mailward accounts create` makes it")
        if account.user in old:
            raise Refused(f"the password of {account.user} is being changed already; finish or cancel that first")
    with Replacing() as replacing:
        for account in accounts:
            old[account.user] = new[account.user]
            new[account.user] = _password_line(account, _kept_or_new(replacing, account.next_password_file, chance))
        put_lines(replacing, files, files.old, old)  # first, so that the present password is accepted at every moment
        put_lines(replacing, files, files.new, new)


def use_new_passwords(accounts: Sequence[Account]) -> None:
    """
    Have mailward use the new passwords from its next conversation on. Nothing happens where that was done already.

    Raises:
        TemporaryFailure: A file cannot be read or written; nothing was changed.
    """
    with Replacing() as replacing:
        for account in accounts:
            if account.next_password_file.exists():
                _put_secret(replacing, account.former_password_file, read_secret(account.password_file))
                _put_secret(replacing, account.password_file, read_secret(account.next_password_file))
                replacing.remove(account.next_password_file)


def finish_rotation(files: HealthFiles, accounts: Sequence[Account]) -> None:
    """
    Have Dovecot forget the former passwords.

    Raises:
        Refused: mailward still uses one of them.
        TemporaryFailure: A file cannot be read or written; nothing was changed.
    """
    waiting = [account.user for account in accounts if account.next_password_file.exists()]
    if waiting:
        raise Refused(f"mailward still uses the former password of {', '.join(waiting)}; nothing was forgotten")
    old = read_lines(files.old)
    with Replacing() as replacing:
        for account in accounts:
            old.pop(account.user, None)
            replacing.remove(account.former_password_file)
        put_lines(replacing, files, files.old, old)


def cancel_rotation(files: HealthFiles, accounts: Sequence[Account]) -> None:
    """
    Go back to the former passwords, wherever the rotation stands. Nothing happens where none is under way.

    Raises:
        TemporaryFailure: A file cannot be read or written; nothing was changed.
    """
    new, old = read_lines(files.new), read_lines(files.old)
    with Replacing() as replacing:
        for account in accounts:
            if account.user in old:
                new[account.user] = old.pop(account.user)
            if account.former_password_file.exists():
                _put_secret(replacing, account.password_file, read_secret(account.former_password_file))
            replacing.remove(account.former_password_file)
            replacing.remove(account.next_password_file)
        put_lines(replacing, files, files.new, new)
        put_lines(replacing, files, files.old, old)


def _password_line(account: Account, password: str) -> str:
    return f"{account.user}:{hashed(password)}:::::: allow_nets={','.join(account.allow_nets)}"


def _user_line(files: HealthFiles, account: Account) -> str:
    uid, _, gid = files.owner.partition(":")
    fields = [f"userdb_{files.quota_field.format(quota=account.quota)}"] if files.quota_field else []
    if files.is_replicated and account.is_local:
        fields.append("userdb_mail_plugins=quota")  # without notify and replication, nobody is told of its mail
    return f"{account.user}::{uid}:{gid}::{account.home}::{' '.join(fields)}"


def _check(account: Account) -> None:
    for text in (account.user, str(account.home), *account.allow_nets):
        if not text or (_UNFIT - (frozenset(":") if text in account.allow_nets else frozenset())) & set(text):
            raise ConfigError(f"account {account.user!r}: {text!r} cannot stand in a passwd-file of Dovecot")
    if not account.allow_nets:
        raise ConfigError(f"account {account.user!r} needs the networks it may log in from")


def _make_room(files: HealthFiles, account: Account) -> None:
    """The directory above the home, which the mail's owner could not make in one that is not his."""
    above = account.home.parent
    if above.exists() or not above.parent.exists():
        return
    uid, _, gid = files.owner.partition(":")
    above.mkdir(mode=0o700)
    if os.geteuid() == 0 and uid.isdigit():
        os.chown(above, int(uid), int(gid) if gid.isdigit() else -1)


def _kept_or_new(replacing: Replacing, path: Path, chance: Chance) -> str:
    if path.exists():
        return read_secret(path)
    password = chance.token()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _put_secret(replacing, path, password)
    return password


def _put_secret(replacing: Replacing, path: Path, password: str) -> None:
    """Readable for the owner of its directory alone: mailward's user, also when root makes the account."""
    above = path.parent.stat()
    owner = (above.st_uid, above.st_gid) if os.geteuid() == 0 else (-1, -1)
    replacing.put(path, f"{password}\n", mode=SECRET_MODE, owner=owner)
