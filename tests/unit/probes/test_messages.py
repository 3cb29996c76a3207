from datetime import UTC, datetime
from email import message_from_bytes

from hypothesis import given
from hypothesis import strategies as st

from mailward.probes.messages import (
    CANARY_HEADER,
    TOKEN_HEADER,
    Token,
    canary_mark,
    canary_message,
    own_mark,
    token_message,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAMES = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20)


def headers_of(message: bytes) -> bytes:
    """What a server answers to a fetch of our headers."""
    lines = message.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return b"\r\n".join(line for line in lines if line.startswith(b"X-Mailward")) + b"\r\n\r\n"


def test_the_canary_has_the_same_bytes_whenever_it_is_written():
    assert canary_message("mailward", "health") == canary_message("mailward", "health")
    assert 200 <= len(canary_message("mailward", "health"))


def test_canaries_of_different_mailboxes_differ():
    assert canary_message("mailward", "health-db1") != canary_message("mailward", "health-db2")


def test_messages_say_that_a_machine_wrote_them():
    token = Token(identity="mailward", random="r4nd0m", sent=NOON)

    for message in (canary_message("mailward", "health"), token_message(token, "health")):
        assert "auto-generated" == message_from_bytes(message)["Auto-Submitted"]


@given(identity=NAMES, user=NAMES)
def test_whatever_the_names_our_messages_are_ascii_with_every_header_on_one_line_and_known_again(identity, user):
    token = Token(identity=identity, random="r4nd0m", sent=NOON)

    canary = own_mark(headers_of(canary_message(identity, user)), identity)
    written = own_mark(headers_of(token_message(token, user)), identity)

    assert canary_mark(identity, user) == canary.canary
    assert (None, token.text, NOON) == (written.canary, written.token, written.sent)
    assert {10} == {len(message_from_bytes(canary_message(identity, user)).keys())}


def test_a_message_without_our_headers_is_not_ours():
    assert own_mark(b"Subject: hello\r\n\r\n", "mailward") is None
    assert own_mark(b"\r\n", "mailward") is None


def test_a_message_of_another_organization_is_not_ours():
    token = Token(identity="notmailward", random="r4nd0m", sent=NOON)

    assert own_mark(headers_of(token_message(token, "health")), "mailward") is None


def test_an_identity_that_ends_like_ours_is_not_ours():
    assert own_mark(f"{TOKEN_HEADER}: evil-mailward/x\r\n\r\n".encode(), "mailward") is None


def test_a_message_that_claims_to_be_both_or_twice_the_same_is_not_ours():
    both = f"{TOKEN_HEADER}: mailward/x\r\n{CANARY_HEADER}: mailward/y\r\n\r\n".encode()
    twice = f"{TOKEN_HEADER}: mailward/x\r\n{TOKEN_HEADER}: mailward/x\r\n\r\n".encode()

    assert [None, None] == [own_mark(both, "mailward"), own_mark(twice, "mailward")]


def test_a_token_without_a_readable_moment_has_none_and_so_is_never_old():
    mark = own_mark(f"{TOKEN_HEADER}: mailward/x\r\nX-Mailward-Sent: yesterday\r\n\r\n".encode(), "mailward")

    assert mark.sent is None
