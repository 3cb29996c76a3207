"""A directory asked by its programs: what becomes of a password that takes its time."""

import asyncio
import threading

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.model.organization import DirectoryEntries, RoutingMap
from mailward.platforms.routing.ldap_map import LdapMap

SETTINGS = RoutingMap(map="ldap://map.example.org", ldap=DirectoryEntries(base="dc=example", user="cn=mailward"))


class SlowFile:
    """A password in a file system that answers when it is told to."""

    def __init__(self):
        self.answers = threading.Event()

    def __call__(self):
        assert self.answers.wait(20)
        return "secret"


async def test_while_its_password_is_read_everything_else_goes_on(recording):
    file, runner = SlowFile(), recording()

    async with asyncio.timeout(10):
        asking = asyncio.create_task(LdapMap(SETTINGS, file, runner).active())
        await asyncio.sleep(0)
        assert [] == runner.argvs
        file.answers.set()
        await asking

    assert "ldapsearch" == runner.argvs[0][0]


async def test_several_who_ask_at_once_all_have_the_password(recording):
    file, runner = SlowFile(), recording()
    routing = LdapMap(SETTINGS, file, runner)

    async with asyncio.timeout(10):
        asking = [asyncio.create_task(routing.active()) for _ in range(3)]
        await asyncio.sleep(0)
        file.answers.set()
        await asyncio.gather(*asking)

    assert 3 == len(runner.argvs)


async def test_a_password_whose_file_system_hangs_is_given_up_and_nothing_is_asked(recording):
    file, runner = SlowFile(), recording()

    async with asyncio.timeout(10):
        with pytest.raises(TemporaryFailure, match="the map ldap://map.example.org: the password of its user"):
            await LdapMap(SETTINGS, file, runner, limit=0.05).active()

    file.answers.set()
    assert [] == runner.argvs
