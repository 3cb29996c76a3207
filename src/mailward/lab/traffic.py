"""
Users at work while something happens to a lab: they store, get mail delivered and wait for news, and remember it all.

Whatever a server acknowledged is counted afterwards: lost, doubled, or there. A client that lost its connection comes
back at once, as mail programs do, and the gap between two answers is what its user noticed.
"""

import imaplib
import re
import smtplib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from time import monotonic
from types import TracebackType
from typing import Self

from mailward.lab import session
from mailward.lab.blueprint import Blueprint, LabHost

PAUSE_S = 0.03
"""Between two messages of one writer."""
_COME_BACK_S = 0.02
_BEGINS_WITHIN_S = 60.0
Answered = Callable[[], None]
"""Told whenever the server has answered."""
_SUBJECT = re.compile(rb"^Subject: (?P<token>traffic-\S+)\r?$", re.MULTILINE)


@dataclass(kw_only=True, slots=True)
class Record:
    """What one user at work met."""

    name: str
    user: str
    acknowledged: list[str] = field(default_factory=list)
    """Tokens of the messages the server took."""
    tried: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    """Seconds between two answers, where an error lay between them; to the end, where none came any more."""
    served_by: list[str] = field(default_factory=list)
    """The mailbox servers that served it, in order, each once in a row."""
    wrote: list[tuple[float, str]] = field(default_factory=list)
    """IMAP writers: when each message was acknowledged (monotonic seconds), and the mailbox server of that session."""

    @property
    def longest_gap(self) -> float:
        """The longest time without an answer, in seconds; 0 when there was no error at all."""
        return max(self.gaps, default=0.0)


Work = Callable[[Record, LabHost, Answered], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What became of acknowledged messages."""

    acknowledged: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    """Stored more than once although its writer sent it once."""
    late: tuple[str, ...] = ()
    """Not there when it was looked for at some moment (`Traffic.look`), and there now."""


class Traffic:
    """
    Writers through every proxy, deliveries, and one that waits in IDLE, for each of some users.

    Use it as a context: they work while it lasts.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        users: tuple[str, ...],
        *,
        delivers: bool = True,
        idles: bool = True,
        pause_s: float = PAUSE_S,
    ) -> None:
        """*users* are at work; with *delivers* mail comes in for them, with *idles* each waits for news as well."""
        self._pause_s = pause_s
        self._blueprint = blueprint
        self._stop = threading.Event()
        self._numbers = count(1)
        self._name = token_hex(3)
        self.records: list[Record] = []
        self._missed: set[str] = set()
        self._threads: list[threading.Thread] = []
        doors = blueprint.proxies
        for place, user in enumerate(users):
            door = doors[place % len(doors)]
            self._add(f"append {user} by {door.name}", user, door, self._append)
            if delivers:
                self._add(
                    f"deliver {user} by {doors[-1 - place % len(doors)].name}",
                    user,
                    doors[-1 - place % len(doors)],
                    self._deliver,
                )
            if idles:
                self._add(f"idle {user} by {door.name}", user, door, self._idle)

    def __enter__(self) -> Self:
        """Begin, and return once every writer was served."""
        for thread in self._threads:
            thread.start()
        deadline = monotonic() + _BEGINS_WITHIN_S
        while any(not record.acknowledged for record in self._writers()):
            if monotonic() > deadline:
                late = [f"{record.name}: {record.errors[-1:]}" for record in self._writers() if not record.acknowledged]
                self.end()
                raise TimeoutError(f"not served within {_BEGINS_WITHIN_S:g} s: {late}")
            self._stop.wait(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self.end()

    def end(self) -> None:
        """Have everybody finish what is under way and leave."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def every_writer_is_served(self, by: str, *, seconds: float) -> bool:
        """Whether within that time every writer gets two more acknowledgements; those by IMAP from that server."""
        before = {record.name: len(record.acknowledged) for record in self._writers()}
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            if all(
                len(record.acknowledged) >= before[record.name] + 2
                and (not record.served_by or record.served_by[-1] == by)
                for record in self._writers()
            ):
                return True
            self._stop.wait(0.02)
        return False

    @property
    def told(self) -> str:
        """How each writer fares, for an error."""
        return "; ".join(
            f"{record.name}: {len(record.acknowledged)} acknowledged, served by {record.served_by[-1:]},"
            f" last error {record.errors[-1:]}"
            for record in self._writers()
        )

    def look(self, on: LabHost) -> tuple[str, ...]:
        """Which of the messages acknowledged until now are not on that server yet; what comes later counts as late."""
        acknowledged = self._acknowledged()
        found = self._found(on)
        missing = tuple(token for token in acknowledged if not found[token])
        self._missed.update(missing)
        return missing

    def account(self, on: LabHost) -> Account:
        """What of the acknowledged is on that server, asked directly."""
        acknowledged = self._acknowledged()
        found = self._found(on)
        once = {token for record in self.records for token, times in Counter(record.tried).items() if times == 1}
        return Account(
            acknowledged=len(acknowledged),
            lost=tuple(token for token in acknowledged if not found[token]),
            doubled=tuple(token for token in once if found[token] > 1),
            late=tuple(sorted(token for token in self._missed if found[token])),
        )

    def written_on_both(self, source: str, target: str) -> Mapping[str, float]:
        """
        Users who were acknowledged a message by *source* after one by *target*, and by how many seconds.

        Only sessions say where they are; deliveries do not.
        """
        overlaps = {}
        for user in {record.user for record in self.records}:
            wrote = [moment for record in self.records if record.user == user for moment in record.wrote]
            last = max((at for at, server in wrote if server == source), default=0.0)
            first = min((at for at, server in wrote if server == target), default=last)
            if last > first:
                overlaps[user] = last - first
        return overlaps

    def _acknowledged(self) -> list[str]:
        return [token for record in self.records for token in list(record.acknowledged)]

    def _found(self, on: LabHost) -> Counter[str]:
        found: Counter[str] = Counter()
        for user in {record.user for record in self._writers()}:
            found.update(tokens_of(self._blueprint, on, user))
        return found

    @property
    def gaps(self) -> Mapping[str, float]:
        """The longest interruption of each, in seconds."""
        return {record.name: record.longest_gap for record in self.records}

    def _writers(self) -> list[Record]:
        return [record for record in self.records if not record.name.startswith("idle")]

    def _add(self, name: str, user: str, door: LabHost, work: Work) -> None:
        record = Record(name=name, user=user)
        self.records.append(record)
        thread = threading.Thread(target=self._work, args=(record, door, work), name=name, daemon=True)
        self._threads.append(thread)

    def _work(self, record: Record, door: LabHost, work: Work) -> None:
        keep_at_work(record, lambda answered: work(record, door, answered), self._stop)

    def _append(self, record: Record, door: LabHost, answered: Answered) -> None:
        with session.logged_in(self._blueprint, door, record.user) as client:
            _note_server(record, client)
            while not self._stop.is_set():
                token = self._token(record)
                answer, words = client.append("INBOX", "", "", _message(token))
                if answer != "OK":
                    raise client.error(f"APPEND: {words[0]!r}")
                record.acknowledged.append(token)
                record.wrote.extend((monotonic(), server) for server in record.served_by[-1:])
                answered()
                self._stop.wait(self._pause_s)

    def _deliver(self, record: Record, door: LabHost, answered: Answered) -> None:
        token = self._token(record)
        session.deliver(self._blueprint, door, record.user, _message(token))
        record.acknowledged.append(token)
        answered()
        self._stop.wait(self._pause_s)

    def _idle(self, record: Record, door: LabHost, answered: Answered) -> None:
        with session.logged_in(self._blueprint, door, record.user) as client:
            _note_server(record, client)
            client.select("INBOX", readonly=True)
            client.send(b"%s IDLE\r\n" % client._new_tag())
            client.sock.settimeout(0.2)
            answered()
            while not self._stop.is_set():
                try:
                    if not client.sock.recv(65536):
                        raise OSError("the session was ended")
                except TimeoutError:
                    continue
                answered()

    def _token(self, record: Record) -> str:
        token = f"traffic-{self._name}-{next(self._numbers)}-{record.user}"
        record.tried.append(token)
        return token


def keep_at_work(
    record: Record, work: Callable[[Answered], None], stop: threading.Event, clock: Callable[[], float] = monotonic
) -> None:
    """
    Have *work* done again and again until *stop*, and record its errors and interruptions.

    An interruption that lasts to the end is recorded as well: who was never served again has waited longest.
    """
    is_failing = False
    last = clock()

    def answered() -> None:
        nonlocal last, is_failing
        if is_failing:
            record.gaps.append(clock() - last)
            is_failing = False
        last = clock()

    try:
        while not stop.is_set():
            try:
                work(answered)
            except (OSError, imaplib.IMAP4.error, smtplib.SMTPException) as error:
                if stop.is_set():
                    return
                is_failing = True
                record.errors.append(f"{type(error).__name__}: {error}")
                stop.wait(_COME_BACK_S)
    finally:
        if is_failing:
            record.gaps.append(clock() - last)


def tokens_of(blueprint: Blueprint, host: LabHost, user: str) -> list[str]:
    """The tokens of every message in the inbox of *user* on that server; one that is there twice is named twice."""
    with session.logged_in(blueprint, host, user, seconds=60) as client:
        client.select("INBOX", readonly=True)
        answer, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        if answer != "OK" and found != [None]:
            return []
        headers = b"\n".join(part[1] for part in found if isinstance(part, tuple))
        return [match["token"].decode() for match in _SUBJECT.finditer(headers.replace(b"\r\n", b"\n"))]


def _note_server(record: Record, client: imaplib.IMAP4) -> None:
    with suppress(*session.BROKEN):
        server = session.serving_server(client)
        if server is not None and record.served_by[-1:] != [server]:
            record.served_by.append(server)


def _message(token: str) -> bytes:
    return f"From: a@lab.example\r\nTo: b@lab.example\r\nSubject: {token}\r\n\r\nwords\r\n".encode()
