"""
The one thread that owns the database.

Whoever wants something of it hands in a function of a connection and awaits its answer: the event loop never waits for
a disk. Each function is one transaction, all or nothing.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import StaticPool

from mailward.model.errors import ConfigError, MailwardError, TemporaryFailure
from mailward.ports.clock import Clock
from mailward.storage.migrations import STEPS, refuse_newer, take_step, version_of
from mailward.storage.moments import to_ms

Answer = TypeVar("Answer")

BUSY_SECONDS = 5
"""How long to wait for another process that is writing."""


class Database:
    """One SQLite file, its thread, and its clock."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._engine: Engine | None = None

    async def open(self) -> None:
        """
        Open the file, making it for its owner alone if need be, and bring the schema up to date.

        Raises:
            ConfigError: It is no database of ours, or one of a newer mailward.
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
        return await self._on_thread(lambda: self._transact(question, writes=False))

    async def write(self, deed: Callable[[Connection], Answer]) -> Answer:
        """
        Do something in one transaction.

        Raises:
            TemporaryFailure: The database cannot be written now; nothing was.
        """
        return await self._on_thread(lambda: self._transact(deed, writes=True))

    async def _on_thread(self, work: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._translated, work)
        except RuntimeError as error:  # the thread has ended: closing races with a last question
            raise TemporaryFailure(f"the store {self._path} is closed") from error

    def _translated(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except MailwardError:
            raise
        except (DBAPIError, sqlite3.Error, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> MailwardError:
        reason = str(error.orig if isinstance(error, DBAPIError) else error)
        if "not a database" in reason or "malformed" in reason:
            return ConfigError(
                f"{self._path} is damaged or no database of mailward ({reason}): move it away, and mailward starts with"
                " an empty one"
            )
        advice = {
            "full": "make room on its file system",
            "locked": "another process holds it; it is tried again",
            "readonly": "its file system or file is read-only for this user",
        }
        hint = next((words for word, words in advice.items() if word in reason), "it is tried again")
        return TemporaryFailure(f"the store {self._path} cannot be used: {reason}; {hint}")

    def _open(self) -> None:
        if self._engine is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._engine = self._new_engine()
        try:
            with self._engine.connect() as connection:
                version = version_of(connection)
            refuse_newer(version, str(self._path))
            for step in range(version, len(STEPS)):
                self._transact(lambda connection, step=step: take_step(connection, step), writes=True)  # type: ignore[misc]
        except BaseException:
            self._close()
            raise

    def _new_engine(self) -> Engine:
        engine = create_engine(f"sqlite:///{self._path}", poolclass=StaticPool, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", self._prepare)
        event.listen(engine, "begin", _begin)
        return engine

    def _prepare(self, connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin
        connection.create_function("mailward_now", 0, lambda: to_ms(self._now()))
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def _now(self) -> datetime:
        return self._clock.now()

    def _transact(self, work: Callable[[Connection], Answer], *, writes: bool) -> Answer:
        if self._engine is None:
            self._open()
        assert self._engine is not None
        with self._engine.connect().execution_options(mailward_writes=writes) as connection, connection.begin():
            return work(connection)

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _begin(connection: Connection) -> None:
    """A writer takes its lock at once, so that it fails before it has begun and never in between."""
    writes = connection.get_execution_options().get("mailward_writes", False)
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    except OperationalError:
        connection.invalidate()
        raise
