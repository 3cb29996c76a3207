"""
The one thread that owns the database.

Whoever wants something of it hands in a function of a connection and awaits its answer: the event loop never waits for
a disk, nor for the reading of what came from it. Each function is one transaction, all or nothing.

ConfigError comes from `open` alone, where an operator is there to read it. Afterwards whatever goes wrong is a
TemporaryFailure: the manager goes on probing, says that its store is lost, and every further call tries anew.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from mailward.model.errors import ConfigError, TemporaryFailure
from mailward.ports.clock import Clock
from mailward.storage.event_rows import EventNumbers
from mailward.storage.failures import breaks_connection, explained, not_made
from mailward.storage.migrations import STEPS, refuse_foreign, refuse_newer, take_step, version_of
from mailward.storage.moments import to_ms
from mailward.storage.opened_file import OpenedFile, made, opened

Answer = TypeVar("Answer")

BUSY_TIMEOUT = timedelta(seconds=1.5)
"""How long to wait for another process that writes: less than the manager has to end in when it is told to."""


def nobody() -> None:
    """Nobody wants to know that something was written."""


class Database:
    """One SQLite file, its thread, and its clock."""

    def __init__(self, path: Path, clock: Clock, busy_timeout: timedelta = BUSY_TIMEOUT) -> None:
        """Nothing is opened yet."""
        self._path = path.absolute()  # no name of a file means anything else to SQLite then
        self._clock = clock
        self._busy_timeout = busy_timeout
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        # Only the thread touches these three.
        self.event_numbers = EventNumbers()
        self._engine: Engine | None = None
        self._file: OpenedFile | None = None

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    async def open(self) -> None:
        """
        Open the file, making it for its owner alone if need be, and bring the schema up to date.

        Raises:
            ConfigError: It cannot be made, is damaged, another program's, or of a newer mailward.
            TemporaryFailure: It cannot be opened now.
        """
        await self._on_thread(self._open)

    async def close(self) -> None:
        """Let go of the file and end the thread; closing twice does no harm."""
        with suppress(TemporaryFailure):
            await self._on_thread(self._close)
        self._thread.shutdown(wait=False)

    async def read(self, question: Callable[[Connection], Answer]) -> Answer:
        """
        Ask something of one consistent view.

        Raises:
            TemporaryFailure: The database cannot be read now.
        """
        return await self._on_thread(lambda: self._work(question, writes=False))

    async def write(self, deed: Callable[[Connection], Answer], *, written: Callable[[], None] | None = None) -> Answer:
        """
        Do something in one transaction.

        Args:
            deed: What to do; whatever it raises undoes all of it.
            written: Called on the event loop once it is done for good, also when the caller was cancelled meanwhile.

        Raises:
            TemporaryFailure: The database cannot be written now; nothing was.
        """
        loop = asyncio.get_running_loop()

        def work() -> Answer:
            answer = self._work(deed, writes=True)
            if written is not None:
                with suppress(RuntimeError):  # the loop has ended: nobody is left to be told
                    loop.call_soon_threadsafe(written)
            return answer

        return await self._on_thread(work)

    async def _on_thread(self, work: Callable[[], Answer]) -> Answer:
        try:
            asked = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RuntimeError as error:  # the thread has ended: closing races with a last question
            raise TemporaryFailure(f"the store {self._path} is closed") from error
        return await asked

    def _work(self, work: Callable[[Connection], Answer], *, writes: bool) -> Answer:
        try:
            self._notice_another_file()
            self._open()
            assert self._engine is not None
            return _transact(self._engine, work, writes=writes)
        except ConfigError as error:
            raise TemporaryFailure(str(error)) from error
        except (DBAPIError, sqlite3.Error) as error:
            if breaks_connection(error):
                self._close()
            raise TemporaryFailure(str(explained(error, self._path))) from error
        except OSError as error:
            raise TemporaryFailure(f"the store {self._path} is out of reach: {error}; it is tried again") from error

    def _notice_another_file(self) -> None:
        if self._file is None or self._file.is_in_place():
            return
        lost, engine = self._file, self._engine
        if engine is not None:
            with suppress(DBAPIError, sqlite3.Error), engine.connect() as connection:
                # Whoever moved the file away is to find in it all that was stored.
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._close()
        lost.remove_companions()
        raise TemporaryFailure(
            f"the store {self._path} was removed or replaced while in use: what it held is in the old file, if that is"
            " anywhere; the store goes on with what is there now"
        )

    def _open(self) -> None:
        if self._engine is not None:
            return
        try:
            made(self._path)
            self._engine = self._new_engine()
            with self._engine.connect() as connection:
                version = version_of(connection)
            refuse_newer(version, str(self._path))
            for step in range(version, len(STEPS)):
                _transact(self._engine, lambda connection, step=step: take_step(connection, step), writes=True)  # type: ignore[misc]
            self._file = opened(self._path)
        except OSError as error:
            self._close()
            raise not_made(error, self._path) from error
        except (DBAPIError, sqlite3.Error) as error:
            self._close()
            raise explained(error, self._path) from error
        except BaseException:
            self._close()
            raise

    def _new_engine(self) -> Engine:
        engine = create_engine("sqlite://", poolclass=StaticPool, creator=self._connect)
        event.listen(engine, "begin", _begin)
        return engine

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_timeout.total_seconds(),
            isolation_level=None,  # we say BEGIN ourselves, see _begin
            cached_statements=256,
        )
        try:
            refuse_foreign(connection, str(self._path))  # before anything is written to it
            connection.create_function("mailward_now", 0, lambda: to_ms(self._clock.now()))
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        engine, self._engine, self._file = self._engine, None, None
        if engine is not None:
            engine.dispose()


def _transact(engine: Engine, work: Callable[[Connection], Answer], *, writes: bool) -> Answer:
    with engine.connect().execution_options(mailward_writes=writes) as connection, connection.begin():
        return work(connection)


def _begin(connection: Connection) -> None:
    """A writer takes its lock at once, so that it fails before it has begun and never in between."""
    writes = connection.get_execution_options().get("mailward_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
