"""The exchanges AUTHENTICATE can hold (RFC 4422), and the one that needs no challenge: PLAIN (RFC 4616)."""

from dataclasses import dataclass, field
from typing import Protocol

from mailward.imap.arguments import checked
from mailward.imap.errors import RemoteProtocolError, Violation


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who to log in as. Printing them shows no password."""

    user: str
    """The user whose mailbox is opened: the authorization identity."""
    password: str = field(repr=False)
    login_as: str | None = None
    """With a master user: who authenticates; *password* is then the master user's."""

    def __post_init__(self) -> None:
        """Refuse what no login can carry."""
        checked(self.user, "user name")
        checked(self.password, "password")
        checked(self.login_as or "", "master user's name")


class Exchange(Protocol):
    """One run of a mechanism."""

    def initial(self) -> bytes:
        """What the client says first."""
        ...

    def answer(self, challenge: bytes) -> bytes:
        """
        Answer the server's next challenge.

        Raises:
            RemoteProtocolError: The challenge is wrong, or one too many.
        """
        ...

    def finish(self) -> None:
        """
        Take note that the server accepted.

        Raises:
            RemoteProtocolError: It has not proven what the mechanism asks of it.
        """
        ...


class Mechanism(Protocol):
    """A way to prove who we are."""

    @property
    def name(self) -> str:
        """As in AUTH=NAME."""
        ...

    @property
    def sends_password(self) -> bool:
        """Whether the password itself goes over the wire."""
        ...

    @property
    def user(self) -> str:
        """Who is shown to log in."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        ...

    def begin(self) -> Exchange:
        """Start a run."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """PLAIN: the password as it is. Only for encrypted connections."""

    credentials: Credentials
    name: str = field(default="PLAIN", init=False)
    sends_password: bool = field(default=True, init=False)

    @property
    def user(self) -> str:
        """Who is shown to log in."""
        return shown_user(self.credentials)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password; whatever holds it in base64 is masked with it."""
        return (self.credentials.password,)

    def begin(self) -> Exchange:
        """Start a run."""
        return _PlainExchange(self._message().encode())

    def _message(self) -> str:
        who = self.credentials
        if who.login_as is None:
            return f"\0{who.user}\0{who.password}"
        return f"{who.user}\0{who.login_as}\0{who.password}"


@dataclass(frozen=True, slots=True)
class _PlainExchange:
    message: bytes = field(repr=False)

    def initial(self) -> bytes:
        return self.message

    def answer(self, _challenge: bytes) -> bytes:
        raise RemoteProtocolError(Violation.BAD_CHALLENGE, "the server sent a challenge, which PLAIN does not have")

    def finish(self) -> None:
        return None


def shown_user(credentials: Credentials) -> str:
    """The user as a transcript shows it."""
    if credentials.login_as is None:
        return credentials.user
    return f"{credentials.user} as {credentials.login_as}"
