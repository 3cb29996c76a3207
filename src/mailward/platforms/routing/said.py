"""What a map says, in one word for each database."""

import re
from collections.abc import Iterable, Mapping

PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?![:\w])")
r"""
A parameter of a statement, as SQLAlchemy finds it: not what stands after another colon (a cast of PostgreSQL) or before
one, nor after a backslash.
"""
AND = " and "
"""Between the servers of a database that is on several."""


def by_database(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """
    Database -> server.

    Of a database that is said to be on several servers, all of them are the word: "be1 and be2" is no server's name, so
    it is told what is wrong with this database, nothing is done with it, and the others are not held up.
    """
    found: dict[str, set[str]] = {}
    for database, server in pairs:
        found.setdefault(database, set()).add(server)
    return {database: AND.join(sorted(servers)) for database, servers in found.items()}


def filled(words: str, pattern: re.Pattern[str], values: Mapping[str, str]) -> str:
    """
    *words* with each name that *pattern* finds replaced by its value.

    In one go: a value that looks like a name stays what it is.
    """
    return pattern.sub(lambda found: values.get(found[1], found[0]), words)
