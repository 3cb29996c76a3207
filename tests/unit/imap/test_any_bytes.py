"""Whatever a server sends, and however it is split: the same events, or one RemoteProtocolError, in bounded time."""

import contextlib
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailward.imap import (
    Authenticate,
    Capability,
    Conversation,
    Credentials,
    Event,
    Idle,
    Limits,
    Login,
    Noop,
    RemoteProtocolError,
    Select,
    UidFetch,
    UidSearchHeader,
)
from mailward.imap.sasl import Plain
from mailward.imap.scram import ScramSha256
from mailward.model.organization import Security

DIALOGUE = (
    (None, b"* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN] ready\r\n"),
    (Capability(), b"* CAPABILITY IMAP4rev1 SASL-IR\r\np1 OK done\r\n"),
    (Login("u1", "sesame-open"), b"* NO careful\r\np2 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"),
    (
        Select("INBOX"),
        b"* FLAGS (\\Seen)\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* XTRA \xc3\xa4\r\np3 OK [READ-WRITE] x\r\n",
    ),
    (UidSearchHeader("Subject", "x"), b"* SEARCH 4 7\r\np4 OK\r\n"),
    (
        UidFetch(4),
        b"* 1 FETCH (UID 4 BODY[] {12}\r\n\r\n* BYE\r\n{5} RFC822.SIZE 12)\r\n"
        b'* 2 FETCH (FLAGS (\\Seen) BODY[HEADER] "q\\"q" BODY[] {0}\r\n)\r\np5 OK done\r\n',
    ),
    (Noop(), b"* BYE enough\r\n"),
)


def events_of(pieces_of: "st.DataObject | None") -> list[Event]:
    talk = Conversation(security=Security.TLS)
    events: list[Event] = []
    for command, said in DIALOGUE:
        if command is not None:
            talk.send(command)
            talk.data_to_send()
        cuts = sorted(pieces_of.draw(st.sets(st.integers(1, len(said) - 1)))) if pieces_of else []
        for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True):
            events += talk.receive(said[start:end])
    return events


@given(data=st.data())
def test_any_split_of_a_stream_gives_the_same_events(data):
    assert events_of(None) == events_of(data)


def test_byte_by_byte_gives_the_same_events():
    talk = Conversation(security=Security.TLS)
    events: list[Event] = []
    for command, said in DIALOGUE:
        if command is not None:
            talk.send(command)
        for byte in said:
            events += talk.receive(bytes((byte,)))

    assert events_of(None) == events
    assert 7 == len(events)


SYNTAX = (
    b"* ",
    b"+ ",
    b"p1 ",
    b"p2 ",
    b"1 ",
    b"\r\n",
    b"\n",
    b"(",
    b")",
    b"[",
    b"]",
    b'"',
    b"\\",
    b"\0",
    b"\xff",
    b"\xc3\xa4",
)
LITERALS = (b"{3}\r\n", b"~{2}\r\n", b"{-5}\r\n", b"{", b"}", b"dXNlcg==", b"secs).", b"\xc3\xa4", b"1:5 ", b"NIL ")
NAMES = (
    b"OK NO BAD BYE PREAUTH FETCH EXISTS UID BODY[ SEARCH ESEARCH ALL LIST STATUS ID CAPABILITY FLAGS VANISHED "
    b"[APPENDUID [CAPABILITY [PERMANENTFLAGS"
).split()
WORDS = st.sampled_from([*SYNTAX, *LITERALS, *(name + b" " for name in NAMES)])
NOISE = st.lists(st.one_of(WORDS, st.binary(max_size=8)), max_size=40).map(b"".join)
COMMANDS = st.sampled_from(
    [
        Capability(),
        Login("u1", "sesame-open"),
        Authenticate(Plain(Credentials(user="u1", password="sesame-open"))),
        Authenticate(ScramSha256(Credentials(user="u1", password="sesame-open"), "n" * 20)),
        Select("INBOX"),
        UidFetch(1),
        Idle(),
    ]
)


@settings(max_examples=400)
@given(noise=st.lists(NOISE, max_size=6), command=COMMANDS, greet=st.booleans())
def test_arbitrary_bytes_raise_nothing_but_remote_protocol_errors(noise, command, greet):
    talk = Conversation(security=Security.TLS, limits=Limits(conversation_bytes=100_000))
    if greet:
        if isinstance(command, Login | Authenticate | Capability):
            talk.receive(b"* OK [CAPABILITY SASL-IR] hi\r\n")
            talk.send(command)
        else:
            talk.receive(b"* PREAUTH hi\r\n")
            talk.send(Select("INBOX"))
            if isinstance(command, UidFetch):
                talk.receive(b"p1 OK\r\n")
                talk.send(command)
    try:
        for data in noise:
            talk.receive(data)
            talk.data_to_send()
        talk.receive(b"")
    except RemoteProtocolError:
        pass

    assert talk.has_ended
    if talk.reply is not None:
        assert isinstance((talk.reply.mailbox, talk.reply.appended, talk.reply.found, talk.reply.summary), tuple)
    assert "sesame-open" not in "".join(talk.transcript.lines)


def flooded(flood: bytes) -> int:
    """Let a conversation drown in *flood*; return how much it took."""
    talk = Conversation(security=Security.TLS)
    talk.receive(b"* PREAUTH hi\r\n")
    talk.send(Noop())
    taken = 0
    while not talk.has_ended and taken < 2_000_000:
        with contextlib.suppress(RemoteProtocolError):
            talk.receive(flood)
        taken += len(flood)
    return taken


@pytest.mark.parametrize(
    "flood",
    [
        b"x" * 4096,
        b"* 1 EXISTS\r\n" * 300,
        b"* OK " + b"[" * 4000 + b"\r\n",
        b"* 1 FETCH (" + b"(" * 4000 + b"\r\n",
        b"* 1 FETCH (" + b"[" * 4000 + b")\r\n",
        b"* 1 FETCH (" + b'"\\' * 2000 + b")\r\n",
        b"* 1 FETCH (BODY[] {65536}\r\n" + b"z" * 65536 + b")\r\n",
        b"* SEARCH " + b"1 " * 4000 + b"\r\n",
        b"* ESEARCH ALL " + b"1:50000," * 900 + b"1\r\n",
        b"* LIST () " + b'"a" ' * 1500 + b"\r\n",
        b"* ID (" + b'"a" "b" ' * 900 + b")\r\n",
        b"* 1 FETCH (UID 1 X {1}\r\n" + b"a {1}\r\n" * 900,
    ],
    ids=range(12),
)
def test_a_flood_ends_within_a_megabyte_and_soon(flood):
    began = time.process_time()
    taken = flooded(flood)

    assert taken < 1_000_000
    assert time.process_time() - began < 3


@pytest.mark.parametrize("flood", [b"x" * 4096, b"* 1 FETCH (BODY[] {65536}\r\n" + b"z" * 65536 + b")\r\n"])
def test_a_flood_takes_little_memory(flood):
    tracemalloc.start()
    flooded(flood)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 3_000_000
