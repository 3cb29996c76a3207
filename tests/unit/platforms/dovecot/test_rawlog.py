"""What Dovecot's protocol log says, made one conversation; the files are those of 2.3.19 as measured."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.imap.masking import MASK
from mailward.model.protocol_log import Speaker
from mailward.platforms.dovecot.rawlog import conversation, first_moment, last_moment

CLIENT = (
    b"1795731026.092240 JLHF2 SELECT INBOX\r\n"
    b"1795731026.093261 JLHF3 APPEND INBOX {41}\r\n"
    b"1795731026.094116 Subject: x\r\n"
    b"1795731026.094116 \r\n"
    b"1795731026.094116 secret body\r\n"
    b"1795731026.094116 line2 \x00\xff\r\n"
    b"1795731026.094486 last\r\n"
    b"1795731026.097525 x1 APPEND INBOX (\\Seen) {4+}\r\n"
    b"1795731026.097525 abcd\r\n"
    b"1795731026.103272 x6 SEARCH SUBJECT {3}\r\n"
    b"1795731026.103636 foo\r\n"
    b"1795731026.104297 JLHF4 LOGOUT\r\n"
)
SERVER = (
    b"1795731026.091087 * CAPABILITY IMAP4rev1 IDLE\r\n"
    b"1795731026.091087 L OK Logged in\r\n"
    b"1795731026.093725 + OK\r\n"
    b"1795731026.101810 * 1 FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT)] {14}\r\n"
    b"1795731026.102080 Subject: x\r\n"
    b"1795731026.102088 \r\n"
    b'1795731026.102094  ENVELOPE (NIL "x" NIL NIL) BODY[TEXT]<0> {30}\r\n'
    b"1795731026.102134 secret body\r\n"
    b"1795731026.102134 line2 \x80\xff\r\n"
    b"1795731026.102134 zzzzzzz)\r\n"
    b"1795731026.102376 x3 OK Fetch completed (0.001 + 0.000 secs).\r\n"
)


def said(lines) -> list[tuple[str, str]]:
    return [(line.speaker.value[0].upper(), line.text) for line in lines]


def test_both_sides_stand_in_the_order_of_time_without_the_contents_of_messages():
    lines = conversation("be1", client=CLIENT, answers=SERVER)

    assert [
        ("S", "* CAPABILITY IMAP4rev1 IDLE"),
        ("S", "L OK Logged in"),
        ("C", "JLHF2 SELECT INBOX"),
        ("C", "JLHF3 APPEND INBOX {41}"),
        ("S", "+ OK"),
        ("C", "x1 APPEND INBOX (\\Seen) {4+}"),
        (
            "S",
            "* 1 FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT)] {14}"
            ' ENVELOPE (NIL "***" NIL NIL) BODY[TEXT]<0> {30})',
        ),
        ("S", "x3 OK Fetch completed (0.001 + 0.000 secs)."),
        ("C", "x6 SEARCH SUBJECT {3}"),
        ("C", "JLHF4 LOGOUT"),
    ] == said(lines)
    assert {"be1"} == {line.server for line in lines}
    assert datetime(2026, 11, 26, 22, 10, 26, 92240, UTC) == lines[2].at


def test_first_and_last_moment_are_those_of_both_files():
    begin = datetime(2026, 11, 26, 22, 10, 26, tzinfo=UTC)

    assert begin + timedelta(microseconds=91087) == first_moment(CLIENT, SERVER)
    assert begin + timedelta(microseconds=104297) == last_moment(CLIENT, SERVER)
    assert (None, None) == (first_moment(b"", b""), last_moment(b"nonsense"))


def test_a_literal_that_looks_like_a_command_is_not_shown():
    inner = b"a1 LOGIN anna sesame\r\n* OK hello\r\n"
    data = b"1.000000 a1 APPEND x {%d}\r\n" % len(inner)
    data += b"".join(b"1.000001 " + line for line in inner.splitlines(keepends=True)) + b"1.000002 \r\n"

    assert [("C", "a1 APPEND x {34}")] == said(conversation("s", client=data, answers=b""))


def test_a_log_that_was_cut_within_a_literal_shows_what_was_before():
    data = b"1.000000 a1 NOOP\r\n1.000001 a2 APPEND x {1000}\r\n1.000002 secr"

    assert [("C", "a1 NOOP"), ("C", "a2 APPEND x {1000}")] == said(conversation("s", client=data, answers=b""))


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (b"+ OK", "+ OK"),
        (b"+ idling", "+ idling"),
        (b"+ cj1hYmMscz0xLGk9NDA5Ng==", MASK),
        (b"a1 NO [OVERQUOTA] full", "a1 NO [OVERQUOTA] full"),
        (b"a piece of a message", MASK),
        (b"* BYE Logging out", "* BYE Logging out"),
        (b"* secret words", "* <12 characters of an unknown response>"),
    ],
)
def test_only_what_is_an_answer_is_shown(answer, shown):
    assert [("S", shown)] == said(conversation("s", client=b"", answers=b"1.000000 " + answer + b"\r\n"))


def test_a_long_line_and_a_long_conversation_lose_their_middle():
    (line,) = conversation("s", client=b"", answers=b"1.000000 a1 OK " + b"z" * 5000 + b"\r\n")
    many = b"".join(b"%d.000000 a%d NOOP\r\n" % (number, number) for number in range(1000))
    lines = conversation("s", client=many, answers=b"")

    assert len(line.text) < 1100
    assert 401 == len(lines)
    assert (Speaker.LOG, "(600 lines left out)") == (lines[200].speaker, lines[200].text)
    assert ("a0 NOOP", "a999 NOOP") == (lines[0].text, lines[-1].text)


HOSTILE = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [
                b"1.000000 ",
                b"\r\n",
                b"\n",
                b"{5}\r\n",
                b"{99999999999999999}\r\n",
                b"* 1 FETCH (BODY[] {3}\r\n",
                b'"',
                b"\r",
            ]
        ),
    ),
    max_size=40,
).map(b"".join)


@given(client=HOSTILE, answers=HOSTILE)
def test_whatever_stands_in_the_files_nothing_is_raised_and_every_line_can_be_shown(client, answers):
    lines = conversation("s", client=client, answers=answers)

    assert all(line.text.isprintable() and len(line.text) < 1100 for line in lines)
    assert len(lines) <= 401


@given(
    body=st.binary(min_size=8, max_size=200),
    direction=st.sampled_from(["client", "server"]),
)
def test_no_octet_of_a_literal_is_shown_however_it_is_cut_into_lines(body, direction):
    token = b"Th1sIsNob0dysBusiness"
    literal = token + body + token
    written = b"\n2.000000 ".join(literal.split(b"\n"))
    head = b"a1 APPEND x {%d}\r\n" if direction == "client" else b"* 1 FETCH (BODY[] {%d}\r\n"
    data = b"1.000000 " + head % len(literal) + b"2.000000 " + written
    data += b"\r\n3.000000 a2 NOOP\r\n" if direction == "client" else b")\r\n3.000000 a2 OK done\r\n"
    sides = {"client": data, "answers": b""} if direction == "client" else {"client": b"", "answers": data}

    lines = conversation("s", **sides)

    assert not any("Nob0dy" in line.text for line in lines)
    assert lines[-1].text.startswith("a2 ")
