"""
A map in an SQL database: SQLite, PostgreSQL, MySQL or MariaDB.

The administrator's own statements are run as they stand, with parameters, never with text put into them. SQLAlchemy is
used for what it does best, to speak to each of them alike; mailward's own store is a matter of the room `storage`.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.model.organization import RoutingMap

LIMIT_S = 10.0
"""How long one statement may take; a map that is slower than that holds users' logins up as well."""
HOLD = "hold_until"
_DRIVERS = {
    "sqlite": ("sqlite", "timeout"),
    "postgresql": ("postgresql+psycopg", "connect_timeout"),
    "mysql": ("mysql+pymysql", "connect_timeout"),
}
_T = TypeVar("_T")


class SqlMap:
    """The map as a table, or whatever the statements make of it."""

    def __init__(self, settings: RoutingMap, password: Callable[[], str | None]) -> None:
        """
        Args:
            settings: Where it is, and the statements.
            password: Reveals the password of its user, each time it is connected to.
        """
        self._settings = settings
        self._password = password

    @property
    def can_hold(self) -> bool:
        """Whether the switching statement takes the moment until which logins are held."""
        return f":{HOLD}" in self._settings.switch

    async def active(self) -> Mapping[str, str]:
        """What the statement `active` gives."""
        rows = await self._in_thread(lambda connection: _rows(connection, self._settings.active, {}, columns=2))
        return {str(database): str(server) for database, server in rows}

    async def mailboxes(self, database: str) -> tuple[str, ...]:
        """What the statement `mailboxes` gives."""
        given = {"database": database}
        rows = await self._in_thread(lambda connection: _rows(connection, self._settings.mailboxes, given, columns=1))
        return tuple(str(mailbox) for (mailbox,) in rows)

    async def switch(self, database: str, *, source: str, target: str, hold_until: datetime | None = None) -> None:
        """Run the statement `switch`; it must change exactly one row, or it is rolled back."""
        given: dict[str, Any] = {"database": database, "source": source, "target": target}
        if self.can_hold:
            given[HOLD] = int(hold_until.timestamp()) if hold_until is not None else 0
        await self._in_thread(lambda connection: self._switch(connection, given))

    def command(self, database: str, *, source: str, target: str) -> tuple[str, ...]:
        """The statement with the names filled in, as it is read; parameters are what is sent."""
        words = self._settings.switch
        for name, value in {"database": database, "source": source, "target": target}.items():
            words = words.replace(f":{name}", f"'{value}'")
        return ("sql", *words.split())

    def _switch(self, connection: Connection, given: Mapping[str, Any]) -> None:
        changed = connection.execute(text(self._settings.switch), dict(given)).rowcount
        if changed == 1:
            return
        connection.rollback()
        if changed == 0:
            raise Refused(
                f"the map does not say any more that {given['database']} is on {given['source']}: "
                "somebody else has changed it; nothing was changed"
            )
        raise Refused(f"routing.switch would have changed {changed} rows instead of one; nothing was changed")

    async def _in_thread(self, work: Callable[[Connection], _T]) -> _T:
        """Run *work* in a transaction, in a thread of its own: drivers block, and a lost one keeps nobody waiting."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[_T] = loop.create_future()

        def run() -> None:
            try:
                result = self._work(work)
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                _tell(loop, outcome, error=error)
            else:
                _tell(loop, outcome, result=result)

        threading.Thread(target=run, name="routing map", daemon=True).start()
        try:
            async with asyncio.timeout(LIMIT_S):
                return await outcome
        except TimeoutError as error:
            raise TemporaryFailure(f"{self._where} did not answer within {LIMIT_S:g} s") from error

    def _work(self, work: Callable[[Connection], _T]) -> _T:
        try:
            engine = self._engine()
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise Refused(f"routing.map cannot be used: {_plain(error)}") from error
        try:
            with engine.connect() as connection:
                result = work(connection)
                connection.commit()
                return result
        except MailwardError:
            raise
        except DBAPIError as error:
            # what is wrong with a statement stays wrong; a server that is away comes back
            raise TemporaryFailure(f"{self._where}: {_plain(error.orig or error)}") from error
        except SQLAlchemyError as error:
            raise Refused(f"{self._where}: {_plain(error)}") from error
        finally:
            engine.dispose()

    def _engine(self) -> Engine:
        kind, _, rest = self._settings.map.partition(":")
        driver, timeout = _DRIVERS[kind]
        seconds = int(LIMIT_S) - 2
        if kind == "sqlite":
            file = Path(rest)
            if not file.is_file():  # SQLite would make an empty one, in which nobody is anywhere
                raise TemporaryFailure(f"routing.map: {file} is not there")
            return create_engine(URL.create(driver, database=rest), poolclass=NullPool, connect_args={timeout: seconds})
        url = make_url(f"{driver}:{rest}")
        password = self._password()
        if password is not None:
            url = url.set(password=password)
        return create_engine(url, poolclass=NullPool, connect_args={timeout: seconds}, hide_parameters=True)

    @property
    def _where(self) -> str:
        return f"the map {self._settings.map}"


def _rows(connection: Connection, statement: str, given: Mapping[str, Any], *, columns: int) -> Sequence[Any]:
    rows = connection.execute(text(statement), dict(given)).all()
    if any(len(row) != columns for row in rows):
        raise Refused(f"a routing statement gives {len(rows[0])} columns instead of {columns}: {statement}")
    return rows


def _tell(
    loop: asyncio.AbstractEventLoop,
    outcome: "asyncio.Future[_T]",
    *,
    result: Any = None,
    error: BaseException | None = None,
) -> None:
    def tell() -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:
        return  # the loop has ended; nobody waits any more


def _plain(error: BaseException) -> str:
    """What a driver says, on one line and not without end."""
    return " ".join(str(error).split())[:300] or type(error).__name__
