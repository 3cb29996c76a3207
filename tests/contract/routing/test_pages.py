"""What the page on moving databases shows for each kind of SQL works together: mailward's statements and Dovecot's."""

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailward.platforms.routing.sql_map import SqlMap

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "move-databases.md"
_SECTIONS = {"sqlite": "### SQLite", "postgresql": "### PostgreSQL", "mysql": "### MySQL and MariaDB"}
_PAST, _FUTURE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC)
_ADA = ("ada", "secret", "y")


def shown_for(kind):
    """The statements of `[routing]`, and the proxies' password_query as Dovecot fills it in for ada."""
    section = PAGE.read_text().partition(_SECTIONS[kind])[2].partition("\n### ")[0]
    [routing] = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    [query] = re.findall(r"password_query = (.*?)```", section, re.DOTALL)
    statements = {
        key: text for key, text in tomllib.loads(routing)["routing"].items() if key in ("active", "mailboxes", "switch")
    }
    return statements, query.replace("\\\n", " ").replace("'%u'", "'ada'").replace("%%", "%")


@pytest.fixture
def shown(sql):
    statements, query = shown_for(sql.settings.map.partition(":")[0])
    table = re.search(r"FROM (\w+)", statements["active"])[1]
    sql.ask(f"DROP TABLE IF EXISTS {table}")
    sql.ask("DROP TABLE users")
    sql.ask(f"CREATE TABLE {table} (name VARCHAR(80) PRIMARY KEY, active VARCHAR(80), hold_until BIGINT DEFAULT 0)")
    sql.ask("CREATE TABLE users (username VARCHAR(80) PRIMARY KEY, password VARCHAR(80), db VARCHAR(80))")
    sql.ask(f"INSERT INTO {table} (name, active) VALUES ('DB1', 'be1')")
    sql.ask("INSERT INTO users VALUES ('ada', 'secret', 'DB1')")
    return SqlMap(replace(sql.settings, **statements), lambda: sql.password), lambda: sql.ask(query)


async def test_a_switch_is_what_the_next_login_is_told(shown):
    routing, log_in = shown
    assert [(*_ADA, "be1", None)] == log_in()
    await routing.switch("DB1", source="be1", target="be2", hold_until=_FUTURE)
    assert [(*_ADA, "be2", int(_FUTURE.timestamp()))] == log_in()
    await routing.switch("DB1", source="be2", target="be1", hold_until=_PAST)
    assert [(*_ADA, "be1", None)] == log_in()
    assert ({"DB1": "be1"}, ("ada",)) == (dict(await routing.active()), await routing.mailboxes("DB1"))
