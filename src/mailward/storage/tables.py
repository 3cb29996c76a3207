"""
The tables as the code of this version reads and writes them; how they came to be is in `migrations`.

Moments are whole milliseconds since 1970 and durations whole microseconds, so that every database counts alike. What is
searched for stands in columns of its own; the rest of a value is the JSON that `model.wire` writes.
"""

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text

metadata = MetaData()

results = Table(
    "result",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("probe", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("transcript", BigInteger),
)

# A table of its own: a recovery that refers to a transcript keeps it when the result is long deleted.
transcripts = Table(
    "transcript",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("lines", Text, nullable=False),
    sqlite_autoincrement=True,
)

latest = Table(
    "latest",
    metadata,
    Column("probe", Text, primary_key=True),
    Column("server", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

rollups = Table(
    "rollup",
    metadata,
    Column("probe", Text, primary_key=True),
    Column("server", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("took_sum", BigInteger, nullable=False),
    Column("took_max", BigInteger, nullable=False),
)

statuses = Table(
    "status",
    metadata,
    Column("server", Text, primary_key=True),
    Column("health_set", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

events = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
)

canaries = Table(
    "canary",
    metadata,
    Column("mailbox", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

leases = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)

operations = Table(
    "operation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("target", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""A partial unique index, `operation_open`, lets one operation per target be open: that one is the claim on it."""

steps = Table(
    "step",
    metadata,
    Column("operation", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("server", Text, nullable=False),
    Column("action", Text),
    Column("intended", Boolean, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("body", Text, nullable=False),
)
"""`intended` marks a deed: written by `intend` before anything was touched, whatever came of it."""

gate_answers = Table(
    "gate_answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("operation", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("gate", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)

# By what a result is known, not by its row: an operation may refer to one that is stored after it.
kept_results = Table(
    "kept_result",
    metadata,
    Column("operation", Integer, primary_key=True),
    Column("probe", Text, primary_key=True),
    Column("server", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
)

holds = Table(
    "hold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("ended", BigInteger),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)

alerts = Table(
    "alert",
    metadata,
    Column("key", Text, primary_key=True),
    Column("resolved", BigInteger),
    Column("body", Text, nullable=False),
)

notices = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("identity", Text, nullable=False, unique=True),
    Column("next_try", BigInteger, nullable=False),
    Column("claimed_until", BigInteger),
    Column("sent", BigInteger),
    Column("finished", BigInteger),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""`finished` is when it was sent or given up; `claimed_until` is kept here alone, so that a claim is one update."""

users = Table(
    "user",
    metadata,
    Column("name", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("last_login", BigInteger),
    Column("password_hash", Text, nullable=False),
    Column("body", Text, nullable=False),
)

access_tokens = Table(
    "access_token",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("last_used", BigInteger),
    Column("body", Text, nullable=False),
)

generations = Table("session_generation", metadata, Column("id", Integer, primary_key=True), sqlite_autoincrement=True)
"""One row for each time that sessions were begun or ended for a user; its ids are never given out twice."""
