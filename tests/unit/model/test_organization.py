from dataclasses import replace

import pytest

from mailward.model.errors import NotFound, Refused
from mailward.model.organization import Database, ImapEndpoint, Organization, Role, Server


def an_organization() -> Organization:
    return Organization(
        name="example",
        servers={
            name: Server(name=name, roles=frozenset({role}), imap=ImapEndpoint(host=name), known_as=known)
            for name, role, known in (
                ("mbx1", Role.MAILBOX, frozenset({"mbx1.example.net"})),
                ("mbx2", Role.MAILBOX, frozenset()),
                ("proxy1", Role.PROXY, frozenset({"192.0.2.7"})),
            )
        },
        databases={"DB1": Database(name="DB1", copies=("mbx1", "mbx2"), active="mbx2")},
    )


@pytest.mark.parametrize("name", ["mbx1", "MBX1", "mbx1.example.net", "Mbx1.Example.NET"])
def test_a_server_is_found_by_short_name_and_fqdn_without_regard_to_case(name):
    assert "mbx1" == an_organization().server_named(name).name


def test_an_unknown_server_is_refused_and_the_nearest_named():
    with pytest.raises(Refused, match="did you mean 'mbx2'"):
        an_organization().server_named("mx2")


def test_a_number_is_no_short_name_of_an_address():
    with pytest.raises(Refused):
        an_organization().server_named("192")


def test_copies_are_active_on_one_server_and_passive_on_the_others():
    organization = an_organization()

    assert ["DB1"] == [database.name for database in organization.active_on("mbx2")]
    assert () == organization.active_on("mbx1")
    assert ("mbx1",) == organization.databases["DB1"].passive


def test_an_unknown_server_in_capitals_is_like_one_in_small_letters():
    with pytest.raises(Refused, match="did you mean 'mbx2'"):
        an_organization().server_named("MX2")


def test_a_database_is_found_as_it_is_spelled_before_one_that_is_spelled_otherwise():
    organization = an_organization()
    small = Database(name="db1", copies=("mbx1",), active="mbx1")
    both = replace(organization, databases={**organization.databases, "db1": small})

    assert ["DB1", "db1"] == [both.database_named(name).name for name in ("DB1", "db1")]
    assert "DB1" == organization.database_named("dB1").name


def test_an_unknown_database_is_refused_and_the_nearest_named():
    with pytest.raises(NotFound, match="there is no database 'db9'; did you mean 'DB1'"):
        an_organization().database_named("db9")
    with pytest.raises(NotFound, match="known: DB1"):
        an_organization().database_named("archive")


def test_of_very_many_names_some_are_told():
    one = an_organization().databases["DB1"]
    many = replace(an_organization(), databases={f"DB{number:03}": one for number in range(1000)})

    with pytest.raises(NotFound, match="known: DB000, DB001, .*DB011 and 988 more$"):
        many.database_named("archive")


def test_a_database_that_only_the_map_knows_does_not_become_ours():
    organization = an_organization().with_active({"DB1": "mbx1", "DB9": "mbx2"})

    assert {"DB1": "mbx1"} == {name: database.active for name, database in organization.databases.items()}
