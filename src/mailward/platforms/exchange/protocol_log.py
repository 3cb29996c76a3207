"""
Exchange's IMAP protocol log: its sessions, and which mailbox server served each.

Two layouts of CSV are read, each by its own `#Fields:` line and by no position: the documented one (date-time,
session-id, event, data, context …), where a line is one side's words, and the one that Exchange 2013 and later write
(dateTime, sessionId, user, command, parameters, context …), where a line is one command with its outcome.

The server that served a session stands in the words of the server alone, never in what a client sent: as
`Proxy:HOST:PORT…` where a front end passed the session on, or as `_Mbx:HOST`. A back end's log names none: it is itself
the mailbox server. Session ids are not shared between the tiers.

What comes from a file is hostile: anything that cannot be understood is left out, everything is bounded, and what a
client or a message may have put there is masked.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mailward.imap.masking import printable
from mailward.imap.recorded import shown_answer, shown_command
from mailward.model.errors import Refused
from mailward.model.protocol_log import LoggedLine, LoggedSession, Speaker

#: As much of a file as is read, from its beginning; they are of one hour.
LARGEST_FILE = 8_000_000
_SESSIONS_MOST = 2_000
_LINES_MOST = 400
_LONGEST_LINE = 8_000
_LONGEST = 1_000
_FIELDS = "#fields:"
_SERVED = re.compile(r"(?:\bProxy|_Mbx):\s*([A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?)(?![A-Za-z0-9._-])")
#: Fields by either layout's name, small letters alone: date-time and dateTime are one.
_AT, _SESSION, _USER, _COMMAND, _PARAMETERS = "datetime", "sessionid", "user", "command", "parameters"
_EVENT, _DATA, _CONTEXT = "event", "data", "context"
#: Verbs of Exchange's own, which are no commands of a client.
_OWN = frozenset({"opensession", "closesession"})
_RECEIVED, _SENT = "<", ">"


@dataclass(kw_only=True)
class _Session:
    user: str = ""
    opened: datetime | None = None
    mailbox_server: str | None = None
    lines: list[LoggedLine] = field(default_factory=list)
    left_out: int = 0


def sessions(server: str, data: bytes, *, is_back_end: bool) -> tuple[LoggedSession, ...]:
    """
    Return the sessions of one log file in the order they begin, at most 2,000 of them.

    Args:
        server: Whose log it is.
        data: The file, or as much of it as LARGEST_FILE.
        is_back_end: Whether it is the log of a back end (`IMAP4BE…`), which serves sessions itself.

    Raises:
        Refused: It is no such log: no line says which fields it has.
    """
    found: dict[str, _Session] = {}
    for row in _rows(server, data):
        name = row.get(_SESSION, "")[:64]
        if not name or (name not in found and len(found) >= _SESSIONS_MOST):
            continue
        session = found.setdefault(name, _Session())
        at = _moment(row.get(_AT, ""))
        session.opened = session.opened or at
        session.user = session.user or _user(row)
        session.mailbox_server = _served_by(row) or session.mailbox_server
        for speaker, text in _said(row):
            if len(session.lines) < _LINES_MOST:
                line = LoggedLine(server=server, speaker=speaker, text=_clipped(text), at=at)
                session.lines.append(line)
            else:
                session.left_out += 1
    return tuple(_made(server, name, session, is_back_end=is_back_end) for name, session in found.items())


def _made(server: str, name: str, session: _Session, *, is_back_end: bool) -> LoggedSession:
    served = server if is_back_end else session.mailbox_server
    because = f"the log of {server} names no mailbox server for it"
    if is_back_end:
        because = f"the log of {server} has it, which is a back end"
    elif served is not None:
        because = f"the log of {server} says that {served} served it"
    if session.left_out:
        text = f"({session.left_out} lines left out)"
        session.lines.append(LoggedLine(server=server, speaker=Speaker.LOG, text=text))
    return LoggedSession(
        user=printable(session.user),
        because=because,
        mailbox_server=served,
        proxy=None if is_back_end else server,
        session=printable(name),
        opened=session.opened,
        lines=tuple(session.lines),
    )


def _rows(server: str, data: bytes) -> Iterator[Mapping[str, str]]:
    """Each line by its fields' names; a new `#Fields:` line may change them."""
    names: Sequence[str] = ()
    for written in data[:LARGEST_FILE].decode("utf-8-sig", "replace").split("\n"):
        line = written[:_LONGEST_LINE].rstrip("\r")
        if line.lower().startswith(_FIELDS):
            names = [_plain(name) for name in line[len(_FIELDS) :].split(",")]
        elif names and line and not line.startswith("#"):
            yield dict(zip(names, _cells(line), strict=False))
    if not names:
        raise Refused(f"this is no IMAP protocol log of {server}: no line begins with #Fields:")


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a line that cannot be read has no fields
        return []


def _user(row: Mapping[str, str]) -> str:
    """The user's field, or in the documented layout who a LOGIN names."""
    if row.get(_USER):
        return row[_USER][:200]
    words = row.get(_DATA, "").split(" ") if row.get(_EVENT) == _RECEIVED else []
    return words[2].strip('"')[:200] if len(words) > 2 and words[1].upper() == "LOGIN" else ""


def _served_by(row: Mapping[str, str]) -> str | None:
    """Only what the server itself writes: its context, and in the documented layout what it did not receive."""
    texts = [row.get(_CONTEXT, "")]
    if row.get(_EVENT) not in (None, _RECEIVED):
        texts.append(row.get(_DATA, ""))
    found = next((seen for seen in map(_SERVED.search, texts) if seen), None)
    return found[1] if found else None


def _said(row: Mapping[str, str]) -> Iterator[tuple[Speaker, str]]:
    """What a line holds, masked."""
    if _EVENT in row:
        data = row.get(_DATA, "")
        if row[_EVENT] == _RECEIVED:
            yield Speaker.CLIENT, shown_command(data)
        elif row[_EVENT] == _SENT:
            yield Speaker.SERVER, shown_answer(data)
        elif data:
            yield Speaker.LOG, printable(data)
    elif row.get(_COMMAND):
        command = row[_COMMAND]
        shown = command if command.lower() in _OWN else _command(command, row.get(_PARAMETERS, ""))
        yield Speaker.CLIENT, printable(shown)
    if row.get(_CONTEXT):
        yield Speaker.LOG, printable(row[_CONTEXT])


def _command(name: str, parameters: str) -> str:
    """A command without its tag, which this layout does not have."""
    shown = shown_command(f"x {name} {parameters}" if parameters else f"x {name}")
    return shown.removeprefix("x ")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text) - _LONGEST} more)"
