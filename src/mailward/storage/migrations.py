"""
How the schema came to be: one step a version, each in a transaction of its own.

A step is never edited once released. It may only add, or keep the same rows in another way, so that the version before
it goes on working beside it.
"""

import sqlite3
from collections.abc import Sequence

from sqlalchemy import Connection, text

from mailward.model.errors import ConfigError

APPLICATION_ID = 0x4D574152
"""What SQLite writes into the head of the file, by which it is known as ours: "MWAR"."""

STEPS: Sequence[tuple[str, ...]] = (
    (
        """CREATE TABLE result (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at BIGINT NOT NULL, probe TEXT NOT NULL, server TEXT NOT NULL,
            target TEXT NOT NULL, failed BOOLEAN NOT NULL, body TEXT NOT NULL, transcript BIGINT)""",
        "CREATE INDEX result_of ON result (probe, server, target, at)",
        "CREATE INDEX result_of_server ON result (server, at)",
        "CREATE INDEX result_that_failed ON result (failed, at)",
        "CREATE INDEX result_at ON result (at)",
        "CREATE TABLE transcript (id INTEGER PRIMARY KEY AUTOINCREMENT, at BIGINT NOT NULL, lines TEXT NOT NULL)",
        "CREATE INDEX transcript_at ON transcript (at)",
        """CREATE TABLE latest (
            probe TEXT NOT NULL, server TEXT NOT NULL, target TEXT NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (probe, server, target))""",
        """CREATE TABLE rollup (
            probe TEXT NOT NULL, server TEXT NOT NULL, target TEXT NOT NULL, phase TEXT NOT NULL, start BIGINT NOT NULL,
            count INTEGER NOT NULL, failures INTEGER NOT NULL, took_sum BIGINT NOT NULL, took_max BIGINT NOT NULL,
            PRIMARY KEY (probe, server, target, phase, start))""",
        "CREATE INDEX rollup_start ON rollup (start)",
        """CREATE TABLE status (
            server TEXT NOT NULL, health_set TEXT NOT NULL, item TEXT NOT NULL, target TEXT NOT NULL,
            body TEXT NOT NULL, PRIMARY KEY (server, health_set, item, target))""",
        """CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at BIGINT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            body TEXT NOT NULL)""",
        "CREATE INDEX event_kind ON event (kind)",
        "CREATE INDEX event_subject ON event (subject)",
        "CREATE INDEX event_at ON event (at)",
        "CREATE TABLE canary (mailbox TEXT PRIMARY KEY, body TEXT NOT NULL)",
        "CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence BIGINT NOT NULL, until BIGINT NOT NULL)",
    ),
    (
        """CREATE TABLE operation (
            id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, server TEXT NOT NULL, is_over BOOLEAN NOT NULL,
            started BIGINT NOT NULL, ended BIGINT, body TEXT NOT NULL)""",
        "CREATE UNIQUE INDEX operation_open ON operation (target) WHERE NOT is_over",
        "CREATE INDEX operation_over ON operation (is_over, ended)",
        "CREATE INDEX operation_of_server ON operation (server)",
        """CREATE TABLE step (
            operation INTEGER NOT NULL REFERENCES operation (id), seq INTEGER NOT NULL, server TEXT NOT NULL,
            action TEXT, intended BOOLEAN NOT NULL, started BIGINT NOT NULL, ended BIGINT, body TEXT NOT NULL,
            PRIMARY KEY (operation, seq))""",
        "CREATE INDEX step_of_server ON step (server, operation)",
        "CREATE INDEX step_begun ON step (intended, started)",
        "CREATE INDEX step_ended ON step (intended, ended)",
        """CREATE TABLE gate_answer (
            id INTEGER PRIMARY KEY AUTOINCREMENT, operation INTEGER NOT NULL REFERENCES operation (id),
            seq INTEGER NOT NULL, gate TEXT NOT NULL, answer TEXT NOT NULL, body TEXT NOT NULL)""",
        "CREATE INDEX gate_answer_of ON gate_answer (operation)",
        """CREATE TABLE kept_result (
            operation INTEGER NOT NULL REFERENCES operation (id) ON DELETE CASCADE, probe TEXT NOT NULL,
            server TEXT NOT NULL, target TEXT NOT NULL, at BIGINT NOT NULL,
            PRIMARY KEY (operation, probe, server, target, at))""",
        "CREATE INDEX kept_result_of ON kept_result (probe, server, target, at)",
        "CREATE INDEX result_transcript ON result (transcript) WHERE transcript IS NOT NULL",
        """CREATE TABLE hold (
            id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, slot TEXT NOT NULL, since BIGINT NOT NULL,
            until BIGINT, ended BIGINT, body TEXT NOT NULL)""",
        "CREATE INDEX hold_ended ON hold (ended)",
        "CREATE INDEX hold_subject ON hold (subject)",
        "CREATE TABLE alert (key TEXT PRIMARY KEY, resolved BIGINT, body TEXT NOT NULL)",
        """CREATE TABLE notice (
            id INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL UNIQUE, next_try BIGINT NOT NULL,
            claimed_until BIGINT, sent BIGINT, finished BIGINT, body TEXT NOT NULL)""",
        "CREATE INDEX notice_due ON notice (finished, next_try)",
    ),
    (
        """CREATE TABLE "user" (
            name TEXT PRIMARY KEY, generation INTEGER NOT NULL, last_login BIGINT, password_hash TEXT NOT NULL,
            body TEXT NOT NULL)""",
        """CREATE TABLE access_token (
            name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, last_used BIGINT, body TEXT NOT NULL)""",
        "CREATE TABLE session_generation (id INTEGER PRIMARY KEY AUTOINCREMENT)",
    ),
    (
        # A month of one target is 80,000 roll-ups: kept in the order of their key they lie side by side, instead of
        # each on a page of its own among those of all other targets.
        """CREATE TABLE rollup_by_key (
            probe TEXT NOT NULL, server TEXT NOT NULL, target TEXT NOT NULL, phase TEXT NOT NULL, start BIGINT NOT NULL,
            count INTEGER NOT NULL, failures INTEGER NOT NULL, took_sum BIGINT NOT NULL, took_max BIGINT NOT NULL,
            PRIMARY KEY (probe, server, target, phase, start)) WITHOUT ROWID""",
        """INSERT INTO rollup_by_key SELECT probe, server, target, phase, start, count, failures, took_sum, took_max
            FROM rollup ORDER BY probe, server, target, phase, start""",
        "DROP TABLE rollup",
        "ALTER TABLE rollup_by_key RENAME TO rollup",
        "CREATE INDEX rollup_start ON rollup (start)",
    ),
)
"""Step N brings version N to N + 1; its statements are DDL in the words SQLite and PostgreSQL share where they can."""


def version_of(connection: Connection) -> int:
    """The version of the schema, 0 for an empty database."""
    return int(connection.execute(text("PRAGMA user_version")).scalar_one())


def refuse_foreign(connection: sqlite3.Connection, where: str) -> None:
    """
    Refuse a database another program made, before a word is written to it.

    Raises:
        ConfigError: It is neither empty nor ours; the text says what to do.
    """
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (things,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    is_empty = (mark, version, things) == (0, 0, 0)
    if mark != APPLICATION_ID and not is_empty:
        raise ConfigError(
            f"{where} is a database of another program, and is left alone: move it away, or name another state"
            " directory"
        )


def refuse_newer(version: int, where: str) -> None:
    """
    Refuse a schema this code does not know.

    Raises:
        ConfigError: It is newer; the text says what to do.
    """
    if version > len(STEPS):
        raise ConfigError(
            f"{where} was written by a newer mailward (schema {version}, this one knows {len(STEPS)}): run that"
            " version, or start with another state directory"
        )


def take_step(connection: Connection, version: int) -> None:
    """Bring the schema from *version* to the next, within the caller's transaction; nothing if another just did."""
    if version_of(connection) != version:
        return
    for statement in STEPS[version]:
        connection.execute(text(statement))
    connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
    connection.execute(text(f"PRAGMA user_version = {version + 1}"))
