"""
An administrator's database: one transaction at a time, in a thread, within a limit, and what went wrong in words.

SQLAlchemy is used for what it does best, to speak to each kind of database alike; mailward's own store is a matter of
the room `storage`.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from mailward.model.errors import MailwardError, Refused, TemporaryFailure
from mailward.platforms.commands import one_line

LIMIT_S = 10.0
"""How long a transaction may take; a map that is slower than that holds users' logins up as well."""
_MOST_UNANSWERED = 4
"""Transactions given up that have not come to an end; with so many, another would only be one thread more."""
_SQLITE, _POSTGRESQL, _MYSQL = "sqlite", "postgresql", "mysql"
_DRIVERS = {_POSTGRESQL: "postgresql+psycopg", _MYSQL: "mysql+pymysql"}
_EXTRAS = {_POSTGRESQL: "postgres", _MYSQL: "mysql"}
_WRONG = (ProgrammingError, DataError, IntegrityError, NotSupportedError)
#: What the drivers call operational and is a mistake all the same. SQLite: SQLITE_ERROR, PERM, READONLY
#: (sqlite.org/rescode.html); MySQL: unknown column, no right to a table or a column (MySQL, Server Error Reference).
_SQLITE_WRONG = (1, 3, 8)
_MYSQL_WRONG = (1054, 1142, 1143)
_T = TypeVar("_T")


class SqlDatabase:
    """One database by its URL."""

    def __init__(self, url: str, password: Callable[[], str | None], *, limit: float = LIMIT_S) -> None:
        """
        Args:
            url: Where it is.
            password: Reveals the password of its user, each time it is connected to.
            limit: How many seconds a transaction may take.
        """
        self._url = url
        self._limit = limit
        self._connect_s, self._statement_s = max(1, int(limit * 0.4)), max(1, int(limit * 0.5))
        self._kind = url.partition(":")[0]
        self._password = password
        self._unanswered = 0

    async def transaction(self, work: Callable[[Connection], _T], *, keeps: bool) -> _T:
        """
        Do *work* in one transaction.

        It is done in a thread of its own: drivers block, and a lost one keeps nobody waiting. Work that is given up is
        not committed: otherwise a map could change long after somebody looked whether it did.

        Args:
            work: What to do; it raises to have it all undone.
            keeps: Whether what it changes is kept.

        Raises:
            Refused: It cannot be used as the configuration says.
            TemporaryFailure: It did not answer, or not in time.
        """
        if self._unanswered >= _MOST_UNANSWERED:
            raise TemporaryFailure(f"{self} has yet to answer {self._unanswered} questions that were given up")
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[_T] = loop.create_future()
        given_up = threading.Event()

        def run() -> None:
            try:
                result = self._transaction(work, keeps, given_up)
            except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
                self._tell(loop, outcome, error=error)
            else:
                self._tell(loop, outcome, result=result)

        threading.Thread(target=run, name="routing map", daemon=True).start()
        try:
            async with asyncio.timeout(self._limit):
                return await outcome
        except TimeoutError as error:
            raise TemporaryFailure(f"{self} did not answer within {self._limit:g} s") from error
        finally:
            given_up.set()
            self._unanswered += outcome.cancelled()

    def __str__(self) -> str:
        return f"the map {self._url}"

    def _transaction(self, work: Callable[[Connection], _T], keeps: bool, given_up: threading.Event) -> _T:
        engine = self._engine()
        try:
            with self._connected(engine) as connection:
                for statement in self._beginning():
                    connection.exec_driver_sql(statement)
                result = work(connection)
                if given_up.is_set():
                    raise TemporaryFailure(f"{self} answered too late; nothing was changed")
                if keeps:
                    connection.commit()
                return result
        except DBAPIError as error:
            raise TemporaryFailure(f"{self}: {_plain(error)}") from error
        finally:
            engine.dispose()

    def _connected(self, engine: Engine) -> Connection:
        try:
            return engine.connect()
        except _WRONG as error:
            raise Refused(f"routing.map cannot be used: {_plain(error)}") from error
        except (SQLAlchemyError, TypeError, ValueError) as error:
            if isinstance(error, DBAPIError):  # a server that is away comes back
                raise
            raise Refused(f"routing.map cannot be used: {_plain(error)}") from error

    def _engine(self) -> Engine:
        try:
            return create_engine(
                self._address(), poolclass=NullPool, connect_args=self._connecting(), hide_parameters=True
            )
        except MailwardError:
            raise
        except ImportError as error:
            extra = _EXTRAS.get(self._kind)
            raise Refused(
                f"routing.map needs a driver that is not installed ({_plain(error)}): pip install 'mailward[{extra}]'"
            ) from error
        except (SQLAlchemyError, TypeError, ValueError) as error:
            raise Refused(f"routing.map cannot be used: {_plain(error)}") from error

    def _connecting(self) -> dict[str, Any]:
        """How long the driver waits."""
        if self._kind == _SQLITE:
            return {"timeout": self._statement_s}
        if self._kind == _MYSQL:
            seconds = self._statement_s
            return {"connect_timeout": self._connect_s, "read_timeout": seconds, "write_timeout": seconds}
        # a host that has gone away in the middle of a statement says nothing; the kernel finds out (libpq, TCP)
        return {
            "connect_timeout": self._connect_s,
            "keepalives_idle": 2,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": self._statement_s * 1000,
        }

    def _beginning(self) -> Iterator[str]:
        """What begins a transaction: the server itself must give up what we no longer wait for."""
        if self._kind == _POSTGRESQL:
            yield f"SET LOCAL statement_timeout = '{self._statement_s}s'"
        if self._kind == _MYSQL:
            yield f"SET SESSION innodb_lock_wait_timeout = {self._statement_s}"

    def _address(self) -> URL:
        _, _, rest = self._url.partition(":")
        if self._kind == _SQLITE:
            if not Path(rest).is_file():
                raise TemporaryFailure(f"routing.map: {rest} is not there")
            # opened for writing, never made: in an empty one nobody would be anywhere (sqlite.org/uri.html)
            return URL.create(_SQLITE, database=f"file:{quote(rest)}", query={"mode": "rw", "uri": "true"})
        url = make_url(f"{_DRIVERS[self._kind]}:{rest}")
        password = self._password()
        return url if password is None else url.set(password=password)

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        outcome: "asyncio.Future[_T]",
        *,
        result: Any = None,
        error: BaseException | None = None,
    ) -> None:
        def tell() -> None:
            if outcome.cancelled():
                self._unanswered -= 1
            elif error is not None:
                outcome.set_exception(error)
            else:
                outcome.set_result(result)

        try:
            loop.call_soon_threadsafe(tell)
        except RuntimeError:
            return  # the loop has ended; nobody waits any more


def run(connection: Connection, key: str, statement: str, given: Mapping[str, Any]) -> tuple[Sequence[Any] | None, int]:
    """
    Run the statement `routing.<key>`; its rows, or None where it gives none, and how many it changed.

    Raises:
        Refused: The statement is wrong; the text names it.
        DBAPIError: The database is in trouble.
    """
    try:
        result = connection.execute(text(statement), dict(given))
        return result.all() if result.returns_rows else None, result.rowcount
    except DBAPIError as error:
        if not _is_wrong(error):
            raise
        raise Refused(f"routing.{key} is wrong: {_plain(error)}: {one_line(statement)}") from error
    except SQLAlchemyError as error:
        raise Refused(f"routing.{key} is wrong: {_plain(error)}: {one_line(statement)}") from error


def _is_wrong(error: DBAPIError) -> bool:
    """Whether it is the statement that is wrong, and stays so, and not the database that is in trouble."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        return code & 0xFF in _SQLITE_WRONG or isinstance(error, IntegrityError)
    if isinstance(error, _WRONG):
        return True
    said = error.orig.args if error.orig is not None else ()
    return bool(said) and said[0] in _MYSQL_WRONG


def _plain(error: BaseException) -> str:
    """What a driver says, on one line and not without end."""
    said = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return one_line(str(said)) or type(said).__name__
