"""
The lab's accounts: passwords, passwd-files, and the SQL map user -> database -> server.

Mailbox servers check every password. The proxies check users' passwords against the map; for health mailboxes they
only look up where to go, so that a probe's password can be changed on the mailbox servers alone. Probe accounts live
in files of their own behind the users' ones and are accepted from the prober's address only
(rootless-and-2.4 §C).
"""

import hashlib
import os
import secrets
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing

from mailward.lab.blueprint import MAIL_UID, Blueprint, LabHost
from mailward.lab.files import make_directory, write_private

_MAP = """
CREATE TABLE servers (name TEXT PRIMARY KEY, host TEXT NOT NULL, imaps_port INTEGER NOT NULL,
                      lmtp_port INTEGER NOT NULL);
CREATE TABLE databases (name TEXT PRIMARY KEY, active TEXT NOT NULL REFERENCES servers (name),
                        hold_until INTEGER NOT NULL DEFAULT 0);
CREATE TABLE users (username TEXT PRIMARY KEY, password TEXT, nopassword TEXT, allow_nets TEXT,
                    "database" TEXT REFERENCES databases (name));
"""


def hashed(password: str) -> str:
    """The password as {SSHA256}: salted, and cheap enough not to disturb measurements."""
    salt = secrets.token_bytes(8)
    digest = hashlib.sha256(password.encode() + salt).digest()
    return "{SSHA256}" + b64encode(digest + salt).decode()


def write_passwords(blueprint: Blueprint) -> None:
    """Choose a password for every account of the lab and keep each in a file of its own."""
    make_directory(blueprint.secrets, mode=0o700)
    for user in all_accounts(blueprint):
        write_private(blueprint.password_file(user), secrets.token_urlsafe(15))


def password(blueprint: Blueprint, user: str) -> str:
    """The password of *user*."""
    return blueprint.password_file(user).read_text()


def all_accounts(blueprint: Blueprint) -> tuple[str, ...]:
    """Every account name once: users, health mailboxes of databases, local health mailboxes."""
    users = (user for database in blueprint.databases for user in (*database.users, database.health_user))
    local = (blueprint.local_health_user(host) for host in blueprint.hosts)
    return tuple(dict.fromkeys((*users, *local)))


def write_passwd_files(blueprint: Blueprint, host: LabHost) -> None:
    """Write the passwd-files of one mailbox server: users, health mailboxes, and the empty place for a rotation."""
    owner = auth_owner(blueprint)
    make_directory(host.passwords)
    for database in blueprint.databases:
        if host.name in database.copies:
            make_directory(host.store / database.name, mode=0o700, owner=mail_owner(blueprint))
    write_private(host.passwords / "users", "".join(_user_lines(blueprint, host)), owner=owner)
    write_private(host.passwords / "health", "".join(health_password_lines(blueprint, host)), owner=owner)
    write_private(host.passwords / "health-old", "", owner=owner)
    write_private(host.passwords / "health-users", "".join(health_user_lines(blueprint, host)), owner=owner)


def health_password_lines(blueprint: Blueprint, host: LabHost, *, wrong: bool = False) -> Iterator[str]:
    """The passdb of the host's probe accounts; *wrong* makes every password another one than the prober's."""
    for user in health_accounts(blueprint, host):
        known = secrets.token_urlsafe(15) if wrong else password(blueprint, user)
        yield f"{user}:{hashed(known)}:::::: allow_nets={blueprint.prober}/32\n"


def health_user_lines(blueprint: Blueprint, host: LabHost, *, quota: str = "1G") -> Iterator[str]:
    """The userdb of the host's probe accounts. The local one is not in it: Dovecot would replicate what it can list."""
    for user in health_accounts(blueprint, host)[1:]:
        yield f"{user}:::::{home(blueprint, host, user)}::userdb_quota_rule=*:storage={quota}\n"


def health_accounts(blueprint: Blueprint, host: LabHost) -> tuple[str, ...]:
    """The probe accounts of one mailbox server: its local one, and one for each database it holds a copy of."""
    databases = (database.health_user for database in blueprint.databases if host.name in database.copies)
    return (blueprint.local_health_user(host), *databases)


def home(blueprint: Blueprint, host: LabHost, user: str) -> str:
    """The home directory of *user* on that host, inside its database's store."""
    database = blueprint.database_of(user)
    return str(host.store / (database.name if database else "local") / user)


def write_map(blueprint: Blueprint) -> None:
    """Write the map from which the proxies learn who lives where."""
    make_directory(blueprint.map_file.parent, mode=0o700)
    with closing(sqlite3.connect(blueprint.map_file)) as connection, connection:
        connection.executescript(_MAP)
        connection.executemany(
            "INSERT INTO servers VALUES (?, ?, ?, ?)",
            [
                (host.name, host.address, blueprint.ports.imaps, blueprint.ports.lmtp)
                for host in blueprint.mailbox_servers
            ],
        )
        connection.executemany(
            "INSERT INTO databases (name, active) VALUES (?, ?)",
            [(known.name, known.copies[0]) for known in blueprint.databases],
        )
        connection.executemany("INSERT INTO users VALUES (?, ?, ?, ?, ?)", list(_map_rows(blueprint)))
    blueprint.map_file.chmod(0o600)


def auth_owner(blueprint: Blueprint) -> tuple[int, int] | None:
    """The numbers of the user whose auth process reads passwd-files; None when that is who runs the lab."""
    if blueprint.rootless:
        return None
    import pwd  # noqa: PLC0415 - only a lab of root gives files away

    entry = pwd.getpwnam(blueprint.user)
    return entry.pw_uid, entry.pw_gid


def mail_owner(blueprint: Blueprint) -> tuple[int, int]:
    """The numbers of the user who owns the mail."""
    return (os.getuid(), os.getgid()) if blueprint.rootless else (MAIL_UID, MAIL_UID)


def _user_lines(blueprint: Blueprint, host: LabHost) -> Iterator[str]:
    for database in blueprint.databases:
        if host.name in database.copies:
            for user in database.users:
                yield f"{user}:{hashed(password(blueprint, user))}::::{home(blueprint, host, user)}::\n"


def _map_rows(blueprint: Blueprint) -> Iterator[tuple[str, str | None, str | None, str | None, str | None]]:
    prober_only = f"{blueprint.prober}/32"
    for database in blueprint.databases:
        for user in database.users:
            yield user, hashed(password(blueprint, user)), None, None, database.name
        yield database.health_user, None, "y", prober_only, database.name
    for user in dict.fromkeys(blueprint.local_health_user(host) for host in blueprint.proxies):
        yield user, hashed(password(blueprint, user)), None, prober_only, None
