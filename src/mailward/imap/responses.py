"""What a server says, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Status(Enum):
    """The status of a greeting or reply. CLOSED is ours: the connection ended where a reply was due."""

    OK = "OK"
    NO = "NO"
    BAD = "BAD"
    PREAUTH = "PREAUTH"
    BYE = "BYE"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Code:
    """A response code: RFC 9051 §7.1, RFC 5530, RFC 4315."""

    name: str
    """Upper case, such as UNAVAILABLE."""
    argument: str = ""
    number: int | None = None
    """The argument as a number, where it is one (UIDVALIDITY, UIDNEXT)."""

    def __str__(self) -> str:
        return f"[{self.name} {self.argument}]" if self.argument else f"[{self.name}]"


@dataclass(frozen=True, slots=True)
class StatusText:
    """An untagged OK, NO, BAD, PREAUTH or BYE."""

    status: Status
    code: Code | None
    text: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """CAPABILITY and ENABLED, in upper case."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Identity:
    """ID (RFC 2971): who the server says it is. Keys are lower case; NIL values are left out."""

    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exists:
    """How many messages the mailbox holds."""

    count: int


@dataclass(frozen=True, slots=True)
class Recent:
    """RECENT of RFC 3501; gone from RFC 9051."""

    count: int


@dataclass(frozen=True, slots=True)
class Expunged:
    """The message with this sequence number is gone."""

    number: int


@dataclass(frozen=True, slots=True)
class Vanished:
    """These UIDs are gone (RFC 7162), as the server wrote them: "300:310,411"."""

    uids: str
    earlier: bool


@dataclass(frozen=True, slots=True)
class Fetch:
    """What was told of one message."""

    number: int
    uid: int | None = None
    flags: frozenset[str] | None = None
    size: int | None = None
    """RFC822.SIZE."""
    internal_date: str | None = None
    bodies: Mapping[str, bytes | None] = field(default_factory=dict)
    """Sections by their name in upper case, such as "BODY[]"; None where the server said NIL."""

    @property
    def body(self) -> bytes | None:
        """The whole message, BODY[] or RFC822, when it was fetched."""
        found = self.bodies.get("BODY[]")
        return found if found is not None else self.bodies.get("RFC822")


@dataclass(frozen=True, slots=True)
class Found:
    """The result of SEARCH or ESEARCH."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """The result of STATUS."""

    mailbox: str
    items: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags defined in the mailbox."""

    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listed:
    """One mailbox of LIST."""

    flags: frozenset[str]
    delimiter: str | None
    mailbox: str


@dataclass(frozen=True, slots=True)
class Other:
    """Anything else: servers may say what they like (RFC 9051 §7)."""

    name: str
    text: str


Response = (
    StatusText
    | Capabilities
    | Identity
    | Exists
    | Recent
    | Expunged
    | Vanished
    | Fetch
    | Found
    | MailboxStatus
    | Flags
    | Listed
    | Other
)
