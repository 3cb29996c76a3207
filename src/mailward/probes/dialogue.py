"""
One IMAP conversation over one stream, phase by phase.

Each method is one phase, or a part of one: it is timed, bounded by its limit and by the deadline of the whole, and ends
in a value or in `PhaseFailed`. What a reply means is asked of diagnosis; which phases there are is a probe's business.

Invariant: a password leaves only by an encrypted connection, or where the endpoint allows it in so many words.
"""

from mailward.diagnosis.replies import cause_of_reply
from mailward.imap import (
    CannotAuthenticate,
    Capability,
    Command,
    Conversation,
    Credentials,
    Event,
    Examine,
    Exists,
    Expunged,
    Id,
    Idle,
    Idling,
    Limits,
    Logout,
    Mailbox,
    Noop,
    RemoteProtocolError,
    Reply,
    Select,
    StartTls,
    State,
    Status,
    Transcript,
    Update,
    choose_authentication,
)
from mailward.model.errors import TemporaryFailure
from mailward.model.organization import Security
from mailward.model.probing import Cause, Certificate, Phase
from mailward.model.target import ProbeTarget
from mailward.ports.network import NetworkFailure, Stream, TlsInfo
from mailward.probes.equipment import Equipment
from mailward.probes.failure import PhaseFailed
from mailward.probes.serving import serving_server
from mailward.probes.stopwatch import Stopwatch, TimedPhase

_DEFAULT_LIMITS = Limits()
#: How long a good-bye to a server that has used up our time may take to leave: it is not waited for.
_LAST_WORD_S = 0.05


class Dialogue:
    """A conversation with the endpoint of one target."""

    def __init__(
        self, target: ProbeTarget, equipment: Equipment, watch: Stopwatch, *, limits: Limits = _DEFAULT_LIMITS
    ) -> None:
        """Nothing is opened yet."""
        self.target = target
        self.equipment = equipment
        self.settings = equipment.settings
        self.watch = watch
        self.transcript = Transcript()
        self.talk = Conversation(
            security=target.endpoint.security,
            allow_plaintext_auth=target.endpoint.allow_plaintext_auth,
            transcript=self.transcript,
            limits=limits,
        )
        self.address: str | None = None
        self.certificate: Certificate | None = None
        self.tls: str | None = None
        self.served_by: str | None = None
        """The mailbox server that served, as it says itself; resolved to our name where we know it."""
        self.exists = 0
        """Messages in the selected mailbox, as last told."""
        self._stream: Stream | None = None
        self._is_idling = False
        self._last_offered: frozenset[str] = frozenset()

    # opening

    async def open(self, *, ask_capabilities: bool) -> None:
        """
        Connect, protect the connection as the endpoint says, hear the greeting and what the server can do.

        Args:
            ask_capabilities: Ask even where the greeting told: a banner alone is no proof of life.
        """
        await self._connect()
        if self.target.endpoint.security is Security.TLS:
            with self._phase(Phase.TLS):
                await self._handshake()
        await self._hear_greeting()
        if self.target.endpoint.security is Security.STARTTLS:
            await self._learn_capabilities(even_if_told=False)
            await self._start_tls()
            ask_capabilities = False
        await self._learn_capabilities(even_if_told=ask_capabilities)

    async def _connect(self) -> None:
        endpoint, network = self.target.endpoint, self.equipment.network
        with self._phase(Phase.DNS):
            addresses = await network.resolve(endpoint, timeout=self.watch.left())
        with self._phase(Phase.CONNECT):
            self._stream = await network.connect(endpoint, addresses, timeout=self.watch.left())
        self.address = self._stream.peer
        self.transcript.note(f"connected to {self.address}")

    async def _handshake(self) -> None:
        await self._open_stream.start_tls(timeout=self.watch.left())
        agreed = self._open_stream.tls
        if agreed is not None:
            self._describe_tls(agreed)

    def _describe_tls(self, agreed: TlsInfo) -> None:
        self.tls = f"{agreed.version} {agreed.cipher}"
        self.certificate = agreed.certificate
        self.transcript.note(self.tls)

    async def _hear_greeting(self) -> None:
        with self._phase(Phase.GREETING):
            while self.talk.greeting is None:
                await self._hear()
            greeting = self.talk.greeting
            if not greeting.ok:
                code = greeting.code.name if greeting.code else None
                raise self._refusal(Phase.GREETING, greeting.status, code, greeting.text, greeting.summary)

    async def _learn_capabilities(self, *, even_if_told: bool) -> None:
        if even_if_told or not self.talk.knows_capabilities:
            await self.demand(Phase.CAPABILITY, Capability())
        self._last_offered = self.talk.capabilities

    async def _start_tls(self) -> None:
        if "STARTTLS" not in self.talk.capabilities:
            with self._phase(Phase.TLS):
                raise PhaseFailed(Phase.TLS, Cause.STARTTLS_UNAVAILABLE, "the server does not offer STARTTLS")
        await self.demand(Phase.TLS, StartTls())
        with self._phase(Phase.TLS):
            await self._handshake()
            self.talk.tls_established()

    # logging in

    async def log_in(self) -> None:
        """Log in to the target's health mailbox, unless the server greeted us as logged in already (PREAUTH)."""
        if self.talk.state is State.NOT_AUTHENTICATED:
            with self._phase(Phase.AUTH):
                self._insist(Phase.AUTH, await self._exchange(self._authentication()))

    def _authentication(self) -> Command:
        account = self.target.account
        if account is None:
            raise PhaseFailed(Phase.AUTH, Cause.PROBER_FAULT, "no health mailbox is configured")
        try:
            password = self.equipment.secrets.reveal(account.password)
        except TemporaryFailure as failure:
            raise PhaseFailed(Phase.AUTH, Cause.PROBER_FAULT, str(failure)) from failure
        self.transcript.keep_secret(password)
        try:
            return choose_authentication(
                Credentials(user=account.user, password=password, login_as=account.login_as),
                self.talk.capabilities,
                encrypted=self.talk.encrypted,
                allow_plaintext=self.target.endpoint.allow_plaintext_auth,
                nonce=self.equipment.chance.token(),
            )
        except CannotAuthenticate as obstacle:
            raise PhaseFailed(Phase.AUTH, obstacle.reason.cause, str(obstacle)) from obstacle

    async def introduce_ourselves(self, phase: Phase = Phase.AUTH) -> None:
        """
        Say by ID who we are, where the server knows ID, and hear who serves us: after login the mailbox server itself
        answers, also behind a proxy. A refusal does not matter; silence does, and counts against *phase*.
        """
        if not self.offers("ID"):
            return
        with self._phase(phase):
            reply = await self._exchange(Id(self.settings.introduction))
            if not reply.tagged:
                self._insist(phase, reply)
        self.served_by = serving_server(
            reply.identity,
            known=self.target.server_names,
            backend_keys=self.settings.backend_keys,
            hint_keys=self.settings.hint_keys,
        )

    async def noop(self) -> None:
        """Ask for a sign of life of the logged-in session; its time counts to AUTH, of which it is the proof."""
        await self.demand(Phase.AUTH, Noop())

    # in the mailbox

    async def select(self, *, read_only: bool = False) -> Mailbox:
        """Open the health mailbox, with EXAMINE where nothing may change."""
        name = self.settings.mailbox
        reply = await self.demand(Phase.SELECT, Examine(name) if read_only else Select(name))
        return reply.mailbox

    async def demand(self, phase: Phase, command: Command) -> Reply:
        """Send *command* and return its OK; anything else is a failure of *phase*."""
        with self._phase(phase):
            reply = await self._exchange(command)
            self._insist(phase, reply)
        return reply

    def offers(self, capability: str) -> bool:
        """Whether the server offers this, by what it last said: some say nothing new after login."""
        return capability in self.offered

    @property
    def offered(self) -> frozenset[str]:
        """The capabilities the server last told of."""
        if self.talk.knows_capabilities:
            self._last_offered = self.talk.capabilities
        return self._last_offered

    async def ask_what_is_offered(self) -> None:
        """After login a server may offer more, and say so only when asked."""
        if not self.talk.knows_capabilities:
            await self.demand(Phase.CAPABILITY, Capability())

    # waiting for news

    async def idle(self) -> None:
        """Begin to wait for news (RFC 2177)."""
        with self._phase(Phase.IDLE):
            self.talk.send(Idle())
            await self._flush()
            while not self._is_idling:
                self._is_idling = any(isinstance(event, Idling) for event in await self._hear())
                self._refuse_end_of_idle()

    async def hear_of_mail(self, *, timeout: float) -> None:
        """Wait until the server tells of a message more than there were; *timeout* in seconds."""
        before, until = self.exists, self.watch.now() + timeout
        with self._phase(Phase.IDLE):
            while self.exists <= before:
                await self._hear(within=until - self.watch.now())
                self._refuse_end_of_idle()

    def _refuse_end_of_idle(self) -> None:
        if self.talk.reply is not None:
            self._is_idling = False
            self._insist(Phase.IDLE, self.talk.reply)
            raise PhaseFailed(Phase.IDLE, Cause.PROTOCOL_VIOLATION, "the server ended IDLE by itself")

    async def hear_anything(self, *, timeout: float) -> bool:
        """Listen for *timeout* seconds to a session in which nothing is in flight; False when it stayed quiet."""
        try:
            self._receive(await self._open_stream.read(timeout=timeout))
        except NetworkFailure as failure:
            if failure.cause is Cause.TIMEOUT:
                return False
            raise PhaseFailed(Phase.IDLE, failure.cause, failure.detail) from failure
        except RemoteProtocolError as error:
            raise PhaseFailed(Phase.IDLE, Cause.PROTOCOL_VIOLATION, str(error)) from error
        if self.talk.state is State.ENDED:
            raise PhaseFailed(Phase.IDLE, Cause.CLOSED, "the server ended the session")
        return True

    # ending

    async def part(self) -> None:
        """Say good-bye where that is still possible, and close. Never raises; failing here fails no probe."""
        if self._stream is None:
            return
        try:
            await self._log_out(self._stream)
        except (PhaseFailed, NetworkFailure, RemoteProtocolError):
            self.transcript.note("the good-bye was not answered")
        finally:
            await self._stream.close()

    async def _log_out(self, stream: Stream) -> None:
        if self._is_idling:
            self.talk.done()
        elif self.talk.is_busy or self.talk.state not in _CAN_LOG_OUT:
            return
        if self.watch.left_of_whole() == 0.0:
            if not self.talk.is_busy:
                self.talk.send(Logout())
            await stream.write(self.talk.data_to_send(), timeout=_LAST_WORD_S)
            return
        with self._phase(Phase.LOGOUT):
            await self._flush()
            while self.talk.is_busy:
                await self._hear()
            await self._exchange(Logout())

    # one exchange

    async def _exchange(self, command: Command) -> Reply:
        self.talk.send(command)
        await self._flush()
        while self.talk.reply is None:
            await self._hear()
            await self._flush()
        return self.talk.reply

    async def _flush(self) -> None:
        data = self.talk.data_to_send()
        if data:
            await self._open_stream.write(data, timeout=self.watch.left())

    async def _hear(self, *, within: float | None = None) -> list[Event]:
        left = self.watch.left() if within is None else max(0.0, min(within, self.watch.left()))
        return self._receive(await self._open_stream.read(timeout=left))

    def _receive(self, data: bytes) -> list[Event]:
        events = self.talk.receive(data)
        for event in events:
            if isinstance(event, Update):
                self._note_mail(event.response)
            elif isinstance(event, Reply) and event.command != "IDLE":
                for response in event.responses:
                    self._note_mail(response)
        return events

    def _note_mail(self, response: object) -> None:
        if isinstance(response, Exists):
            self.exists = response.count
        elif isinstance(response, Expunged):
            self.exists -= 1

    @property
    def _open_stream(self) -> Stream:
        if self._stream is None:
            raise RuntimeError("the dialogue has not been opened")
        return self._stream

    # what went wrong

    def _phase(self, phase: Phase) -> TimedPhase:
        return self.watch.phase(phase, self._translated)

    def _translated(self, phase: Phase, error: BaseException) -> PhaseFailed | None:
        if isinstance(error, NetworkFailure):
            return self._network_said_no(phase, error)
        if isinstance(error, RemoteProtocolError):
            return PhaseFailed(phase, Cause.PROTOCOL_VIOLATION, str(error))
        return None

    def _network_said_no(self, phase: Phase, failure: NetworkFailure) -> PhaseFailed:
        if failure.tried:
            self.address = failure.tried[-1].partition(" ")[0].rstrip(":") or self.address
        if failure.certificate is not None:
            self.certificate = failure.certificate
        self.transcript.note(failure.detail)
        return PhaseFailed(phase, failure.cause, failure.detail, certificate=failure.certificate)

    def _insist(self, phase: Phase, reply: Reply) -> None:
        if not reply.ok:
            raise self._refusal(phase, reply.status, reply.code_name, reply.text, reply.summary)

    def _refusal(self, phase: Phase, status: Status, code: str | None, text: str, summary: str) -> PhaseFailed:
        cause = Cause.CLOSED if status is Status.CLOSED else cause_of_reply(phase, status.value, code, text)
        return PhaseFailed(phase, cause, summary, code=code)


_CAN_LOG_OUT = (State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED)
