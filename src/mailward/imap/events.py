"""What happens in a conversation, as values. Every command ends in exactly one `Reply`, whatever the server does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from mailward.imap.errors import RemoteProtocolError
from mailward.imap.parsing import numbers_in, server_time
from mailward.imap.responses import (
    Code,
    Exists,
    Fetch,
    Flags,
    Found,
    Identity,
    Response,
    Status,
    StatusText,
)

_R = TypeVar("_R", bound=Response)


@dataclass(frozen=True, slots=True)
class Greeting:
    """The server's first word."""

    status: Status
    code: Code | None
    text: str

    @property
    def ok(self) -> bool:
        """Whether the server will serve us."""
        return self.status in (Status.OK, Status.PREAUTH)

    @property
    def summary(self) -> str:
        """The greeting as one line for a person."""
        return _summary(self.status, self.code, self.text)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What SELECT or EXAMINE told of a mailbox; None where the server did not say."""

    exists: int | None
    uid_validity: int | None
    uid_next: int | None
    flags: frozenset[str]
    permanent_flags: frozenset[str] | None
    read_only: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command ended, and all that was said meanwhile."""

    command: str
    """The command's name, such as LOGIN."""
    status: Status
    """OK, NO or BAD; BYE or CLOSED when the server ended the connection instead of answering."""
    code: Code | None
    text: str
    tagged: bool
    """Whether this is the server's own answer to the command; False for an untagged BAD, BYE, or the end."""
    responses: tuple[Response, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the server did what was asked."""
        return self.status is Status.OK

    @property
    def summary(self) -> str:
        """The answer as one line for a person, such as "NO [UNAVAILABLE] Account is temporarily unavailable."."""
        return _summary(self.status, self.code, self.text)

    @property
    def code_name(self) -> str | None:
        """The response code's name, such as UNAVAILABLE, or None."""
        return self.code.name if self.code else None

    @property
    def server_time(self) -> timedelta | None:
        """How long the command took by the server's own account, where it says (Dovecot does)."""
        return server_time(self.text)

    def of(self, kind: type[_R]) -> list[_R]:
        """The untagged responses of one kind, in order."""
        return [response for response in self.responses if isinstance(response, kind)]

    @property
    def messages(self) -> list[Fetch]:
        """What was told of messages."""
        return self.of(Fetch)

    @property
    def found(self) -> tuple[int, ...]:
        """The numbers a search found."""
        return tuple(number for result in self.of(Found) for number in result.numbers)

    @property
    def identity(self) -> Mapping[str, str]:
        """What ID told; empty when nothing."""
        identities = self.of(Identity)
        return identities[-1].fields if identities else {}

    @property
    def appended(self) -> tuple[int, tuple[int, ...]] | None:
        """APPENDUID (RFC 4315): the mailbox's UIDVALIDITY and the UIDs the messages got; None where not (well) told."""
        if self.code is None or self.code.name != "APPENDUID":
            return None
        validity, _, uids = self.code.argument.partition(" ")
        try:
            return numbers_in(validity)[0], numbers_in(uids)
        except RemoteProtocolError:
            return None

    @property
    def mailbox(self) -> Mailbox:
        """What was told of the selected mailbox."""
        codes = {text.code.name: text.code for text in self.of(StatusText) if text.code}
        if self.code:
            codes[self.code.name] = self.code
        exists = self.of(Exists)
        flags = self.of(Flags)
        permanent = codes.get("PERMANENTFLAGS")
        return Mailbox(
            exists=exists[-1].count if exists else None,
            uid_validity=codes["UIDVALIDITY"].number if "UIDVALIDITY" in codes else None,
            uid_next=codes["UIDNEXT"].number if "UIDNEXT" in codes else None,
            flags=flags[-1].flags if flags else frozenset(),
            permanent_flags=frozenset(permanent.argument.strip("()").split()) if permanent else None,
            read_only="READ-ONLY" in codes,
        )


@dataclass(frozen=True, slots=True)
class Update:
    """Said without being asked: while idling, or between commands."""

    response: Response


@dataclass(frozen=True, slots=True)
class Idling:
    """The server accepted IDLE and will tell of changes from now on."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The server ended the conversation while no command was in flight."""

    status: Status
    """BYE, BAD or CLOSED."""
    code: Code | None
    text: str

    @property
    def summary(self) -> str:
        """The end as one line for a person."""
        return _summary(self.status, self.code, self.text)


Event = Greeting | Reply | Update | Idling | Ended


def _summary(status: Status, code: Code | None, text: str) -> str:
    if status is Status.CLOSED:
        return text
    return " ".join(part for part in (status.value, str(code) if code else "", text) if part)
