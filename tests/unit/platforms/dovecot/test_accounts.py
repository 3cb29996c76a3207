import base64
import hashlib
import os
import stat
from dataclasses import replace

import pytest

from mailward.model.errors import ConfigError, Refused, TemporaryFailure
from mailward.platforms.dovecot.accounts import (
    begin_rotation,
    cancel_rotation,
    create,
    finish_rotation,
    use_new_passwords,
)
from mailward.platforms.dovecot.passwd_files import hashed, health_files, read_lines


def verifies(line, password):
    digest = base64.b64decode(line.split(":")[1].removeprefix("{SSHA512}"))
    return digest[:64] == hashlib.sha512(password.encode() + digest[64:]).digest()


def secrets_of(accounts):
    return [account.password_file.read_text().strip() for account in accounts]


def everything(tmp_path):
    return {path.relative_to(tmp_path): path.read_text() for path in sorted(tmp_path.rglob("*")) if path.is_file()}


def accepted(files, account, password):
    lines = (read_lines(files.new).get(account.user), read_lines(files.old).get(account.user))
    return any(line is not None and verifies(line, password) for line in lines)


def test_accounts_are_made_with_their_own_random_passwords_networks_and_homes(files, accounts):
    assert ("health-mail1", "health-db1") == create(files, accounts)

    one, other = secrets_of(accounts)
    assert one != other
    assert len(one) >= 32
    assert accepted(files, accounts[0], one)
    assert read_lines(files.new)["health-mail1"].endswith(":::::: allow_nets=127.0.0.143/32,::1/128")
    home = f"health-mail1::5000:5000::{accounts[0].home}::userdb_quota_rule=*:storage=1G"
    assert home == read_lines(files.users)["health-mail1"]


def test_passwords_are_for_their_owner_and_hashes_for_dovecot_alone(files, accounts):
    create(files, accounts)

    assert 0o600 == stat.S_IMODE(accounts[0].password_file.stat().st_mode)
    assert 0o640 == stat.S_IMODE(files.new.stat().st_mode)


def test_a_servers_own_account_is_kept_from_replication_which_would_not_find_it_on_the_peer(files, accounts):
    own, in_database = replace(accounts[0], is_local=True), accounts[1]

    create(replace(files, is_replicated=True), [own, in_database])

    assert read_lines(files.local)[own.user].endswith("userdb_quota_rule=*:storage=1G userdb_mail_plugins=quota")
    assert ([own.user], [in_database.user]) == (list(read_lines(files.local)), list(read_lines(files.users)))


def test_a_password_that_is_there_is_used_so_that_every_copy_of_a_database_can_have_the_same(files, accounts):
    accounts[0].password_file.parent.mkdir()
    accounts[0].password_file.write_text("from the other copy\n")

    create(files, accounts)

    assert accepted(files, accounts[0], "from the other copy")


def test_accounts_that_exist_are_left_alone(files, accounts, tmp_path):
    create(files, accounts[:1])
    before = secrets_of(accounts[:1])

    assert ("health-db1",) == create(files, accounts)
    assert before == secrets_of(accounts[:1])
    whole = everything(tmp_path)
    assert () == create(files, accounts)
    assert whole == everything(tmp_path)


@pytest.mark.parametrize(
    "but", [{"user": "health:x"}, {"user": "health x"}, {"user": ""}, {"allow_nets": ()}, {"allow_nets": ("a b",)}]
)
def test_what_cannot_stand_in_a_passwd_file_is_refused_before_anything_changes(files, accounts, tmp_path, but):
    before = everything(tmp_path)

    with pytest.raises(ConfigError, match="cannot stand in a passwd-file|needs the networks"):
        create(files, [accounts[0], replace(accounts[1], **but)])

    assert before == everything(tmp_path)


def test_a_failure_half_way_leaves_everything_as_it_was(files, accounts, tmp_path):
    files.new.unlink()
    files.new.mkdir()  # cannot be replaced by a file, nor read as one

    before = everything(tmp_path)
    with pytest.raises(TemporaryFailure, match="health-new"):
        create(files, accounts)

    assert before == everything(tmp_path)


def test_while_rotating_both_passwords_are_accepted_and_mailward_goes_on_with_the_former(files, accounts):
    create(files, accounts)
    former = secrets_of(accounts)

    begin_rotation(files, accounts)

    assert former == secrets_of(accounts)
    for account, password in zip(accounts, former, strict=True):
        assert accepted(files, account, password)
        assert accepted(files, account, account.next_password_file.read_text().strip())


def test_when_finished_the_former_passwords_are_forgotten_and_nothing_is_left_of_the_rotation(files, accounts):
    create(files, accounts)
    former = secrets_of(accounts)

    begin_rotation(files, accounts)
    use_new_passwords(accounts)
    finish_rotation(files, accounts)

    for account, password in zip(accounts, former, strict=True):
        assert not accepted(files, account, password)
        assert accepted(files, account, account.password_file.read_text().strip())
    assert {"mail1.password", "db1.password"} == {path.name for path in accounts[0].password_file.parent.iterdir()}
    assert "" == files.old.read_text()


def test_from_every_step_a_rotation_can_be_cancelled(files, accounts, tmp_path):
    create(files, accounts)
    before = everything(tmp_path)
    steps = [lambda: begin_rotation(files, accounts), lambda: use_new_passwords(accounts)]

    for done in range(len(steps) + 1):
        for step in steps[:done]:
            step()
        cancel_rotation(files, accounts)
        assert before == everything(tmp_path)


def test_a_second_rotation_is_refused_while_one_is_under_way(files, accounts):
    create(files, accounts)
    begin_rotation(files, accounts)

    with pytest.raises(Refused, match="the password of health-mail1 is being changed already"):
        begin_rotation(files, accounts)


def test_former_passwords_are_not_forgotten_while_mailward_uses_them(files, accounts):
    create(files, accounts)
    begin_rotation(files, accounts)

    with pytest.raises(Refused, match="mailward still uses the former password of health-mail1, health-db1"):
        finish_rotation(files, accounts)


def test_a_password_of_an_account_that_does_not_exist_is_not_changed(files, accounts):
    with pytest.raises(Refused, match="there is no account health-mail1"):
        begin_rotation(files, accounts)


def test_two_changes_within_a_second_have_two_time_stamps(files, accounts):
    create(files, accounts)
    before = int(files.new.stat().st_mtime)

    begin_rotation(files, accounts)

    assert before < int(files.new.stat().st_mtime)


def test_the_same_password_never_has_the_same_hash():
    assert hashed("secret") != hashed("secret")


def test_passwd_files_are_found_only_once_the_snippet_is_included(a_dovecot, tmp_path):
    with pytest.raises(ConfigError, match="does not include mailward's accounts yet"):
        health_files(a_dovecot())

    assert tmp_path == health_files(a_dovecot(health_directory=tmp_path)).directory


def test_where_each_users_mail_has_its_own_owner_one_must_be_named(a_dovecot, tmp_path):
    found = a_dovecot(health_directory=tmp_path, mail_owner=None)

    with pytest.raises(ConfigError, match="--mail-owner"):
        health_files(found)
    assert "1000:1000" == health_files(found, owner="1000:1000").owner


def test_2_4_wants_the_name_of_the_quota_and_without_one_none_is_given(a_dovecot, tmp_path):
    found = a_dovecot(health_directory=tmp_path, version=(2, 4, 1))

    assert "" == health_files(found).quota_field
    named = health_files(a_dovecot(health_directory=tmp_path, version=(2, 4, 1), quota="user"))
    assert "quota/user/quota_storage_size=1G" == named.quota_field.format(quota="1G")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_owner_of_the_directory_of_secrets(files, accounts):
    accounts[0].password_file.parent.mkdir()
    os.chown(accounts[0].password_file.parent, 4711, 4712)

    create(files, accounts)

    stat_ = accounts[0].password_file.stat()
    assert (4711, 4712) == (stat_.st_uid, stat_.st_gid)
