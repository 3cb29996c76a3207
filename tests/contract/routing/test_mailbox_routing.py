"""The contract of MailboxRouting."""

import asyncio
from datetime import UTC, datetime

import pytest

from mailward.model.errors import Refused, TemporaryFailure

# what stands in the map is in conftest.py
_STRANGE = "Dä'tä\"3*(x)"
_UNTIL = datetime(2026, 11, 26, 12, 0, 7, tzinfo=UTC)


async def test_the_map_says_where_every_database_is_active(mapped) -> None:
    assert {"DB1": "be1", "DB2": "be2", _STRANGE: "be1"} == dict(await mapped.routing.active())


async def test_the_map_says_which_mailboxes_a_database_has(mapped) -> None:
    assert {"ada", "o'brien", "zoë"} == set(await mapped.routing.mailboxes("DB1"))
    assert () == await mapped.routing.mailboxes("DB9")


async def test_a_switch_sends_users_of_one_database_elsewhere_and_of_no_other(mapped) -> None:
    await mapped.routing.switch("DB1", source="be1", target="be2")
    assert {"DB1": "be2", "DB2": "be2", _STRANGE: "be1"} == dict(await mapped.routing.active())


async def test_nothing_is_changed_where_somebody_else_has_changed_the_map(mapped) -> None:
    mapped.edit("DB1", "be3")
    with pytest.raises(Refused, match="DB1 is(?s:.)*be1"):
        await mapped.routing.switch("DB1", source="be1", target="be2")
    assert "be3" == (await mapped.routing.active())["DB1"]


async def test_what_somebody_else_writes_is_read(mapped) -> None:
    mapped.edit("DB2", "be1")
    assert "be1" == (await mapped.routing.active())["DB2"]


async def test_a_database_that_the_map_does_not_know_cannot_be_switched(mapped) -> None:
    with pytest.raises(Refused):
        await mapped.routing.switch("DB9", source="be1", target="be2")


async def test_of_two_switches_at_once_exactly_one_wins(mapped) -> None:
    both = await asyncio.gather(
        mapped.routing.switch("DB1", source="be1", target="be2"),
        mapped.routing.switch("DB1", source="be1", target="be3"),
        return_exceptions=True,
    )
    assert 1 == both.count(None), both
    assert ["be2", "be3"][both.index(None)] == (await mapped.routing.active())["DB1"]
    assert all(one is None or isinstance(one, Refused) for one in both), both


async def test_names_are_never_read_as_anything_but_names(mapped) -> None:
    assert ("eve",) == await mapped.routing.mailboxes(_STRANGE)
    await mapped.routing.switch(_STRANGE, source="be1", target="be4")
    assert {"DB1": "be1", "DB2": "be2", _STRANGE: "be4"} == dict(await mapped.routing.active())
    for name in ("*", "DB1' OR '1'='1", "DB1)(uid=*", ":source", "{source}", "--help"):
        assert () == await mapped.routing.mailboxes(name)
        with pytest.raises(Refused):
            await mapped.routing.switch(name, source="be1", target="be9")
    assert "be9" not in (await mapped.routing.active()).values()


async def test_the_moment_until_which_logins_are_held_is_written_with_the_switch(mapped) -> None:
    if not mapped.routing.can_hold:
        pytest.skip("this map cannot hold logins")
    await mapped.routing.switch("DB1", source="be1", target="be2", hold_until=_UNTIL)
    assert int(_UNTIL.timestamp()) == mapped.held("DB1")
    with pytest.raises(Refused):
        await mapped.routing.switch("DB2", source="be1", target="be2", hold_until=_UNTIL)
    assert 0 == mapped.held("DB2")
    await mapped.routing.switch("DB1", source="be2", target="be1")
    assert 0 == mapped.held("DB1")


async def test_logins_can_be_held_where_they_are(mapped) -> None:
    """Before a silent server is left: from a server to itself."""
    if not mapped.routing.can_hold:
        pytest.skip("this map cannot hold logins")

    await mapped.routing.switch("DB1", source="be1", target="be1", hold_until=_UNTIL)

    assert int(_UNTIL.timestamp()) == mapped.held("DB1")
    assert "be1" == (await mapped.routing.active())["DB1"]


async def test_logins_of_a_database_that_the_map_does_not_know_are_not_said_to_be_held(mapped) -> None:
    with pytest.raises(Refused):
        await mapped.routing.switch("DB9", source="be1", target="be1", hold_until=_UNTIL)


async def test_a_map_that_is_not_reached_is_a_temporary_failure_and_keeps_nobody_waiting(mapped, attentive) -> None:
    async with attentive(), asyncio.timeout(10):
        with pytest.raises(TemporaryFailure) as first:
            await mapped.unreachable.active()
        with pytest.raises(TemporaryFailure):
            await mapped.unreachable.mailboxes("DB1")
        with pytest.raises(TemporaryFailure):
            await mapped.unreachable.switch("DB1", source="be1", target="be2")
    assert "not-to-be-seen" not in str(first.value)


async def test_the_words_of_a_switch_name_what_would_be_changed(mapped) -> None:
    words = " ".join(mapped.routing.command("DB1", source="be1", target="be2"))
    assert all(name in words for name in ("DB1", "be1", "be2"))
