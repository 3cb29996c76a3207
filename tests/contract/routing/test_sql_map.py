"""A map in SQL: what statements may do, and what databases do to them."""

import asyncio
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import make_url

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.organization import RoutingMap
from mailward.platforms.routing.sql_map import SqlMap

_UNTIL = datetime(2026, 11, 26, 12, 0, 7, tzinfo=UTC)


def _kind(sql):
    return sql.settings.map.partition(":")[0]


async def test_a_statement_that_changes_several_rows_is_undone_and_refused(sql):
    careless = sql.map(switch="UPDATE db SET active = :target WHERE :database = :database AND active = :source")
    with pytest.raises(Refused, match=r"routing\.switch would have changed 2 rows instead of one; nothing was changed"):
        await careless.switch("DB1", source="be1", target="be2")
    assert [("be1",), ("be1",), ("be2",)] == sql.ask("SELECT active FROM db ORDER BY active")


async def test_a_statement_that_does_not_move_the_database_is_undone_and_refused(sql):
    wrong = sql.map(switch="UPDATE db SET hold_until = 7 WHERE name = :database AND active = :source AND :target <> ''")
    with pytest.raises(Refused, match="by routing.active DB1 is then on be1, not on be2; nothing was changed"):
        await wrong.switch("DB1", source="be1", target="be2")
    assert [(0,)] == sql.ask("SELECT hold_until FROM db WHERE name = 'DB1'")


async def test_a_statement_that_only_looks_does_not_pass_for_a_switch(sql):
    looks = sql.map(switch="SELECT name FROM db WHERE name = :database AND active = :source AND :target <> ''")
    with pytest.raises(Refused, match=r"routing\.switch"):
        await looks.switch("DB1", source="be1", target="be2")


async def test_a_switch_and_the_moment_of_its_hold_are_undone_together(sql):
    sql.ask("INSERT INTO db VALUES ('DB4', 'be1', 0)")
    both = sql.map(
        switch="UPDATE db SET active = :target, hold_until = :hold_until WHERE name IN (:database, 'DB4') "
        "AND active = :source"
    )
    with pytest.raises(Refused):
        await both.switch("DB1", source="be1", target="be2", hold_until=_UNTIL)
    assert [("be1", 0)] == sql.ask("SELECT active, hold_until FROM db WHERE name = 'DB1'")


@pytest.mark.parametrize(
    ("key", "statement", "why"),
    [
        ("active", "SELEKT name FROM db", "SELEKT"),
        ("active", "SELECT name, active FROM nosuchtable", "nosuchtable"),
        ("active", "SELECT name, nosuchcolumn FROM db", "nosuchcolumn"),
        ("active", "SELECT name FROM db", "gives 1 columns instead of 2"),
        ("active", "SELECT name, active, hold_until FROM db", "gives 3 columns instead of 2"),
        ("active", "SELECT name, active FROM db WHERE name = :nobody", "nobody"),
        ("active", "UPDATE db SET active = 'be9'", "must be a SELECT"),
        ("mailboxes", "SELECT username, db FROM users WHERE db = :database", "gives 2 columns instead of 1"),
        ("switch", "UPDATE nosuchtable SET active = :target WHERE name = :database", "nosuchtable"),
        ("switch", "UPDATE db SET nosuchcolumn = :target WHERE name = :database", "nosuchcolumn"),
    ],
)
async def test_a_wrong_statement_is_named_with_what_is_wrong(sql, key, statement, why):
    wrong = sql.map(**{key: statement})
    calls = {
        "active": wrong.active,
        "mailboxes": lambda: wrong.mailboxes("DB1"),
        "switch": lambda: wrong.switch("DB1", source="be1", target="be2"),
    }
    with pytest.raises(Refused) as refused:
        await calls[key]()
    assert f"routing.{key} " in str(refused.value)
    assert why in str(refused.value)
    assert [("be1",), ("be1",), ("be2",)] == sql.ask("SELECT active FROM db ORDER BY active")


@pytest.mark.parametrize("statement", ["SELECT\n  name\nFROM db", "UPDATE db\n  SET hold_until = 0"])
async def test_a_statement_of_several_lines_is_told_on_one(sql, statement):
    with pytest.raises(Refused) as refused:
        await sql.map(active=statement).active()
    assert " ".join(statement.split()) == str(refused.value).rpartition(": ")[2]


async def test_a_percent_sign_and_a_cast_are_no_parameters(sql):
    like = sql.map(active="SELECT name, active FROM db WHERE name LIKE 'DB%'")
    assert {"DB1": "be1", "DB2": "be2"} == dict(await like.active())
    if _kind(sql) == "postgresql":
        cast = sql.map(active="SELECT name::text, active::varchar(9) FROM db")
        assert "be1" == (await cast.active())["DB1"]


async def test_a_database_that_is_in_two_places_is_nowhere_and_keeps_no_other_from_its_place(sql):
    sql.ask("UPDATE users SET username = 'be1' WHERE username = 'ada'")
    sql.ask("UPDATE users SET username = 'be3' WHERE username = 'zoë'")
    sql.ask("INSERT INTO db VALUES ('DB5', NULL, 0)")
    several = sql.map(
        active="SELECT db, username FROM users WHERE username LIKE 'be%' UNION SELECT name, active FROM db "
        "WHERE name <> 'DB1'"
    )
    said = await several.active()
    assert {"DB1": "be1 and be3", "DB2": "be2"} == {name: said[name] for name in ("DB1", "DB2")}
    assert "DB5" not in said


async def test_a_map_that_somebody_keeps_locked_is_a_temporary_failure_and_is_not_changed_later(sql, attentive):
    with sql.locked():
        async with attentive(), asyncio.timeout(30):
            with pytest.raises(TemporaryFailure, match=sql.settings.map.replace("?", r"\?")):
                await sql.map(limit=3).switch("DB1", source="be1", target="be2")
    assert "be1" == (await sql.map().active())["DB1"]
    await sql.map().switch("DB1", source="be1", target="be2")


async def test_what_its_caller_gives_up_is_never_written(sql):
    with sql.locked():
        task = asyncio.create_task(sql.map().switch("DB1", source="be1", target="be2"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await task
    # the lock is gone, and the statement may go on: it does not last
    await sql.map().switch("DB1", source="be1", target="be3")
    assert [("be3",)] == sql.ask("SELECT active FROM db WHERE name = 'DB1'")


async def test_a_server_that_says_nothing_is_given_up_in_time(attentive):
    with socket.create_server(("127.0.78.2", 0)) as silent:
        port = silent.getsockname()[1]
        for kind in ("postgresql", "mysql"):
            settings = RoutingMap(map=f"{kind}://mailward@127.0.78.2:{port}/mail", active="SELECT 1, 2")
            async with attentive(), asyncio.timeout(30):
                with pytest.raises(TemporaryFailure):
                    await SqlMap(settings, lambda: "not-to-be-seen", limit=3).active()


async def test_many_questions_at_once_are_all_answered(sql):
    routing = sql.map()
    every = await asyncio.gather(*(routing.active() for _ in range(12)))
    assert ["be1"] * 12 == [said["DB1"] for said in every]


async def test_a_server_that_hangs_is_not_asked_without_end_and_asked_again_when_it_has_ended(sql):
    if _kind(sql) == "sqlite":
        pytest.skip("a file says nothing by itself")
    with socket.create_server(("127.0.78.2", 0)) as silent:
        routing = SqlMap(
            replace(sql.settings, map=f"{_kind(sql)}://mailward@127.0.78.2:{silent.getsockname()[1]}/mail"),
            lambda: "not-to-be-seen",
            limit=0.2,
        )
        every = await asyncio.gather(*(routing.active() for _ in range(4)), return_exceptions=True)
        assert {"did not answer within 0.2 s"} == {str(one)[-27:] for one in every}
        with pytest.raises(TemporaryFailure, match="has yet to answer 4 questions"):
            await routing.active()
        async with asyncio.timeout(10):
            while "has yet to answer" in str(await _failure_of(routing)):
                await asyncio.sleep(0.05)


async def _failure_of(routing):
    try:
        await routing.active()
    except TemporaryFailure as failure:
        return failure


async def test_a_wrong_password_is_told_and_never_shown(sql):
    if _kind(sql) == "sqlite":
        pytest.skip("a file has no password")
    wrong = SqlMap(sql.settings, lambda: "a-wrong-secret")
    with pytest.raises(TemporaryFailure) as failure:
        await wrong.active()
    cause, told = failure.value, []
    while cause is not None:
        told += [str(cause), repr(cause)]
        cause = cause.__cause__
    assert "mailward" in told[0]
    assert not [text for text in told if "a-wrong-secret" in text or "not-to-be-seen" in text]


@pytest.mark.parametrize(
    ("map_", "why"),
    [
        ("postgresql:nonsense", "routing.map cannot be used"),
        ("mysql://mailward@127.0.78.1:port/mail", "routing.map cannot be used"),
        ("mysql://mailward@127.0.78.1/mail?nosuchoption=1", "nosuchoption"),
        ("postgresql://mailward@127.0.78.1/mail?nosuchoption=1", "nosuchoption"),
    ],
)
async def test_an_address_that_is_none_is_refused(map_, why):
    with pytest.raises(Refused, match=why):
        await SqlMap(RoutingMap(map=map_, active="SELECT 1, 2"), lambda: "not-to-be-seen").active()


@pytest.mark.parametrize(
    ("kind", "driver", "extra"), [("postgresql", "psycopg", "postgres"), ("mysql", "pymysql", "mysql")]
)
async def test_a_driver_that_is_not_installed_is_told_with_its_extra(monkeypatch, kind, driver, extra):
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(Refused, match=rf"a driver that is not installed .*: pip install 'mailward\[{extra}\]'"):
        await SqlMap(RoutingMap(map=f"{kind}://h/db", active="SELECT 1, 2"), lambda: None).active()


async def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(TemporaryFailure, match=r"map\.db is not there"):
        await SqlMap(RoutingMap(map=f"sqlite:{tmp_path}/map.db", active="SELECT 1, 2"), lambda: None).active()
    assert [] == list(tmp_path.iterdir())


async def test_a_file_that_is_no_database_is_a_temporary_failure(tmp_path):
    (tmp_path / "map.db").write_text("this is a text, and long enough to be one" * 100)
    with pytest.raises(TemporaryFailure, match="not a database"):
        await SqlMap(RoutingMap(map=f"sqlite:{tmp_path}/map.db", active="SELECT * FROM db"), lambda: None).active()


async def test_a_rehearsal_shows_the_statement_as_it_would_be_read():
    settings = RoutingMap(
        map="sqlite:/x", switch="UPDATE db\n SET active = :target, h = :hold_until WHERE n = :database AND a = :source"
    )
    words = SqlMap(settings, lambda: None).command("O'Brien :source", source="be1", target="be2")
    expected = "sql UPDATE db SET active = 'be2', h = :hold_until WHERE n = 'O''Brien :source' AND a = 'be1'"
    assert expected == " ".join(words)


def test_what_is_shown_of_a_statement_has_its_casts_as_they_stand():
    statement = "UPDATE db SET a = :target, b = now()::database WHERE n = :database AND '\\:source' = :source::text"
    words = SqlMap(RoutingMap(map="sqlite:/x", switch=statement), lambda: None).command("D", source="be1", target="be2")
    expected = "sql UPDATE db SET a = 'be2', b = now()::database WHERE n = 'D' AND '\\:source' = :source::text"
    assert expected == " ".join(words)


@pytest.mark.parametrize(
    ("end", "expected"), [("h = :hold_until", True), ("h::hold_until", False), ("h = '\\:hold_until'", False)]
)
def test_only_a_statement_with_that_parameter_can_hold(end, expected):
    assert expected == SqlMap(RoutingMap(map="sqlite:/x", switch=f"UPDATE db SET {end}"), lambda: None).can_hold


def test_every_kind_of_database_has_its_driver_where_mailward_is_tested():
    assert ["psycopg", "pymysql"] == [
        make_url(f"{kind}://").get_dialect()().driver for kind in ("postgresql+psycopg", "mysql+pymysql")
    ]
