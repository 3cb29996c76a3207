"""
The accept queues of listening TCP sockets, as `ss -Hltn` prints them (iproute2).

Its columns Recv-Q and Send-Q are, for a socket that listens, the connections that wait to be accepted and the most that
may wait; /proc/net/tcp shows the first alone (field notes §C).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mailward.model.counters import ListenQueue
from mailward.model.errors import TemporaryFailure

SHOW = ("ss", "-Hltn")
_LISTENS = "LISTEN"
_EVERYWHERE = frozenset({"*", "0.0.0.0", "::"})  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, kw_only=True, slots=True)
class ListeningSocket:
    """One socket that listens."""

    address: str
    port: int
    queue: ListenQueue

    @property
    def is_everywhere(self) -> bool:
        """Whether it is bound to every address of the machine."""
        return self.address in _EVERYWHERE


def parse(text: str) -> tuple[ListeningSocket, ...]:
    """
    Read what `ss -Hltn` printed.

    Raises:
        TemporaryFailure: A line is none of its.
    """
    return tuple(_parsed(text))


def _parsed(text: str) -> Iterator[ListeningSocket]:
    for line in text.splitlines():
        state, *columns = line.split() or [""]
        if state != _LISTENS:
            continue
        waiting, backlog, local, *_ = (*columns, "", "", "")
        address, _, port = local.rpartition(":")
        if not all(number.isascii() and number.isdigit() for number in (waiting, backlog, port)):
            raise TemporaryFailure(f"{' '.join(SHOW)}: its answer cannot be read")
        yield ListeningSocket(
            address=address.strip("[]").partition("%")[0],
            port=int(port),
            queue=ListenQueue(where=local, waiting=int(waiting), backlog=int(backlog)),
        )
