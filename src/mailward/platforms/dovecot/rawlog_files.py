"""
Reading the files of a user's protocol log: bounded, and never through a link.

Reading needs the rights of whoever runs the user's sessions, or root's: Dovecot makes the files with mode 0600.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailward.model.protocol_log import LoggedSession
from mailward.platforms.dovecot.rawlog import LARGEST_FILE, conversation, first_moment, last_moment
from mailward.platforms.dovecot.rawlog_switch import LOG_FILE, names_in, opened, opened_below

_MOST_SESSIONS = 200
_CLIENT, _SERVER = ".in", ".out"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Session:
    client: bytes
    answers: bytes
    process: int


def conversations(
    directory: Path, name: str, *, server: str, user: str, since: datetime, limit: int
) -> tuple[LoggedSession, ...]:
    """
    Return the newest *limit* conversations that went on since then, the oldest first; none where nothing is logged.

    Args:
        directory: DIR.
        name: The user, as his directory is called.
        server: Whose log it is.
        user: The same user as the organization calls him.
        since: A conversation whose last line is older is left out.
        limit: How many.

    Raises:
        OSError: It cannot be read.
        NotDone: DIR is not safe.
    """
    found: list[LoggedSession] = []
    for session in _newest_first(directory, name):
        last = last_moment(session.client, session.answers)
        if last is None or last < since:
            continue
        found.append(
            LoggedSession(
                user=user,
                because=f"the protocol log of {server} has its conversation",
                mailbox_server=server,
                process=session.process,
                opened=first_moment(session.client, session.answers),
                lines=conversation(server, client=session.client, answers=session.answers),
            )
        )
        if len(found) >= limit:
            break
    return tuple(sorted(found, key=lambda one: (one.opened or since, one.process or 0)))


def _newest_first(directory: Path, name: str) -> Iterator[_Session]:
    with suppress(FileNotFoundError), opened(directory) as there, opened_below(there, name) as inside:
        files = {file for file in names_in(inside) if LOG_FILE.fullmatch(file)}
        stems = sorted({file.rpartition(".")[0] for file in files}, reverse=True)
        for stem in stems[:_MOST_SESSIONS]:
            yield _Session(
                client=_beginning(inside, stem + _CLIENT),
                answers=_beginning(inside, stem + _SERVER),
                process=int(stem.split(".")[1]),
            )


def _beginning(inside: int, name: str) -> bytes:
    """As much of a file as is read; nothing of one that is not there any more, or is none."""
    try:
        number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inside)
    except FileNotFoundError:
        return b""
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link is none of Dovecot's files
            return b""
        raise
    try:
        return os.read(number, LARGEST_FILE) if stat.S_ISREG(os.fstat(number).st_mode) else b""
    finally:
        os.close(number)
