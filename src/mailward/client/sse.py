"""Reads server-sent events (WHATWG HTML, section 9.2), as far as the manager's stream uses them."""

import json
from collections.abc import Iterable, Iterator

from mailward.model.errors import PermanentFailure
from mailward.model.event import Event
from mailward.model.wire import from_plain


def events_in(lines: Iterable[bytes]) -> Iterator[Event | None]:
    """
    Yield each event of a stream, and None for each comment, by which the other end shows that it lives.

    Raises:
        PermanentFailure: A message holds no event we can read.
    """
    data: list[str] = []
    for raw in lines:
        line = raw.decode(errors="replace").rstrip("\r\n")
        if line.startswith(":"):
            yield None
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            yield _event("\n".join(data))
            data = []


def _event(text: str) -> Event:
    try:
        return from_plain(Event, json.loads(text))
    except (ValueError, AttributeError) as error:
        raise PermanentFailure(f"the manager's event cannot be read; it is of another version: {error}") from error
