"""`mailward config`: what is said of a configuration, without starting anything."""

import json

import pytest

GOOD = """
[organization]
name = "example"

[health_mailboxes]
user = "health-{name}"
password_file = "secrets/{name}"

[servers.mbx1]
roles = ["mailbox"]
imap.host = "127.0.0.1"

[databases.DB1]
copies = ["mbx1"]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mailward.toml"
    path.write_text(GOOD)
    return path


def test_a_right_configuration_is_0_with_what_probing_costs(run, file):
    ran = run("config", "check", "--config", str(file))

    assert (0, "") == (ran.code, ran.err)
    assert f"✓ {file} is right: example, 1 servers, 1 databases" in ran.out
    assert "conversations" in ran.out


def test_all_mistakes_come_at_once_with_file_and_line(run, file):
    file.write_text(GOOD.replace("copies", "copis").replace('"mailbox"', '"mailbix"'))
    ran = run("config", "check", "--config", str(file))

    assert 1 == ran.code
    assert f"✗ {file}:10: " in ran.out
    assert f"✗ {file}:14: " in ran.out
    assert "nothing would start with it" in ran.out


def test_a_program_gets_the_same_as_json(run, file):
    good = json.loads(run("config", "check", "--config", str(file), "--format", "json").out)
    file.write_text(GOOD.replace("copies", "copis"))
    bad = run("config", "check", "--config", str(file), "--format", "json")

    assert (1, True, []) == (good["schema"], good["valid"], good["mistakes"])
    assert good["cost"]["servers"][0]["conversations"] > 0
    assert (1, False) == (bad.code, json.loads(bad.out)["valid"])
    assert {"file", "line", "text"} == set(json.loads(bad.out)["mistakes"][0])


def test_settings_are_shown_with_where_they_come_from(run, file):
    out = run("config", "show", "servers.mbx1.imap", "--config", str(file)).out

    assert "servers.mbx1.imap.host" in out
    assert "mailward.toml:11" in out
    assert "default" in out
    assert "DB1" not in out


def test_a_pattern_that_matches_nothing_says_so(run, file):
    ran = run("config", "show", "servers.mbx9.*", "--config", str(file))

    assert 1 == ran.code
    assert "no setting matches" in ran.err


def test_a_key_is_explained_and_an_unknown_one_refused(run):
    assert "preferred one first" in run("config", "explain", "databases.copies").out
    assert 1 == run("config", "explain", "organization.nonsense").code


def test_the_schema_is_json(run):
    assert "properties" in json.loads(run("config", "schema").out)


def test_no_configuration_is_1_and_the_way_to_one(process, tmp_path):
    ran = process(
        "config", "check", "--config", str(tmp_path / "none.toml"), environment={"XDG_CONFIG_HOME": str(tmp_path)}
    )

    assert 1 == ran.code
    assert "mailward config init" in ran.err


def test_a_wrong_configuration_starts_no_manager(process, file):
    file.write_text(GOOD.replace("copies", "copis"))
    ran = process("run", "--config", str(file))

    assert 1 == ran.code
    assert f"{file}:14: " in ran.err
    assert "Traceback" not in ran.err
