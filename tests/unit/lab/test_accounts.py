import hashlib
import sqlite3
from base64 import b64decode
from contextlib import closing
from pathlib import Path

import pytest

from mailward.lab import accounts
from mailward.lab.blueprint import Blueprint, Ports, Shape, draw


@pytest.fixture
def blueprint(tmp_path: Path) -> Blueprint:
    drawn = draw(Shape.TWO_TIER, tmp_path, network="127.3.4", ports=Ports(), rootless=True, user="me", group="me")
    accounts.write_passwords(drawn)
    for host in drawn.mailbox_servers:
        accounts.write_passwd_files(drawn, host)
    accounts.write_map(drawn)
    return drawn


def verifies(password: str, stored: str) -> bool:
    assert stored.startswith("{SSHA256}")
    raw = b64decode(stored.removeprefix("{SSHA256}"))
    return hashlib.sha256(password.encode() + raw[32:]).digest() == raw[:32]


def lines(file: Path) -> dict[str, list[str]]:
    return {line.split(":")[0]: line.split(":") for line in file.read_text().splitlines()}


def test_a_hash_verifies_its_password_and_no_other() -> None:
    stored = accounts.hashed("secret")

    assert verifies("secret", stored)
    assert not verifies("Secret", stored)
    assert stored != accounts.hashed("secret"), "it is not salted"


def test_every_secret_is_in_a_file_nobody_else_may_read(blueprint: Blueprint) -> None:
    files = [path for path in blueprint.directory.rglob("*") if path.is_file()]

    assert len(accounts.all_accounts(blueprint)) == len(list(blueprint.secrets.iterdir()))
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}


def test_no_password_stands_anywhere_but_in_its_own_file(blueprint: Blueprint) -> None:
    passwords = {accounts.password(blueprint, user).encode() for user in accounts.all_accounts(blueprint)}

    for path in blueprint.directory.rglob("*"):
        if path.is_file() and path.parent != blueprint.secrets:
            assert not [password for password in passwords if password in path.read_bytes()]


@pytest.mark.parametrize("server", ["be1", "be2"])
def test_a_mailbox_server_knows_the_users_and_health_mailboxes_of_its_copies(blueprint: Blueprint, server: str) -> None:
    host = blueprint.host(server)
    users, health = lines(host.passwords / "users"), lines(host.passwords / "health")

    assert {user for database in blueprint.databases for user in database.users} == set(users)
    assert {f"health-{server}", "health-db1", "health-db2", "health-db3", "health-db4"} == set(health)
    assert verifies(accounts.password(blueprint, "anna"), users["anna"][1])
    assert str(host.store / "DB1" / "anna") == users["anna"][5]


def test_health_mailboxes_open_from_the_probers_address_only(blueprint: Blueprint) -> None:
    for line in (blueprint.host("be1").passwords / "health").read_text().splitlines():
        assert line.endswith(f" allow_nets={blueprint.prober}/32")


def test_the_local_health_mailbox_cannot_be_listed_and_so_is_not_replicated(blueprint: Blueprint) -> None:
    host = blueprint.host("be1")

    assert "health-be1" not in lines(host.passwords / "health-users")
    assert "health-db1" in lines(host.passwords / "health-users")


def test_wrong_probe_passwords_are_all_wrong(blueprint: Blueprint) -> None:
    host = blueprint.host("be1")

    for line in accounts.health_password_lines(blueprint, host, wrong=True):
        user, stored = line.split(":")[:2]
        assert not verifies(accounts.password(blueprint, user), stored)


def test_the_map_leads_every_user_to_the_server_of_the_active_copy(blueprint: Blueprint) -> None:
    with closing(sqlite3.connect(blueprint.map_file)) as connection:
        rows = connection.execute(
            'SELECT username, host FROM users JOIN databases d ON d.name = "database" JOIN servers s ON s.name = active'
        ).fetchall()

    found = dict(rows)
    assert blueprint.host("be1").address == found["anna"] == found["health-db1"]
    assert blueprint.host("be2").address == found["gustav"] == found["health-db4"]
    assert "health-proxy" not in found
    assert "health-be1" not in found
