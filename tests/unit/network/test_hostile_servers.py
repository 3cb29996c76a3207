"""Servers that mean ill or are broken, over real sockets: every conversation ends by its deadline, within 1 MB."""

import asyncio
import ssl
import time

import pytest
import trustme
import uvloop

from mailward.imap import (
    Append,
    Capability,
    Command,
    Conversation,
    Idle,
    Limits,
    Login,
    Logout,
    Noop,
    RemoteProtocolError,
    Reply,
    Select,
    StartTls,
    UidFetch,
    Violation,
)
from mailward.model.organization import ImapEndpoint, Security, TlsPolicy
from mailward.model.probing import Cause
from mailward.network import TcpNetwork
from mailward.ports.network import NetworkFailure, Stream
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer

DEADLINE = 0.4
"""Of conversations that only a deadline ends."""
PATIENCE = 10
"""Of those that end by themselves, however busy the machine is; who ends before is not waited out."""
COMMANDS: tuple[Command, ...] = (
    Capability(),
    Login("u1", "sesame-open"),
    Select("INBOX"),
    Append("INBOX", b"Subject: x\r\n\r\nhello\r\n"),
    UidFetch(1),
    Noop(),
    Logout(),
)
FETCHED = "* 1 FETCH (UID 1 BODY[] {5}\r\nhello)"


class Budget:
    """One deadline for a whole conversation, and a count of what came in."""

    def __init__(self, stream: Stream, seconds: float) -> None:
        self._stream = stream
        self._ends = asyncio.get_running_loop().time() + seconds
        self.taken = 0

    async def read(self) -> bytes:
        data = await self._stream.read(timeout=self._left())
        self.taken += len(data)
        return data

    async def write(self, data: bytes) -> None:
        await self._stream.write(data, timeout=self._left())

    async def start_tls(self) -> None:
        await self._stream.start_tls(timeout=self._left())

    def _left(self) -> float:
        return self._ends - asyncio.get_running_loop().time()


async def converse(
    network: TcpNetwork, endpoint: ImapEndpoint, taken: list[int], *, deadline: float = PATIENCE
) -> list[Reply]:
    """Hold the conversation of a full probe, as far as the server lets us."""
    talk = Conversation(security=endpoint.security, allow_plaintext_auth=True)
    replies: list[Reply] = []
    stream = await network.connect(endpoint, await network.resolve(endpoint, timeout=PATIENCE), timeout=PATIENCE)
    budget = Budget(stream, deadline)

    async def run(command: Command) -> bool:
        talk.send(command)
        await budget.write(talk.data_to_send())
        while talk.reply is None:
            talk.receive(await budget.read())
            await budget.write(talk.data_to_send())
        replies.append(talk.reply)
        return talk.reply.ok

    try:
        if endpoint.security is Security.TLS:
            await budget.start_tls()
        while talk.greeting is None:
            talk.receive(await budget.read())
        if not talk.greeting.ok:
            return replies
        if endpoint.security is Security.STARTTLS:
            if not await run(StartTls()):
                return replies
            await budget.start_tls()
            talk.tls_established()
        for command in COMMANDS:
            if not await run(command):
                break
        return replies
    finally:
        taken.append(budget.taken)
        await stream.close()


def up_to(phase: int, script: Script | None = None) -> Script:
    """A server that behaves until the command number *phase* has been heard; -1: until it should greet."""
    script = script or Script()
    if phase < 0:
        return script
    script = script.says("* OK [CAPABILITY IMAP4rev1 LITERAL+] ready")
    for command in COMMANDS[:phase]:
        script = script.hears(command.name)
        script = script.says(FETCHED, "{tag} OK done") if command.name == "UID FETCH" else script.says("{tag} OK done")
    return script.hears() if phase < len(COMMANDS) else script


PHASES = range(-1, len(COMMANDS))
HOSTILE = {
    "silence": lambda script: script.stalls(),
    "early close": lambda script: script.closes(),
    "reset": lambda script: script.resets(),
    "bye": lambda script: script.says("* BYE go away").closes(),
    "bye and silence": lambda script: script.says("* BYE go away").stalls(),
    "endless line": lambda script: script.floods(b"x" * 4096),
    "endless star line": lambda script: script.floods(b"* OK " + b"x" * 1000),
    "endless untagged lines": lambda script: script.floods(b"* 1 EXISTS\r\n" * 50),
    "huge literal": lambda script: script.says("* 1 FETCH (BODY[] {4000000000}").floods(b"z" * 4096),
    "large literal without end": lambda script: script.says("* 1 FETCH (BODY[] {262144}").floods(b"z" * 4096),
    "negative literal": lambda script: script.says("* 1 FETCH (BODY[] {-5}").stalls(),
    "5000 digit literal": lambda script: script.says("* 1 FETCH (BODY[] {" + "9" * 5000 + "}").stalls(),
    "slow drip": lambda script: script.drips(b"* OK " + b"x" * 200, every=0.02),
    "NUL bytes": lambda script: script.sends(b"* OK \0\0\0\r\n").stalls(),
    "wrong tag": lambda script: script.says("* OK x", "zz9 OK done").stalls(),
    "garbage": lambda script: script.sends(bytes(range(1, 256)) * 40).stalls(),
    "untagged bad": lambda script: script.says("* BAD internal server error").stalls(),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("manner", HOSTILE)
async def test_every_hostile_conversation_ends_by_its_deadline_within_a_megabyte(manner, phase):
    script = HOSTILE[manner](up_to(phase))
    is_mute = manner in ("silence", "slow drip") or (manner == "bye and silence" and COMMANDS[phase] == Logout())
    taken: list[int] = []
    outcome: object = None
    async with ScriptedServer(script).listening() as server:
        endpoint = ImapEndpoint(host=server.host, port=server.port, security=Security.PLAIN)
        began = time.monotonic()
        try:
            replies = await converse(TcpNetwork(), endpoint, taken, deadline=DEADLINE if is_mute else PATIENCE)
            outcome = replies[-1].ok if replies else False
        except (NetworkFailure, RemoteProtocolError) as error:
            outcome = error
        took = time.monotonic() - began

    assert took < PATIENCE
    assert taken[0] < 1_000_000
    if manner in ("silence", "slow drip"):
        assert isinstance(outcome, NetworkFailure)
        assert Cause.TIMEOUT == outcome.cause
    if manner == "early close" or (manner == "bye and silence" and not is_mute):
        assert outcome is False
    if manner in ("negative literal", "5000 digit literal", "huge literal", "NUL bytes"):
        assert isinstance(outcome, RemoteProtocolError)


def chopped(script: Script, said: bytes, size: int) -> Script:
    for start in range(0, len(said), size):
        script = script.sends(said[start : start + size]).waits(0.0005)
    return script


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_a_healthy_conversation_survives_any_chopping(size):
    script = chopped(Script(), b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n", size)
    for number, command in enumerate(COMMANDS, start=1):
        fetched = f"{FETCHED}\r\n" if command.name == "UID FETCH" else ""
        script = chopped(script.hears(command.name), f"{fetched}p{number} OK done\r\n".encode(), size)
    taken: list[int] = []
    async with ScriptedServer(script).listening() as server:
        endpoint = ImapEndpoint(host=server.host, port=server.port, security=Security.PLAIN)
        replies = await converse(TcpNetwork(), endpoint, taken, deadline=10)

    assert [command.name for command in COMMANDS] == [reply.command for reply in replies]
    assert all(reply.ok for reply in replies)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, TlsPolicy(ca_file=str(path))


async def outcome_of(script: Script, security: Security, tls, *, deadline: float = PATIENCE) -> object:
    context, policy = tls
    async with ScriptedServer(script, tls=context).listening() as server:
        endpoint = ImapEndpoint(host=server.host, port=server.port, security=security, tls=policy)
        try:
            return [reply.ok for reply in await converse(TcpNetwork(), endpoint, [], deadline=deadline)]
        except (NetworkFailure, RemoteProtocolError) as error:
            return error


async def test_a_full_probe_over_tls_succeeds(tls):
    assert [True] * 7 == await outcome_of(up_to(7, Script().starts_tls()), Security.TLS, tls)


async def test_a_full_probe_over_starttls_succeeds(tls):
    script = Script().says("* OK hi").hears("STARTTLS").says("{tag} OK begin").starts_tls()
    for command in COMMANDS:
        script = script.hears(command.name).says("{tag} OK done")
    outcome = await outcome_of(script, Security.STARTTLS, tls)

    assert [True, True, True, True] == outcome[:4]


@pytest.mark.parametrize(
    ("after_ok", "expected"),
    [
        (lambda script: script.sends(b"{tag} OK begin\r\n* OK [CAPABILITY EVIL] x\r\n"), Violation.INJECTION),
        (lambda script: script.says("{tag} OK begin").stalls(), Cause.TIMEOUT),
        (lambda script: script.says("{tag} OK begin").closes(), Cause.CLOSED),
        (lambda script: script.says("* BYE no"), None),
        (lambda script: script.says("{tag} NO TLS is off"), None),
    ],
)
async def test_starttls_that_goes_wrong_is_told_apart(after_ok, expected, tls):
    script = after_ok(Script().says("* OK hi").hears("STARTTLS"))
    deadline = DEADLINE if expected is Cause.TIMEOUT else PATIENCE
    outcome = await outcome_of(script, Security.STARTTLS, tls, deadline=deadline)

    if isinstance(expected, Violation):
        assert isinstance(outcome, RemoteProtocolError)
        assert expected == outcome.violation
    elif isinstance(expected, Cause):
        assert isinstance(outcome, NetworkFailure)
        assert expected == outcome.cause
    else:
        assert [False] == outcome


async def test_hostile_words_under_tls_are_bounded_too(tls):
    outcome = await outcome_of(Script().starts_tls().floods(b"* OK " + b"y" * 2000), Security.TLS, tls)

    assert isinstance(outcome, RemoteProtocolError)


def test_all_of_it_works_on_uvloop_as_well(tls):
    async def all_of_it() -> list[object]:
        return [
            await outcome_of(up_to(7, Script().starts_tls()), Security.TLS, tls),
            await outcome_of(Script().starts_tls().floods(b"x" * 4096), Security.TLS, tls),
            await outcome_of(Script().stalls(), Security.TLS, tls),
            await outcome_of(Script().starts_tls().says("* OK hi").hears().closes(), Security.TLS, tls),
        ]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        done, flooded, silent, closed = runner.run(all_of_it())

    assert [True] * 7 == done
    assert isinstance(flooded, RemoteProtocolError)
    assert isinstance(silent, NetworkFailure)
    assert Cause.TIMEOUT == silent.cause
    assert [False] == closed


async def test_a_long_lived_session_may_take_more(tls):
    talk = Conversation(security=Security.TLS, limits=Limits(conversation_bytes=1 << 40))
    talk.receive(b"* PREAUTH hi\r\n")
    for number in range(1, 2_000):
        talk.send(Noop() if number % 2 else Idle())
        if not number % 2:
            talk.receive(b"+ idling\r\n")
            talk.done()
        talk.receive(b"* OK " + b"x" * 900 + b"\r\np%d OK done\r\n" % number)
        assert talk.reply is not None
