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
