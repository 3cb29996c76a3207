"""
What Dovecot's protocol log says, made one conversation that may be shown.

Each session has two files, `DATE-TIME.PID.N.in` from the client and `.out` from the server, begun after the login.
Every line begins with its moment, `1795731026.094116 ` (seconds since 1970), also the lines within a literal, whose
`{34}` counts the octets without these moments. A literal that does not end with a line is followed by the rest of its
command on that line. 2.3.19 and 2.4.1 write alike (measured).

What comes from a file is hostile: a message may hold anything, and lines that look like others. Literals are skipped by
their count and never shown; where a server refused a literal that was announced, what the client said instead is taken
for it and not shown either. Nothing here raises, and what comes out is bounded.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mailward.imap.recorded import shown_answer, shown_command
from mailward.model.protocol_log import LoggedLine, Speaker

#: As much of one file as is read, from its beginning.
LARGEST_FILE = 262_144
_LINES_MOST = 400
_LONGEST = 1_000
_MOMENT = re.compile(rb"(\d{1,12})\.(\d{6}) ")
_LITERAL = re.compile(rb"[~]?\{(\d{1,18})\+?\}\r?\n\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def conversation(server: str, *, client: bytes, answers: bytes) -> tuple[LoggedLine, ...]:
    """
    Put both sides of a session together in the order of time, masked; of a long one the middle is left out.

    Args:
        server: Whose log it is.
        client: The beginning of the `.in` file.
        answers: The beginning of the `.out` file.
    """
    lines = [*_said(server, Speaker.CLIENT, client), *_said(server, Speaker.SERVER, answers)]
    lines.sort(key=lambda line: line.at or _EPOCH)  # stable: who asks at the same moment comes first
    if len(lines) <= _LINES_MOST:
        return tuple(lines)
    half = _LINES_MOST // 2
    left_out = LoggedLine(
        server=server, speaker=Speaker.LOG, text=f"({len(lines) - 2 * half} lines left out)", at=lines[half].at
    )
    return (*lines[:half], left_out, *lines[-half:])


def first_moment(*files: bytes) -> datetime | None:
    """When the first line of a session was written; None where no file shows any."""
    found = [at for data in files for at, _ in _lines(data[:4096])]
    return min((at for at in found if at is not None), default=None)


def last_moment(*files: bytes) -> datetime | None:
    """When the last line that was read was written."""
    found = [at for data in files for at, _ in _lines(data[-4096:])]
    return max((at for at in found if at is not None), default=None)


def _said(server: str, speaker: Speaker, data: bytes) -> Iterator[LoggedLine]:
    show = shown_command if speaker is Speaker.CLIENT else shown_answer
    for at, text in _without_literals(_lines(data)):
        shown = show(text.decode("utf-8", "backslashreplace"))
        if len(shown) > _LONGEST:
            shown = f"{shown[:_LONGEST]}… ({len(shown) - _LONGEST} more)"
        yield LoggedLine(server=server, speaker=speaker, text=shown, at=at)


def _lines(data: bytes) -> Iterator[tuple[datetime | None, bytes]]:
    """The lines with their ends, each with its moment, which is taken off; one without has the moment before it."""
    at: datetime | None = None
    for line in _at_line_feeds(data):
        found = _MOMENT.match(line)
        if found is None:
            yield at, line
            continue
        at = _EPOCH + timedelta(seconds=int(found[1]), microseconds=int(found[2]))
        yield at, line[found.end() :]


def _at_line_feeds(data: bytes) -> Iterator[bytes]:
    """Only a line feed ends a line: a message may hold bare carriage returns, and whatever else splitlines knows."""
    begin = 0
    while begin < len(data):
        end = data.find(b"\n", begin) + 1 or len(data)
        yield data[begin:end]
        begin = end


def _without_literals(lines: Iterator[tuple[datetime | None, bytes]]) -> Iterator[tuple[datetime | None, bytes]]:
    """Commands and responses, each put together to one text in which of a literal only its size is left."""
    text, began, skipping = b"", None, 0
    is_open = False
    for at, written in lines:
        line = written
        if skipping:
            taken = min(skipping, len(line))
            skipping, line = skipping - taken, line[taken:]
            if not line:
                continue
        if not is_open:
            text, began = b"", at
        found = _LITERAL.search(line[-40:])
        if found is not None:
            skipping, is_open = int(found[1]), True
            text = (text + line.rstrip(b"\r\n"))[: _LONGEST * 4]
            continue
        is_open = False
        yield began, (text + line.rstrip(b"\r\n"))[: _LONGEST * 4]
    if is_open:
        yield began, text
