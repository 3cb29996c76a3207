"""A map by command: what programs print, and how they end."""

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.organization import RoutingMap
from mailward.platforms.commands import DaemonStarter, LocalRunner
from mailward.platforms.routing.command_map import CommandMap


def make_map(**scripts):
    given = {"active": "echo DB1 be1", "mailboxes": "true", "switch": "true", **scripts}
    names = {"active": (), "mailboxes": ("{database}",), "switch": ("{database}", "{source}", "{target}")}
    commands = {verb: ("/bin/sh", "-c", given[verb], "map", *names[verb]) for verb in given}
    return CommandMap(RoutingMap(map="command", commands=commands), looking=LocalRunner(), doing=DaemonStarter())


async def test_what_is_no_pair_is_refused_with_the_line():
    with pytest.raises(Refused, match=r"routing\.commands\.active printed 'DB1 on be1' instead of"):
        await make_map(active="echo DB1 on be1").active()


async def test_empty_lines_and_white_space_mean_nothing():
    assert {"DB1": "be1"} == dict(await make_map(active="printf '\\n DB1\\t be1 \\n\\n'").active())
    assert ("ada", "bob") == await make_map(mailboxes="printf ' ada\\n\\nbob '").mailboxes("DB1")


async def test_a_database_that_is_said_to_be_in_two_places_is_in_both():
    assert {"DB1": "be1 and be2"} == dict(await make_map(active="echo DB1 be2; echo DB1 be1").active())


async def test_a_program_that_fails_is_a_temporary_failure_with_what_it_said():
    with pytest.raises(TemporaryFailure, match="ended with 3: no such host"):
        await make_map(active="echo no such host >&2; exit 3").active()
    with pytest.raises(TemporaryFailure, match="ended with 4"):
        await make_map(switch="exit 4").switch("DB1", source="be1", target="be2")


async def test_a_program_that_breaks_with_1_is_not_believed_that_somebody_changed_the_map():
    with pytest.raises(TemporaryFailure, match="ended with 1: Traceback"):
        await make_map(switch="echo Traceback >&2; exit 1").switch("DB1", source="be1", target="be2")
    with pytest.raises(Refused, match="DB1 is not on be2 any more, but on be1"):
        await make_map(switch="exit 1").switch("DB1", source="be2", target="be3")


async def test_a_name_that_looks_like_a_placeholder_stays_a_name():
    words = make_map().command("{source}", source="{target}", target="be2")
    assert ("{source}", "{target}", "be2") == words[-3:]
