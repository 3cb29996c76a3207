from datetime import timedelta

import pytest

from mailward.imap import (
    Capabilities,
    Code,
    Exists,
    Expunged,
    Fetch,
    Flags,
    Found,
    Identity,
    Listed,
    MailboxStatus,
    Other,
    Recent,
    RemoteProtocolError,
    Status,
    StatusText,
    Transcript,
    Vanished,
    Violation,
)
from mailward.imap.framing import Framer
from mailward.imap.limits import Limits
from mailward.imap.parsing import numbers_in, server_time, untagged


def read(data: bytes):
    framer = Framer(Limits())
    framer.feed(data + b"\r\n")
    frame = framer.next()
    assert frame is not None
    return untagged(frame, Transcript())


@pytest.mark.parametrize(
    ("data", "response"),
    [
        (b"* CAPABILITY IMAP4rev1 Auth=plain", Capabilities(frozenset({"IMAP4REV1", "AUTH=PLAIN"}))),
        (b"* ENABLED CONDSTORE", Capabilities(frozenset({"CONDSTORE"}))),
        (b"* 23 EXISTS", Exists(23)),
        (b"* 5 recent", Recent(5)),
        (b"* 44 EXPUNGE", Expunged(44)),
        (b"* VANISHED (EARLIER) 41,43:116", Vanished("41,43:116", True)),
        (b"* VANISHED 405", Vanished("405", False)),
        (b"* FLAGS (\\Seen $x)", Flags(frozenset({"\\Seen", "$x"}))),
        (b"* SEARCH 2 84 882", Found((2, 84, 882))),
        (b"* SEARCH", Found(())),
        (b'* ESEARCH (TAG "p2") UID COUNT 5 ALL 4:6,21', Found((4, 5, 6, 21))),
        (b'* ESEARCH (TAG "p2") UID COUNT 0', Found(())),
        (b"* STATUS inbox (MESSAGES 231 UIDNEXT 44292)", MailboxStatus("inbox", {"MESSAGES": 231, "UIDNEXT": 44292})),
        (b'* ID ("name" "Cyrus" "x" NIL)', Identity({"name": "Cyrus"})),
        (b"* ID NIL", Identity({})),
        (b'* LIST (\\Noselect) "/" ~/Mail', Listed(frozenset({"\\Noselect"}), "/", "~/Mail")),
        (b'* LIST () NIL "a \\"b\\""', Listed(frozenset(), None, 'a "b"')),
        (b"* OK still here", StatusText(Status.OK, None, "still here")),
        (b"* ok [uidnext 4392] p", StatusText(Status.OK, Code("UIDNEXT", "4392", 4392), "p")),
        (b"* NO [ALERT] System busy", StatusText(Status.NO, Code("ALERT"), "System busy")),
        (b"* BYE", StatusText(Status.BYE, None, "")),
        (b"* OK [unfinished", StatusText(Status.OK, None, "[unfinished")),
        (b"* XWHATEVER a b", Other("XWHATEVER", "a b")),
        (b"* 5 XWHATEVER a b", Other("5", "XWHATEVER a b")),
        (b"* ", Other("", "")),
    ],
)
def test_responses_become_values(data, response):
    assert response == read(data)


def test_modseq_in_a_search_result_is_not_taken_for_a_message():
    assert Found((2, 5)) == read(b"* SEARCH 2 5 (MODSEQ 917162500)")


def test_permanent_flags_may_hold_brackets():
    told = read(b"* OK [PERMANENTFLAGS (\\Seen a]b \\*)] Limited")

    assert Code("PERMANENTFLAGS", "(\\Seen a]b \\*)") == told.code


def test_fetch_reads_what_probes_ask_for_and_passes_over_the_rest():
    told = read(
        b'* 12 FETCH (FLAGS (\\Seen) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 4286 UID 9 '
        b'ENVELOPE ("date" "subject" (("Terry Gray" NIL "gray" "host")) NIL) '
        b'BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92) MODSEQ (624140003) '
        b'BODY[HEADER.FIELDS (SUBJECT)] {4}\r\nab\r\n BODY[TEXT] NIL BODY[1] "short")'
    )

    assert (
        Fetch(
            12,
            9,
            frozenset({"\\Seen"}),
            4286,
            "17-Jul-1996 02:44:25 -0700",
            {"BODY[HEADER.FIELDS (SUBJECT)]": b"ab\r\n", "BODY[TEXT]": None, "BODY[1]": b"short"},
        )
        == told
    )


@pytest.mark.parametrize(
    "data",
    [
        b"* 1 FETCH",
        b"* 1 FETCH UID 5",
        b"* 1 FETCH (UID)",
        b"* 1 FETCH (UID x)",
        b"* 1 FETCH (UID 99999999999999999999999)",
        b"* 1 FETCH (FLAGS \\Seen)",
        b"* 1 FETCH (UID 5",
        b"* 1 FETCH (UID 5))",
        b'* 1 FETCH (BODY[] "open)',
        b"* 1 FETCH (BODY[ 5)",
        b"* 1 FETCH (A {x)",
        b"* 1 FETCH " + b"(" * 60 + b")" * 60,
        b"* 99999999999999999999999 EXISTS",
        b"* SEARCH 1 two",
        b"* ESEARCH ALL 1:9999999999",
        b"* STATUS inbox",
        b"* LIST ()",
        b"* FLAGS nothing",
    ],
)
def test_what_we_use_must_be_well_formed(data):
    with pytest.raises(RemoteProtocolError) as caught:
        read(data)

    assert caught.value.violation in (Violation.SYNTAX, Violation.TOO_MUCH_DATA)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Select completed (0.001 + 0.000 + 0.003 secs).", 0.001),
        ("Fetch completed (12.5 + 0.000 secs).", 12.5),
        ("done", None),
        ("in 5 secs).", None),
        ("(x + 0.000 secs).", None),
        ("(-1.0 + 0.000 secs).", None),
        ("(99999999999.0 secs).", None),
    ],
)
def test_dovecot_tells_how_long_a_command_took(text, seconds):
    assert (None if seconds is None else timedelta(seconds=seconds)) == server_time(text)


def test_a_set_of_numbers_may_run_backwards():
    assert (3, 4, 5, 9) == numbers_in("5:3,9")
