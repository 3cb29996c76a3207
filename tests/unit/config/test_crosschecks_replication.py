"""How copies come to be alike fits how many there are, or is told where it is written."""

import pytest

from mailward.config.load import load, read

SERVERS = """
[organization]
name = "example"
[groups.back-ends]
servers = ["be*"]
roles = ["mailbox"]
[servers.be1]
[servers.be2]
[servers.be3]
[databases.DB1]
copies = COPIES
"""
TO_COPY = 'set databases.DB1.replication to "sync" or "shared-storage"'
SINGLE = 'set databases.DB1.replication to "replicator", "sync" or "shared-storage"'


def database(copies, *, own=None, every=None):
    text = SERVERS.replace("COPIES", str([f"be{number + 1}" for number in range(copies)]))
    text += f"replication = '{own}'\n" if own else ""
    return text + (f"[replication]\nkind = '{every}'\n" if every else "")


@pytest.mark.parametrize(
    ("copies", "kinds", "line", "text"),
    [
        (
            2,
            {"every": "single"},
            11,
            f'copies names 2 servers, but replication.kind is "single", which is for 1; name 1, or {SINGLE}',
        ),
        (
            3,
            {"every": "replicator"},
            11,
            f'copies names 3 servers, but replication.kind is "replicator", which is for 2; name 2, or {TO_COPY}',
        ),
        (
            2,
            {"own": "single", "every": "sync"},
            12,
            'replication is "single", which is for 1, but 2 copies are named; use "replicator", "sync" or'
            ' "shared-storage", or name 1',
        ),
        (
            3,
            {"own": "replicator", "every": "sync"},
            12,
            'replication is "replicator", which is for 2, but 3 copies are named; use "sync" or "shared-storage",'
            " or name 2",
        ),
        (
            1,
            {"own": "replicator"},
            12,
            'replication is "replicator", which needs two copies; name another, or take it out',
        ),
    ],
)
def test_a_kind_that_the_copies_cannot_have_is_told_where_it_is_written(copies, kinds, line, text, write):
    (mistake,) = read(write(database(copies, **kinds))).mistakes

    assert (line, f"databases.DB1.{text}") == (mistake.line, mistake.text)


@pytest.mark.parametrize(
    ("copies", "kinds", "expected"),
    [
        (1, {}, "single"),
        (1, {"every": "replicator"}, "single"),
        (1, {"own": "single"}, "single"),
        (1, {"every": "single"}, "single"),
        (2, {}, None),
        (2, {"every": "replicator"}, "replicator"),
        (2, {"own": "replicator", "every": "single"}, "replicator"),
        (3, {"own": "sync", "every": "replicator"}, "sync"),
        (3, {"every": "shared-storage"}, "shared-storage"),
    ],
)
def test_a_kind_that_the_copies_can_have_is_theirs(copies, kinds, expected, write):
    kind = load(write(database(copies, **kinds))).organization.databases["DB1"].replication

    assert expected == (None if kind is None else kind.value)
