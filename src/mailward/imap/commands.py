"""
The commands probes need, each a frozen value that knows how it is written and how it is shown.

Arguments are checked when the command is written: what could become a second command is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from mailward.imap.arguments import (
    Literal,
    Part,
    astring,
    atom,
    checked,
    fetch_item,
    flag,
    quoted,
    secret,
    uid_set,
)
from mailward.imap.errors import LocalProtocolError
from mailward.imap.sasl import Mechanism
from mailward.imap.state import State

_ANY = frozenset((State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED))
_BEFORE_LOGIN = frozenset((State.NOT_AUTHENTICATED,))
_AFTER_LOGIN = frozenset((State.AUTHENTICATED, State.SELECTED))
_SELECTED = frozenset((State.SELECTED,))


@dataclass(frozen=True, slots=True)
class Command:
    """What every command has."""

    name: ClassVar[str]
    allowed_in: ClassVar[frozenset[State]] = _ANY
    leads_to: ClassVar[State | None] = None
    """The state after an OK."""

    def parts(self) -> Sequence[Part]:
        """The command as it is written after its tag, name included."""
        return (self.name.encode(),)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, in either direction."""
        return ()

    @property
    def sends_password(self) -> bool:
        """Whether the password itself goes over the wire."""
        return False


@dataclass(frozen=True, slots=True)
class Capability(Command):
    """Asks what the server can do."""

    name = "CAPABILITY"


@dataclass(frozen=True, slots=True)
class Noop(Command):
    """Does nothing; the answer shows that the server still works."""

    name = "NOOP"


@dataclass(frozen=True, slots=True)
class Logout(Command):
    """Says good-bye."""

    name = "LOGOUT"
    leads_to = State.ENDED


@dataclass(frozen=True, slots=True)
class StartTls(Command):
    """Asks to go on encrypted. After an OK nothing but the handshake may follow, from either side."""

    name = "STARTTLS"
    allowed_in = _BEFORE_LOGIN
    leads_to = State.TLS_HANDSHAKE


@dataclass(frozen=True, slots=True)
class Id(Command):
    """Says who we are and asks who the server is (RFC 2971). After login the mailbox server itself answers."""

    name = "ID"
    fields: Mapping[str, str] | None = None

    def parts(self) -> Sequence[Part]:
        """ID NIL, or a list of strings."""
        if not self.fields:
            return (b"ID NIL",)
        written: list[Part] = [b"ID ("]
        for key, value in self.fields.items():
            written += (quoted(key, "ID field"), b" ", quoted(value, "ID value"), b" ")
        return (*written[:-1], b")")


@dataclass(frozen=True, slots=True)
class Login(Command):
    """Logs in with the password as it is. Only for encrypted connections."""

    name = "LOGIN"
    allowed_in = _BEFORE_LOGIN
    leads_to = State.AUTHENTICATED
    user: str
    password: str = field(repr=False)

    def parts(self) -> Sequence[Part]:
        """LOGIN, the user, and the password, which is never shown."""
        return (b"LOGIN ", astring(self.user, "user name"), b" ", secret(self.password, "password"))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password."""
        return (self.password,)

    @property
    def sends_password(self) -> bool:
        """Whether the password itself goes over the wire."""
        return True


@dataclass(frozen=True, slots=True)
class Authenticate(Command):
    """Logs in by a SASL mechanism, with the initial response where the server allows it (RFC 4959)."""

    name = "AUTHENTICATE"
    allowed_in = _BEFORE_LOGIN
    leads_to = State.AUTHENTICATED
    mechanism: Mechanism

    def parts(self) -> Sequence[Part]:
        """AUTHENTICATE and the mechanism; the conversation adds the exchange."""
        checked(self.mechanism.user, "user name")
        return (b"AUTHENTICATE " + atom(self.mechanism.name, "SASL mechanism"),)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The mechanism's secrets."""
        return self.mechanism.secrets

    @property
    def sends_password(self) -> bool:
        """Whether the password itself goes over the wire."""
        return self.mechanism.sends_password


@dataclass(frozen=True, slots=True)
class Select(Command):
    """Opens a mailbox."""

    name = "SELECT"
    allowed_in = _AFTER_LOGIN
    leads_to = State.SELECTED
    mailbox: str = "INBOX"

    def parts(self) -> Sequence[Part]:
        """SELECT and the mailbox."""
        return (b"SELECT ", astring(self.mailbox, "mailbox name"))


@dataclass(frozen=True, slots=True)
class Examine(Command):
    """Opens a mailbox without the right to change it."""

    name = "EXAMINE"
    allowed_in = _AFTER_LOGIN
    leads_to = State.SELECTED
    mailbox: str = "INBOX"

    def parts(self) -> Sequence[Part]:
        """EXAMINE and the mailbox."""
        return (b"EXAMINE ", astring(self.mailbox, "mailbox name"))


@dataclass(frozen=True, slots=True)
class MailboxStatusCommand(Command):
    """Asks for numbers of a mailbox without opening it."""

    name = "STATUS"
    allowed_in = _AFTER_LOGIN
    mailbox: str = "INBOX"
    items: Sequence[str] = ("MESSAGES", "UIDNEXT", "UIDVALIDITY")

    def parts(self) -> Sequence[Part]:
        """STATUS, the mailbox and the items."""
        items = b" ".join(atom(item, "item of STATUS") for item in self.items)
        return (b"STATUS ", astring(self.mailbox, "mailbox name"), b" (" + items + b")")


@dataclass(frozen=True, slots=True)
class Append(Command):
    """Stores a message. Its bytes are never shown."""

    name = "APPEND"
    allowed_in = _AFTER_LOGIN
    mailbox: str
    message: bytes = field(repr=False)
    flags: Sequence[str] = ()
    internal_date: str | None = None
    """As IMAP writes it: "24-Nov-2026 12:00:00 +0000"."""

    def parts(self) -> Sequence[Part]:
        """APPEND, mailbox, flags, date, and the message as a literal."""
        if b"\0" in self.message:
            raise LocalProtocolError("the message holds NUL; IMAP cannot carry it")
        written: list[Part] = [b"APPEND ", astring(self.mailbox, "mailbox name"), b" "]
        if self.flags:
            written.append(b"(" + b" ".join(map(flag, self.flags)) + b") ")
        if self.internal_date is not None:
            written += (quoted(self.internal_date, "date"), b" ")
        return (*written, Literal(self.message))


@dataclass(frozen=True, slots=True)
class UidSearchHeader(Command):
    """Finds messages by a header; the server looks for *value* anywhere in it, regardless of case."""

    name = "UID SEARCH"
    allowed_in = _SELECTED
    header: str
    value: str

    def parts(self) -> Sequence[Part]:
        """UID SEARCH HEADER, the field and the value."""
        if not (self.header.isascii() and self.value.isascii()):
            raise LocalProtocolError("a header is searched for in ASCII only")
        return (b"UID SEARCH HEADER ", astring(self.header, "header"), b" ", quoted(self.value, "header's value"))


@dataclass(frozen=True, slots=True)
class UidSearchDeleted(Command):
    r"""Finds the messages marked \Deleted: all that a plain EXPUNGE would remove."""

    name = "UID SEARCH"
    allowed_in = _SELECTED

    def parts(self) -> Sequence[Part]:
        """UID SEARCH DELETED."""
        return (b"UID SEARCH DELETED",)


@dataclass(frozen=True, slots=True)
class UidFetch(Command):
    """Fetches messages; with BODY.PEEK they stay unseen."""

    name = "UID FETCH"
    allowed_in = _SELECTED
    uids: int | str | Sequence[int]
    items: Sequence[str] = ("UID", "RFC822.SIZE", "BODY.PEEK[]")

    def parts(self) -> Sequence[Part]:
        """UID FETCH, the set and the items."""
        items = b" ".join(map(fetch_item, self.items))
        return (b"UID FETCH " + uid_set(self.uids) + b" (" + items + b")",)


@dataclass(frozen=True, slots=True)
class UidStoreDeleted(Command):
    r"""Marks messages \Deleted."""

    name = "UID STORE"
    allowed_in = _SELECTED
    uids: int | str | Sequence[int]

    def parts(self) -> Sequence[Part]:
        r"""UID STORE, the set, and \Deleted."""
        return (b"UID STORE " + uid_set(self.uids) + b" +FLAGS.SILENT (\\Deleted)",)


@dataclass(frozen=True, slots=True)
class UidExpunge(Command):
    r"""Removes exactly these messages, if marked \Deleted (RFC 4315: only where the server offers UIDPLUS)."""

    name = "UID EXPUNGE"
    allowed_in = _SELECTED
    uids: int | str | Sequence[int]

    def parts(self) -> Sequence[Part]:
        """UID EXPUNGE and the set."""
        return (b"UID EXPUNGE " + uid_set(self.uids),)


@dataclass(frozen=True, slots=True)
class Expunge(Command):
    r"""Removes every message marked \Deleted, whoever marked it. `UidExpunge` is the safe one."""

    name = "EXPUNGE"
    allowed_in = _SELECTED


@dataclass(frozen=True, slots=True)
class CloseMailbox(Command):
    r"""Closes the mailbox, removing what is marked \Deleted. After EXAMINE nothing is removed."""

    name = "CLOSE"
    allowed_in = _SELECTED
    leads_to = State.AUTHENTICATED


@dataclass(frozen=True, slots=True)
class Idle(Command):
    """Waits for news (RFC 2177); ended by `Conversation.done`."""

    name = "IDLE"
    allowed_in = _AFTER_LOGIN
