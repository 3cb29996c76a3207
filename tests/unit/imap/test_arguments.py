import pytest

from mailward.imap import (
    Append,
    Conversation,
    Examine,
    Id,
    LocalProtocolError,
    Login,
    MailboxStatusCommand,
    Select,
    UidExpunge,
    UidFetch,
    UidSearchDeleted,
    UidSearchHeader,
    UidStoreDeleted,
)
from mailward.model.organization import Security


def written(command, greeting: bytes = b"* PREAUTH [CAPABILITY LITERAL+] x\r\n") -> bytes:
    talk = Conversation(security=Security.TLS)
    talk.receive(greeting)
    if "UID" in command.name:
        talk.send(Select("x"))
        talk.data_to_send()
        talk.receive(b"p1 OK\r\n")
    talk.send(command)
    return talk.data_to_send().partition(b" ")[2]


@pytest.mark.parametrize(
    ("command", "wire"),
    [
        (Select("INBOX"), b"SELECT INBOX\r\n"),
        (Examine("a b"), b'EXAMINE "a b"\r\n'),
        (Select('a"b\\c'), b'SELECT "a\\"b\\\\c"\r\n'),
        (Select(""), b'SELECT ""\r\n'),
        (Select("nil"), b'SELECT "nil"\r\n'),
        (Select("Entwürfe"), "SELECT {9+}\r\nEntwürfe\r\n".encode()),
        (Select("x" * 2000), b"SELECT {2000+}\r\n" + b"x" * 2000 + b"\r\n"),
        (UidFetch([1, 5]), b"UID FETCH 1,5 (UID RFC822.SIZE BODY.PEEK[])\r\n"),
        (UidFetch("1:*", ("BODY.PEEK[HEADER.FIELDS (X-A)]",)), b"UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (X-A)])\r\n"),
        (UidSearchHeader("Message-ID", "<a b>"), b'UID SEARCH HEADER Message-ID "<a b>"\r\n'),
        (UidSearchDeleted(), b"UID SEARCH DELETED\r\n"),
        (UidStoreDeleted(5), b"UID STORE 5 +FLAGS.SILENT (\\Deleted)\r\n"),
        (UidExpunge((5,)), b"UID EXPUNGE 5\r\n"),
        (MailboxStatusCommand("INBOX", ("MESSAGES",)), b"STATUS INBOX (MESSAGES)\r\n"),
        (
            Append("INBOX", b"x", internal_date="24-Nov-2026 12:00:00 +0000"),
            b'APPEND INBOX "24-Nov-2026 12:00:00 +0000" {1+}\r\nx\r\n',
        ),
        (Id(), b"ID NIL\r\n"),
    ],
)
def test_arguments_take_the_simplest_form_that_carries_them(command, wire):
    assert wire == written(command)


@pytest.mark.parametrize(
    "command",
    [
        Login("u1\r\np2 DELETE INBOX", "pw"),
        Login("u1\n", "pw"),
        Login("u1", "p\0w"),
        Login("u1", "p\rw"),
        Login("\ud800", "pw"),
    ],
)
def test_what_could_become_a_second_command_is_refused_at_login(command):
    with pytest.raises(LocalProtocolError):
        written(command, b"* OK ready\r\n")


@pytest.mark.parametrize(
    "command",
    [
        Select("a\r\nb"),
        UidFetch(""),
        UidFetch([]),
        UidFetch("1 2"),
        UidFetch(1, ("BODY[]\r\n",)),
        UidFetch(1, ("",)),
        UidExpunge("1)\r\np9 EXPUNGE"),
        UidStoreDeleted("x"),
        UidSearchHeader("Subject", "a\nb"),
        UidSearchHeader("Subject", "ä"),
        Append("INBOX", b"nul\0"),
        Append("INBOX", b"x", flags=("\\Seen)",)),
        Append("INBOX", b"x", flags=("",)),
        Append("INBOX", b"x", internal_date='"\r\n'),
        Id({"name": "a\r\nb"}),
        MailboxStatusCommand("INBOX", ("MESSAGES)",)),
    ],
)
def test_what_could_become_a_second_command_is_refused(command):
    with pytest.raises(LocalProtocolError):
        written(command)


def test_a_password_of_any_characters_is_carried():
    assert b'LOGIN u1 "a\\"b\\\\c d"\r\n' == written(Login("u1", 'a"b\\c d'), b"* OK ready\r\n")
    talk = Conversation(security=Security.TLS)
    talk.receive(b"* OK ready\r\n")
    talk.send(Login("u1", "pässword"))
    first = talk.data_to_send()
    talk.receive(b"+ go\r\n")

    assert (b"p1 LOGIN u1 {9}\r\n", "pässword\r\n".encode()) == (first, talk.data_to_send())
    assert ("C: p1 LOGIN u1 ***",) == tuple(line for line in talk.transcript.lines if line.startswith("C:"))
