"""
A map in an SQL database: SQLite, PostgreSQL, MySQL or MariaDB.

The administrator's own statements are run as they stand, with parameters, never with text put into them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from mailward.model.errors import Refused
from mailward.model.organization import RoutingMap
from mailward.platforms.commands import one_line
from mailward.platforms.routing.said import PARAMETER, by_database, filled
from mailward.platforms.routing.sql_database import LIMIT_S, SqlDatabase, run

HOLD = "hold_until"


class SqlMap:
    """The map as a table, or whatever the statements make of it."""

    def __init__(self, settings: RoutingMap, password: Callable[[], str | None], *, limit: float = LIMIT_S) -> None:
        """
        Args:
            settings: Where it is, and the statements.
            password: Reveals the password of its user, each time it is connected to.
            limit: How many seconds one question may take.
        """
        self._settings = settings
        self._database = SqlDatabase(settings.map, password, limit=limit)

    @property
    def can_hold(self) -> bool:
        """Whether the switching statement takes the moment until which logins are held."""
        return HOLD in PARAMETER.findall(self._settings.switch)

    async def active(self) -> Mapping[str, str]:
        """What the statement `active` gives; a database without a server is left out."""
        return await self._database.transaction(self._active, keeps=False)

    async def mailboxes(self, database: str) -> tuple[str, ...]:
        """What the statement `mailboxes` gives."""

        def ask(connection: Connection) -> Sequence[Any]:
            return _rows(connection, "mailboxes", self._settings.mailboxes, {"database": database}, columns=1)

        rows = await self._database.transaction(ask, keeps=False)
        return tuple(str(mailbox) for (mailbox,) in rows if mailbox is not None)

    async def switch(self, database: str, *, source: str, target: str, hold_until: datetime | None = None) -> None:
        """
        Run the statement `switch`.

        It is rolled back unless it changed exactly one row, after which `active` says what was wanted.
        """
        given: dict[str, Any] = {"database": database, "source": source, "target": target}
        if self.can_hold:
            given[HOLD] = int(hold_until.timestamp()) if hold_until is not None else 0
        await self._database.transaction(lambda connection: self._switch(connection, given), keeps=True)

    def command(self, database: str, *, source: str, target: str) -> tuple[str, ...]:
        """The statement with the names filled in, as it is read; parameters are what is sent."""
        names = {"database": database, "source": source, "target": target}
        quoted = {name: "'" + value.replace("'", "''") + "'" for name, value in names.items()}
        return ("sql", *filled(self._settings.switch, PARAMETER, quoted).split())

    def _active(self, connection: Connection) -> Mapping[str, str]:
        rows = _rows(connection, "active", self._settings.active, {}, columns=2)
        return by_database((str(database), str(server)) for database, server in rows if None not in (database, server))

    def _switch(self, connection: Connection, given: Mapping[str, Any]) -> None:
        _, changed = run(connection, "switch", self._settings.switch, given)
        if changed == 0:
            raise Refused(
                f"the map does not say any more that {given['database']} is on {given['source']}: "
                "somebody else has changed it; nothing was changed"
            )
        if changed != 1:
            count = f"{changed} rows" if changed > 0 else "it is not known how many rows"
            raise Refused(f"routing.switch would have changed {count} instead of one; nothing was changed")
        said = self._active(connection).get(given["database"])
        if said != given["target"]:
            raise Refused(
                f"routing.switch changed a row, but by routing.active {given['database']} is then on {said}, "
                f"not on {given['target']}; nothing was changed"
            )


def _rows(connection: Connection, key: str, statement: str, given: Mapping[str, Any], *, columns: int) -> Sequence[Any]:
    rows, _ = run(connection, key, statement, given)
    if rows is None:
        raise Refused(f"routing.{key} gives no rows; it must be a SELECT: {one_line(statement)}")
    if rows and len(rows[0]) != columns:
        raise Refused(f"routing.{key} gives {len(rows[0])} columns instead of {columns}: {one_line(statement)}")
    return rows
