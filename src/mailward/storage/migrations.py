"""
How the schema came to be: one step a version, each in a transaction of its own.

A step is never edited once released. It may only add, so that the version before it goes on working beside it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from mailward.model.errors import ConfigError

STEPS: Sequence[tuple[str, ...]] = (
    (
        """CREATE TABLE result (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at BIGINT NOT NULL, probe TEXT NOT NULL, server TEXT NOT NULL,
            target TEXT NOT NULL, failed BOOLEAN NOT NULL, body TEXT NOT NULL, transcript TEXT)""",
        "CREATE INDEX result_of ON result (probe, server, target, at)",
        "CREATE INDEX result_at ON result (failed, at)",
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
        "CREATE INDEX event_subject ON event (subject)",
        "CREATE INDEX event_at ON event (at)",
        "CREATE TABLE canary (mailbox TEXT PRIMARY KEY, body TEXT NOT NULL)",
        "CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence BIGINT NOT NULL, until BIGINT NOT NULL)",
    ),
)
"""Step N brings version N to N + 1; its statements are DDL in the words SQLite and PostgreSQL share where they can."""


def version_of(connection: Connection) -> int:
    """The version of the schema, 0 for an empty database."""
    return int(connection.execute(text("PRAGMA user_version")).scalar_one())


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
    """Bring the schema from *version* to the next, within the caller's transaction."""
    for statement in STEPS[version]:
        connection.execute(text(statement))
    connection.execute(text(f"PRAGMA user_version = {version + 1}"))
