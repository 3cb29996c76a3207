"""What moves databases is given what it needs for organizations of any size."""

import pytest

from mailward.model.organization import DirectoryEntries, Organization, RoutingMap
from mailward.platforms.moving import routing_for

#: More than other programs may say: a list of 200,000 mailboxes.
MANY = "yes user1 | head -n 200000"


class NoSecrets:
    def reveal(self, ref):
        raise AssertionError(ref)


def routing(**settings):
    return routing_for(Organization(name="example", servers={}, routing=RoutingMap(**settings)), NoSecrets())


async def test_a_command_may_name_very_many_mailboxes():
    listed = routing(map="command", commands={"mailboxes": ("/bin/sh", "-c", MANY)})

    assert 200_000 == len(await listed.mailboxes("DB1"))


async def test_a_directory_may_name_very_many_mailboxes(tmp_path, monkeypatch):
    program = tmp_path / "ldapsearch"
    entries = "".join(f"dn: uid=user{number},dc=example\nuid: user{number}\n\n" for number in range(90_000))
    (tmp_path / "entries").write_text(entries)
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/entries\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    listed = routing(map="ldap://map.example.org", ldap=DirectoryEntries(base="dc=example"))

    assert 90_000 == len(await listed.mailboxes("DB1"))


@pytest.mark.parametrize("stream", ["1", "2"])
async def test_a_switch_by_command_is_not_ended_half_way_because_it_talks(stream, tmp_path):
    done = tmp_path / "done"
    words = ("/bin/sh", "-c", f"yes | head -c 2000000 >&{stream}; touch {done}", "{database}", "{source}", "{target}")

    await routing(map="command", commands={"switch": words}).switch("DB1", source="be1", target="be2")

    assert done.exists()
