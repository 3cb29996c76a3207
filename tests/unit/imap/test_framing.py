import pytest

from mailward.imap import Limits, RemoteProtocolError, Violation
from mailward.imap.framing import Frame, Framer

SMALL = Limits(line=100, literal=50, command_bytes=400, command_lines=5, conversation_bytes=600)


def frames(data: bytes, limits: Limits = SMALL) -> list[Frame]:
    framer = Framer(limits)
    framer.feed(data)
    found = []
    while (frame := framer.next()) is not None:
        found.append(frame)
    return found


def test_literals_are_kept_beside_the_text_they_stand_in():
    assert [Frame(b"* 1 FETCH (A {3} B {0} C)", {13: b"x\r\n", 19: b""})] == frames(
        b"* 1 FETCH (A {3}\r\nx\r\n B {0}\r\n C)\r\n"
    )


def test_texts_for_people_may_end_in_a_brace():
    assert [b"* OK see {5}", b"p1 NO see {5}", b"+ {5}"] == [
        frame.text for frame in frames(b"* OK see {5}\r\np1 NO see {5}\r\n+ {5}\r\n")
    ]


@pytest.mark.parametrize(
    ("data", "violation"),
    [
        (b"* 1 FETCH (BODY[] {-5}\r\n", Violation.BAD_LITERAL),
        (b"* 1 FETCH (BODY[] {+5}\r\n", Violation.BAD_LITERAL),
        (b"* 1 FETCH (BODY[] {5+}\r\n", Violation.BAD_LITERAL),
        (b"* 1 FETCH (B {" + b"9" * 60 + b"}\r\n", Violation.BAD_LITERAL),
        (b"* 1 FETCH (BODY[] {4000000000}\r\n", Violation.LITERAL_TOO_LARGE),
        (b"* 1 FETCH (BODY[] {51}\r\n", Violation.LITERAL_TOO_LARGE),
        (b"* OK nul\0byte\r\n", Violation.NUL_BYTE),
        (b"* " + b"x" * 100, Violation.LINE_TOO_LONG),
        (b"* " + b"x" * 100 + b"\r\n", Violation.LINE_TOO_LONG),
        (b"* 1 EXISTS\r\n" * 6, Violation.TOO_MANY_LINES),
        (b"x" * 401, Violation.TOO_MUCH_DATA),
    ],
)
def test_what_breaks_a_limit_is_refused_as_soon_as_it_is_announced(data, violation):
    with pytest.raises(RemoteProtocolError) as caught:
        frames(data)

    assert violation == caught.value.violation


def test_a_conversation_has_a_limit_of_its_own():
    framer = Framer(SMALL)
    for _ in range(7):
        framer.begin_command()
        framer.feed(b"* OK " + b"x" * 73 + b"\r\n")
        framer.next()
    framer.begin_command()

    with pytest.raises(RemoteProtocolError) as caught:
        framer.feed(b"x" * 60)
    assert Violation.TOO_MUCH_DATA == caught.value.violation


def test_limits_as_documented_hold_a_conversation_below_a_megabyte():
    assert Limits().conversation_bytes + 65_536 < 1_000_000
    assert (8_192, 262_144, 1_048_576, 2_000) == (
        Limits().line,
        Limits().literal,
        Limits().command_bytes,
        Limits().command_lines,
    )
