"""A map in a directory: entries that differ, and directories in trouble."""

import asyncio
import os
import shutil

import pytest

from mailward.model.errors import Refused, TemporaryFailure

ADA = "uid=ada,ou=people,dc=example,dc=org"
OF_DB1 = "uid=database-0,ou=databases,dc=example,dc=org"


@pytest.fixture(params=["databases", "mailboxes"])
def layout(request, directory):
    directory(request.param)
    return request.param


async def test_a_mailbox_that_somebody_moved_alone_is_told_and_nothing_is_changed(directory):
    routing = directory("mailboxes").routing
    directory.change(ADA, "replace: mailHost\nmailHost: be3")
    assert {"DB1": "be1 and be3", "DB2": "be2"} == {name: (await routing.active())[name] for name in ("DB1", "DB2")}
    with pytest.raises(Refused, match="on be1, but on be1 and be3: somebody else has changed it"):
        await routing.switch("DB1", source="be1", target="be2")
    assert "be1 and be3" == (await routing.active())["DB1"]


async def test_one_entry_that_cannot_be_changed_keeps_all_as_they_were(directory):
    routing = directory("mailboxes").routing
    # the last entry, by name, is of a kind that cannot tell until when its logins are held
    directory.change(
        "uid=zoë,ou=people,dc=example,dc=org",
        "delete: objectClass\nobjectClass: mailRouted\n-\nadd: objectClass\nobjectClass: mailUnheld",
    )
    with pytest.raises(Refused, match="mailHoldUntil"):
        await directory.map("mailboxes", filter="(uid=*)").switch("DB1", source="be1", target="be2")
    assert "be1" == (await routing.active())["DB1"]
    assert "be1" == directory.value(ADA, "mailHost")


async def test_of_many_switches_at_once_one_wins_and_the_others_change_nothing(directory):
    routing = directory("mailboxes").routing
    every = await asyncio.gather(
        *(routing.switch("DB1", source="be1", target=f"be{number}") for number in range(2, 7)), return_exceptions=True
    )
    assert 1 == every.count(None), every
    assert f"be{every.index(None) + 2}" == (await routing.active())["DB1"]


async def test_a_switch_that_was_cut_off_can_be_brought_to_its_end(directory):
    routing = directory("mailboxes").routing
    directory.change(ADA, "replace: mailHost\nmailHost: be2")
    assert "be1 and be2" == (await routing.active())["DB1"]
    await routing.switch("DB1", source="be1", target="be2")
    assert "be2" == (await routing.active())["DB1"]


async def test_an_entry_of_two_servers_is_no_place_to_move_from(directory):
    routing = directory("databases").routing
    directory.change(OF_DB1, "add: mailHost\nmailHost: be2")
    assert "be1 and be2" == (await routing.active())["DB1"]
    with pytest.raises(Refused):
        await routing.switch("DB1", source="be1", target="be3")


async def test_a_wrong_password_is_told_and_never_shown(directory, layout):
    with pytest.raises(TemporaryFailure, match="Invalid credentials") as failure:
        await directory.map(layout, password="a-wrong-secret").active()
    assert "a-wrong-secret" not in f"{failure.value!r} {failure.value.__cause__!r}"


async def test_no_password_is_among_the_words_of_a_program(directory, layout, tmp_path, monkeypatch):
    for name in ("ldapsearch", "ldapmodify"):
        # what every user of the machine could see of the program, which then is itself
        seen = f"tr '\\0' ' ' </proc/$$/cmdline >>{tmp_path}/seen"
        (tmp_path / name).write_text(f'#!/bin/sh\n{seen}\nexec {shutil.which(name)} "$@"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    await directory.map(layout).switch("DB1", source="be1", target="be2")

    words = (tmp_path / "seen").read_text()
    assert (True, True) == (f"{tmp_path}/ldapsearch -H" in words, f"{tmp_path}/ldapmodify -H" in words)
    assert 2 == words.count("cn=admin")
    assert "not-to-be-seen" not in words


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"filter": "(mailHost=*"}, "Bad search filter"),
        ({"base": "ou=nosuch,dc=example,dc=org"}, "No such object"),
        ({"base": "nonsense"}, "[Ii]nvalid DN"),
    ],
)
async def test_what_the_configuration_says_of_the_directory_and_is_wrong_is_refused(directory, layout, entries, why):
    with pytest.raises(Refused, match=why):
        await directory.map(layout, **entries).active()


async def test_an_attribute_that_the_directory_does_not_take_is_refused(directory, layout):
    with pytest.raises(Refused, match="nosuchAttribute"):
        await directory.map(layout, hold_until="nosuchAttribute").switch("DB1", source="be1", target="be2")
    assert "be1" == (await directory.map(layout).active())["DB1"]


async def test_more_entries_than_a_directory_gives_at_once_are_read_to_the_last(directory):
    routing = directory("mailboxes").routing
    people = [
        f"dn: uid=user{number},ou=people,dc=example,dc=org\nobjectClass: account\nobjectClass: mailRouted\n"
        "mailDatabase: DB2\nmailHost: be2\n"
        for number in range(1200)
    ]
    directory.tool("ldapadd", told="\n".join(people))
    assert 1201 == len(await routing.mailboxes("DB2"))
    await routing.switch("DB2", source="be2", target="be1")
    assert "be1" == (await routing.active())["DB2"]


async def test_a_directory_that_says_nothing_is_given_up_in_time(directory, layout, attentive):
    with directory.silent():
        async with attentive(), asyncio.timeout(30):
            with pytest.raises(TemporaryFailure, match="the map ldap://"):
                await directory.map(layout, limit=1).active()
    assert "be1" == (await directory.map(layout).active())["DB1"]


@pytest.mark.parametrize("way", ["starttls", "ldaps"])
async def test_a_directory_is_asked_encrypted_and_its_certificate_is_checked(directory, way):
    directory("databases")
    more = {"starttls": True} if way == "starttls" else {"url": directory.encrypted}
    assert "be1" == (await directory.map("databases", ca_file=str(directory.ca_file), **more).active())["DB1"]
    with pytest.raises(TemporaryFailure, match="the map ldap"):
        await directory.map("databases", **more).active()


async def test_programs_that_are_not_installed_are_told_with_their_package(directory, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        TemporaryFailure, match="ldapsearch cannot be started: .*; OpenLDAP's programs are in the package"
    ):
        await directory.map("databases").active()


async def test_a_rehearsal_shows_what_would_be_changed(directory):
    words = directory.map("databases").command("DB*", source="be1", target="be2")
    assert ("ldapmodify", r"(ou=DB\2a)", "delete:mailHost=be1", "add:mailHost=be2") == words
