"""
Where clients of a simulated server come in: it greets, hears who they are, and leads them to their mailbox.

A mailbox server leads to the copy of a database, a proxy to the entrance of a mailbox server, which leads on. Whatever
is said after the login is between the client and where it was led. Passwords are checked at the end of the way.
"""

from base64 import b64decode
from collections.abc import Callable, Sequence

from mailward.testing.obedient_server import ObedientServer
from mailward.testing.script import CommandReader
from mailward.testing.steps import Push, Say, Session, Stall, Step, Wait

REJECTED = "NO [AUTHENTICATIONFAILED] Authentication failed."
UNAVAILABLE = "NO [UNAVAILABLE] Account is temporarily unavailable."
BACKEND_TIMEOUT_S = 8.0
"""How long a simulated proxy waits for a mailbox server, as the lab's Dovecots do."""
GREETING = "* OK simulated server ready."

#: Where a user's session goes on, or the steps that turn the user away; "{tag}" stands for the tag of the login.
Led = Session | Sequence[Step]


class Entrance:
    """
    Serves clients up to their login.

    Args:
        lead: Where a user is led.
    """

    def __init__(self, lead: Callable[[str], Led]) -> None:
        self.lead = lead
        self.refusal = ""
        """What every login is answered with instead; "" lets users in."""
        self.login_hangs = False
        """Whether logins are never answered."""
        self._door = an_obedient_server({}, name="simulated")

    @property
    def greeting(self) -> str:
        """Its first line; one that begins with "* BYE" lets nobody in."""
        return self._door.greeting

    @greeting.setter
    def greeting(self, line: str) -> None:
        self._door.greeting = line

    def session(self) -> Session:
        """Serve one more client."""
        return _Visit(self, self._door.session())


class _Visit:
    def __init__(self, entrance: Entrance, door: Session) -> None:
        self._entrance = entrance
        self._door = door
        self._beyond: Session | None = None
        self._commands = CommandReader()
        self._push: Push = lambda _: None

    @property
    def may_push(self) -> bool:
        return self._beyond is not None and self._beyond.may_push

    def opening(self, push: Push) -> Sequence[Step]:
        self._push = push
        return self._door.opening(push)

    def hear(self, data: bytes) -> Sequence[Step]:
        if self._beyond is not None:
            return self._beyond.hear(data)
        steps: list[Step] = []
        for command in self._commands.feed(data):
            steps += (Say(b"+ go on\r\n"),) if command is None else self._heard(command)
        return steps

    def gone(self) -> None:
        self._door.gone()
        if self._beyond is not None:
            self._beyond.gone()

    def _heard(self, command: bytes) -> Sequence[Step]:
        user = _user_of(command)
        if user is None:
            return self._door.hear(command)
        tag = command.split(None, 1)[0]
        if self._entrance.login_hangs:
            return (Stall(),)
        if self._entrance.refusal:
            return turned_away(self._entrance.refusal, tag)
        led = self._entrance.lead(user)
        if isinstance(led, Sequence):
            return _tagged(led, tag)
        return self._logged_in(led, command, tag)

    def _logged_in(self, beyond: Session, command: bytes, tag: bytes) -> Sequence[Step]:
        """Log in where the user was led; who is rejected there stays with us."""
        beyond.opening(self._push)
        steps = beyond.hear(command)
        if any(isinstance(step, Say) and step.data.startswith(tag + b" OK") for step in steps):
            self._beyond = beyond
            return steps
        beyond.gone()
        return no_answer(tag) if Stall() in steps else steps


def an_obedient_server(users: dict[str, str], *, name: str) -> ObedientServer:
    """A server that names itself as Dovecot's imap_id_send does in the lab, and keeps no diary."""
    server = ObedientServer(users, identity={"x-backend": name} if users else {"name": name}, greeting=GREETING)
    server.heard = _NoDiary()
    return server


def turned_away(refusal: str, tag: bytes = b"{tag}") -> tuple[Step, ...]:
    """The answer NO to a login."""
    return (Say(tag + f" {refusal}\r\n".encode()),)


def no_answer(tag: bytes = b"{tag}") -> tuple[Step, ...]:
    """What a proxy does whose mailbox server stays silent."""
    return (Wait(BACKEND_TIMEOUT_S), *turned_away(UNAVAILABLE, tag))


def _tagged(steps: Sequence[Step], tag: bytes) -> tuple[Step, ...]:
    return tuple(Say(step.data.replace(b"{tag}", tag)) if isinstance(step, Say) else step for step in steps)


def _user_of(command: bytes) -> str | None:
    """Who wants to log in by this command: LOGIN, or AUTHENTICATE PLAIN with its initial response (RFC 4959)."""
    words = command.split()
    verb = words[1].upper() if len(words) > 2 else b""
    if verb == b"LOGIN":
        return words[2].strip(b'"').decode(errors="replace")
    if verb == b"AUTHENTICATE" and len(words) == 4:
        opened, _, rest = b64decode(words[3]).decode(errors="replace").partition("\0")
        return opened or rest.partition("\0")[0]
    return None


class _NoDiary(list[str]):
    """An obedient server writes down every command it hears, for tests; a simulation runs for days."""

    def append(self, _: str, /) -> None:
        """Forget it."""
