"""
The client's side of an IMAP conversation: bytes in, events out; commands in, bytes out. No I/O, no time.

The rules of this file:
- one command is in flight at a time, and each ends in exactly one `Reply`: the tagged answer, or the untagged BAD, BYE
  or end of stream that makes waiting for one pointless (nginx: "* BAD internal server error", then silence or the end);
- what the server says is bounded by `Limits` and believed only where it follows the protocol;
- between the OK to STARTTLS and the handshake not one byte may come in (response injection, CVE-2011-0411);
- a password leaves only by an encrypted connection, unless that was allowed.
"""

from base64 import b64decode, b64encode

from mailward.imap.commands import (
    Authenticate,
    Command,
    Idle,
    Login,
    Logout,
    StartTls,
)
from mailward.imap.errors import LocalProtocolError, RemoteProtocolError, Violation
from mailward.imap.events import Ended, Event, Greeting, Idling, Reply, Update
from mailward.imap.framing import Frame, Framer
from mailward.imap.limits import Limits
from mailward.imap.parsing import STATUSES, capability_names, status_text, untagged
from mailward.imap.responses import Capabilities, Code, Response, Status, StatusText
from mailward.imap.sasl import Exchange
from mailward.imap.shown import guess_protocol, shown_response
from mailward.imap.state import State
from mailward.imap.transcript import Transcript
from mailward.imap.writing import written
from mailward.model.organization import Security

_CLOSED = "the server closed the connection"
_DEFAULT_LIMITS = Limits()


class Conversation:
    """
    One conversation. After each call send `data_to_send()`; give what arrives to `receive`.

    Once `state` is ENDED, or a `RemoteProtocolError` was raised, only closing the connection is left.
    """

    def __init__(
        self,
        *,
        security: Security,
        allow_plaintext_auth: bool = False,
        transcript: Transcript | None = None,
        limits: Limits = _DEFAULT_LIMITS,
        tag_prefix: str = "p",
    ) -> None:
        self.state = State.GREETING
        self.greeting: Greeting | None = None
        self.reply: Reply | None = None
        """Of the last command; None while it is in flight."""
        self.encrypted = security is Security.TLS
        self.transcript = transcript if transcript is not None else Transcript()
        self._starttls_demanded = security is Security.STARTTLS
        self._allow_plaintext_auth = allow_plaintext_auth
        self._capabilities: frozenset[str] | None = None
        self._framer = Framer(limits)
        self._tag_prefix = tag_prefix
        self._tag = b""
        self._commands = 0
        self._command: Command | None = None
        self._responses: list[Response] = []
        self._outgoing = bytearray()
        self._held_back: list[tuple[bytes, str]] = []
        self._exchange: Exchange | None = None
        self._awaits_initial_response = False
        self._idling = False
        self._ended: Ended | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server can do, as last told, in upper case; empty while it has not said."""
        return self._capabilities or frozenset()

    @property
    def knows_capabilities(self) -> bool:
        """Whether the server has said what it can do since STARTTLS or login last changed it."""
        return self._capabilities is not None

    @property
    def is_busy(self) -> bool:
        """Whether a command is in flight."""
        return self._command is not None

    @property
    def has_ended(self) -> bool:
        """Whether only closing the connection is left."""
        return self.state is State.ENDED

    def send(self, command: Command) -> None:
        """
        Begin *command*. Where the server has already said good-bye, that is its reply, at once, and nothing is sent.

        Raises:
            LocalProtocolError: It is not allowed now, or an argument cannot be sent; nothing was written.
        """
        if self._ended is not None:
            self.reply = Reply(command.name, self._ended.status, self._ended.code, self._ended.text, tagged=False)
            return
        self._check_allowed(command)
        for secret in command.secrets:
            self.transcript.keep_secret(secret)
        self._commands += 1
        tag = f"{self._tag_prefix}{self._commands}"
        chunks = written(command, tag, self.capabilities)
        if isinstance(command, Authenticate):
            chunks = [self._begin_exchange(command, *chunks[0])]
        self._tag = tag.encode()
        self._command = command
        self.reply = None
        self._responses = []
        self._framer.begin_command()
        self._held_back = chunks
        self._release()

    def done(self) -> None:
        """
        End IDLE; its reply follows.

        Raises:
            LocalProtocolError: The server has not accepted an IDLE.
        """
        if not self._idling:
            raise LocalProtocolError("DONE ends an IDLE, and none has been accepted")
        self._idling = False
        self._queue(b"DONE\r\n", "DONE")

    def data_to_send(self) -> bytes:
        """Return all that is to be sent now, and forget it."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def tls_established(self) -> None:
        """
        Take note that the handshake after STARTTLS is done. What the server said in the clear no longer counts.

        Raises:
            LocalProtocolError: The server has not agreed to a handshake.
        """
        if self.state is not State.TLS_HANDSHAKE:
            raise LocalProtocolError("the handshake comes after an OK to STARTTLS")
        self.encrypted = True
        self._capabilities = None
        self.state = State.NOT_AUTHENTICATED

    def receive(self, data: bytes) -> list[Event]:
        """
        Take what the stream delivered; b"" is its end. Return what happened.

        Raises:
            RemoteProtocolError: The server broke the protocol or a limit; the conversation has ended.
        """
        if self.has_ended:
            return []
        events: list[Event] = []
        try:
            if not data:
                self._stream_ended(events)
                return events
            self._framer.feed(data)
            self._refuse_early_data()
            while not self.has_ended and (frame := self._framer.next()) is not None:
                self._take(frame, events)
                self._refuse_early_data()
        except RemoteProtocolError as error:
            self.state = State.ENDED
            self.transcript.note(str(error))
            raise
        return events

    # What we send

    def _check_allowed(self, command: Command) -> None:
        if self._command is not None:
            raise LocalProtocolError(f"{command.name} must wait: {self._command.name} has not been answered yet")
        if self.state not in command.allowed_in:
            raise LocalProtocolError(f"{command.name} is not allowed while {self.state.value}")
        if isinstance(command, StartTls) and self.encrypted:
            raise LocalProtocolError("STARTTLS on a connection that is encrypted already")
        if command.sends_password and not (self.encrypted or self._allow_plaintext_auth):
            raise LocalProtocolError("the connection is not encrypted: the password is not sent")
        if isinstance(command, Login) and "LOGINDISABLED" in self.capabilities:
            raise LocalProtocolError("the server says LOGINDISABLED: the password is not sent")

    def _begin_exchange(self, command: Authenticate, wire: bytes, shown: str) -> tuple[bytes, str]:
        """Start the SASL exchange, within the command itself where the server takes that (RFC 4959)."""
        self._exchange = command.mechanism.begin()
        self._awaits_initial_response = "SASL-IR" not in self.capabilities
        if not self._awaits_initial_response:
            wire = wire[:-2] + b" " + (b64encode(self._exchange.initial()) or b"=") + b"\r\n"
        return wire, f"{shown} *** ({command.mechanism.user})"

    def _release(self) -> None:
        wire, shown = self._held_back.pop(0)
        self._queue(wire, shown)

    def _queue(self, wire: bytes, shown: str) -> None:
        self._outgoing += wire
        if shown:
            self.transcript.sent(shown)

    # What the server says

    def _refuse_early_data(self) -> None:
        """Refuse, as early as can be told, what is no IMAP, and what was slipped in before a handshake."""
        if self.state is State.TLS_HANDSHAKE and not self._framer.is_empty:
            raise RemoteProtocolError(
                Violation.INJECTION, "the server sent data between its OK to STARTTLS and the handshake"
            )
        if self.state is State.GREETING:
            waiting = self._framer.waiting
            if not b"* ".startswith(waiting[:2]):
                self.transcript.received(_text(waiting[:200]))
                raise RemoteProtocolError(
                    Violation.NOT_IMAP,
                    self.transcript.masked(f"the server does not speak IMAP: {guess_protocol(waiting)}"),
                )

    def _take(self, frame: Frame, events: list[Event]) -> None:
        text = frame.text
        if text.startswith(b"* "):
            self.transcript.received(shown_response(frame, logged_in=self._logged_in))
            response = untagged(frame, self.transcript)
            if self.state is State.GREETING:
                self._greeted(response, events)
            else:
                self._told(response, events)
        elif text.startswith(b"+"):
            self._asked_to_continue(text, events)
        else:
            self._answered(text, events)

    @property
    def _logged_in(self) -> bool:
        return self.state in (State.AUTHENTICATED, State.SELECTED)

    def _greeted(self, response: Response, events: list[Event]) -> None:
        if not isinstance(response, StatusText):
            raise RemoteProtocolError(Violation.NOT_IMAP, "the server's first line is no IMAP greeting")
        if response.status is Status.PREAUTH and self._starttls_demanded:
            raise RemoteProtocolError(
                Violation.PREAUTH_BEFORE_TLS,
                "the server says we are logged in (PREAUTH) before TLS; STARTTLS is no longer possible",
            )
        self.greeting = Greeting(response.status, response.code, response.text)
        self._learn(response.code)
        if self.greeting.ok:
            self.state = State.AUTHENTICATED if response.status is Status.PREAUTH else State.NOT_AUTHENTICATED
        else:
            self._ended = Ended(response.status, response.code, response.text)
            self.state = State.ENDED
        events.append(self.greeting)

    def _told(self, response: Response, events: list[Event]) -> None:
        if isinstance(response, Capabilities):
            self._capabilities = response.names
        elif isinstance(response, StatusText):
            self._learn(response.code)
            if self._is_the_end(response):
                self._finish(response.status, response.code, response.text, events)
                self.state = State.ENDED
                return
        if self._command is not None:
            self._responses.append(response)
        if self._command is None or isinstance(self._command, Idle):
            events.append(Update(response))

    def _is_the_end(self, response: StatusText) -> bool:
        """Whether nothing useful can follow: BYE that we did not ask for, or an untagged BAD."""
        if response.status is Status.BYE:
            return not isinstance(self._command, Logout)
        return response.status is Status.BAD

    def _asked_to_continue(self, line: bytes, events: list[Event]) -> None:
        waits_for_idle = isinstance(self._command, Idle) and not self._idling
        if self._exchange is not None and not self._held_back:
            self.transcript.received("+ ***" if len(line) > 2 else "+")
            self._respond(self._exchange, line[1:].strip())
        elif self._held_back or waits_for_idle:
            self.transcript.received(_text(line))
            if self._held_back:
                self._release()
            else:
                self._idling = True
                events.append(Idling())
        else:
            self._record_nonsense(line)
            raise RemoteProtocolError(
                Violation.UNEXPECTED_CONTINUATION, "the server asks us to go on where there is nothing to go on with"
            )

    def _respond(self, exchange: Exchange, challenge: bytes) -> None:
        is_first, self._awaits_initial_response = self._awaits_initial_response, False
        try:
            decoded = b64decode(challenge, validate=True)
        except ValueError:
            if not is_first:  # before the initial response servers put words here ("+ ready")
                raise RemoteProtocolError(Violation.BAD_CHALLENGE, "the server's SASL challenge is no base64") from None
            decoded = b""
        answer = exchange.initial() if is_first else exchange.answer(decoded)
        self._queue(b64encode(answer) + b"\r\n", "***")

    def _answered(self, line: bytes, events: list[Event]) -> None:
        tag, _, rest = line.partition(b" ")
        word, _, rest = rest.partition(b" ")
        status = STATUSES.get(word.decode("ascii", "replace").upper())
        if status not in (Status.OK, Status.NO, Status.BAD):
            self._record_nonsense(line)
            raise RemoteProtocolError(Violation.SYNTAX, "the server sent a line that is no IMAP response")
        command = self._command
        if command is None or tag != self._tag:
            self._record_nonsense(line)
            awaited = self._tag.decode() if command else "none"
            because = f"the server answered a command that is not in flight (awaited: {awaited})"
            raise RemoteProtocolError(Violation.WRONG_TAG, because)
        self.transcript.received(_text(line))
        told = status_text(status, rest, self.transcript)
        if status is Status.OK:
            if self._exchange is not None:
                self._exchange.finish()
            self._move_on(command)
        elif command.name in ("SELECT", "EXAMINE"):
            self.state = State.AUTHENTICATED  # RFC 9051 §6.3.2: a failed SELECT leaves no mailbox selected
        self._learn(told.code)
        self._finish(status, told.code, told.text, events, tagged=True)

    def _record_nonsense(self, line: bytes) -> None:
        """After login a line out of place may be a piece of somebody's mail: it is not shown."""
        if self._logged_in:
            self.transcript.received(f"<{len(line)} bytes out of place>")
        else:
            self.transcript.received(_text(line[:200]))

    def _move_on(self, command: Command) -> None:
        logs_in = command.leads_to is State.AUTHENTICATED and self.state is State.NOT_AUTHENTICATED
        if logs_in and not any(isinstance(told, Capabilities) for told in self._responses):
            self._capabilities = None
        self.state = command.leads_to or self.state

    def _learn(self, code: Code | None) -> None:
        if code is not None and code.name == "CAPABILITY":
            self._capabilities = capability_names(code.argument, self.transcript)

    def _finish(
        self, status: Status, code: Code | None, text: str, events: list[Event], *, tagged: bool = False
    ) -> None:
        """End the command in flight, or, where there is none, the conversation."""
        command = self._command
        if not tagged:
            self._ended = Ended(status, code, text)
        if command is None:
            events.append(Ended(status, code, text))
            return
        self._command = None
        self._exchange = None
        self._idling = False
        self._held_back = []
        self.reply = Reply(command.name, status, code, text, tagged, tuple(self._responses))
        events.append(self.reply)

    def _stream_ended(self, events: list[Event]) -> None:
        self.transcript.note(_CLOSED)
        if self.state is State.GREETING:
            self.greeting = Greeting(Status.CLOSED, None, f"{_CLOSED} without a greeting")
            self._ended = Ended(Status.CLOSED, None, self.greeting.text)
            events.append(self.greeting)
        elif isinstance(self._command, Logout):
            said_bye = any(isinstance(told, StatusText) and told.status is Status.BYE for told in self._responses)
            self._finish(Status.OK if said_bye else Status.CLOSED, None, _CLOSED, events)
        else:
            waiting_for = f" instead of answering {self._command.name}" if self._command else ""
            self._finish(Status.CLOSED, None, _CLOSED + waiting_for, events)
        self.state = State.ENDED


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
