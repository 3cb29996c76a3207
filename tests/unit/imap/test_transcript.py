import pytest

from mailward.imap import Append, Conversation, Login, RemoteProtocolError, Select, Transcript, UidFetch
from mailward.imap.framing import Frame
from mailward.imap.shown import shown_response
from mailward.model.organization import Security


def test_it_shows_both_directions_with_users_and_without_passwords():
    talk = Conversation(security=Security.TLS)
    talk.receive(b"* OK ready\r\n")
    talk.send(Login("u1", "sesame-open"))
    talk.receive(b"p1 NO sesame-open is wrong, and so is c2VzYW1lLW9wZW4= too\r\n")

    assert (
        "S: * OK ready",
        "C: p1 LOGIN u1 ***",
        "S: p1 NO *** is wrong, and so is *** too",
    ) == talk.transcript.lines
    assert "NO *** is wrong, and so is *** too" == talk.reply.summary


def test_it_shows_of_messages_only_their_length():
    talk = Conversation(security=Security.TLS)
    talk.receive(b"* PREAUTH [CAPABILITY LITERAL+] x\r\n")
    talk.send(Append("INBOX", b"Dear Bob"))
    talk.receive(b"p1 OK\r\n")
    talk.send(Select("INBOX"))
    talk.receive(b"p2 OK\r\n")
    talk.send(UidFetch(1))
    talk.receive(
        b'* 1 FETCH (UID 1 INTERNALDATE "24-Nov-2026 12:00:00 +0000" BODY[] {8}\r\nDear Bob BODY[TEXT] "Dear Bob")\r\n'
        b"* Dear Bob\r\np3 OK\r\n"
    )
    shown = "\n".join(talk.transcript.lines)

    assert "Dear" not in shown
    assert 'INTERNALDATE "24-Nov-2026 12:00:00 +0000" BODY[] {8} BODY[TEXT] "***")' in shown
    assert "S: * <8 characters of an unknown response>" in shown


@pytest.mark.parametrize(
    "line", [b"Dear Bob, how are you", b"+1 said Dear Bob", b"Dear OK Bob", b"Dear", b"* Dear Bob"]
)
def test_a_body_spilt_into_lines_is_not_shown(line):
    talk = Conversation(security=Security.TLS)
    talk.receive(b"* PREAUTH x\r\n")
    with pytest.raises(RemoteProtocolError) as caught:
        talk.receive(line + b"\r\nDear Bob\r\n")

    assert "Dear" not in "\n".join((*talk.transcript.lines, str(caught.value)))


def test_it_is_bounded_and_keeps_beginning_and_end():
    transcript = Transcript(max_bytes=1_000)
    for number in range(1_000):
        transcript.received(f"* {number} EXISTS")

    assert sum(map(len, transcript.lines)) < 1_100
    assert "S: * 0 EXISTS" == transcript.lines[0]
    assert "S: * 999 EXISTS" == transcript.lines[-1]
    assert any("lines left out" in line for line in transcript.lines)


def test_one_endless_line_is_cut():
    transcript = Transcript()
    transcript.received("x" * 5_000)

    assert transcript.lines[0].endswith("… (4000 more)")


def test_a_servers_words_cannot_steer_a_terminal():
    transcript = Transcript()
    transcript.received("* OK \x1b[2J\x07\u202egone")

    assert ("S: * OK \\x1b[2J\\x07\\u202egone",) == transcript.lines


def test_quoted_strings_of_a_fetch_are_masked_also_without_an_end():
    assert '* 1 FETCH (BODY[] "***"' == shown_response(Frame(b'* 1 FETCH (BODY[] "Dear Bob', {}), logged_in=True)
