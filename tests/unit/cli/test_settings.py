"""`mailward settings show`: a table, a list, JSON; an unknown server names the nearest."""

import json

import pytest

TEXT = """
[organization]
name = "example"

[servers.mbx1]
roles = ["mailbox"]
imap.host = "127.0.0.1"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mailward.toml"
    path.write_text(TEXT)
    return str(path)


def test_what_is_known_is_shown_with_its_origin_and_the_rest_is_not_available(run, file):
    out = run("settings", "show", "mbx1", "--config", file).out

    assert "127.0.0.1:993 (tls)" in out
    assert "mailward.toml:7" in out
    assert "not available on this platform" in out


def test_a_list_has_every_field_and_json_a_null_for_what_is_not_known(run, file):
    listed = run("settings", "show", "mbx1", "--config", file, "--format", "list").out
    found = json.loads(run("settings", "show", "mbx1", "--config", file, "--format", "json").out)

    assert "InternalConnectionSettings" in listed
    banner = next(one for one in found["items"] if one["setting"] == "Banner")
    assert (None, "not available on this platform") == (banner["value"], banner["unknown"])


def test_an_unknown_server_is_1_and_names_the_nearest(run, file):
    ran = run("settings", "show", "mbx2", "--config", file)

    assert 1 == ran.code
    assert "there is no server 'mbx2'; did you mean 'mbx1'?" in ran.err
