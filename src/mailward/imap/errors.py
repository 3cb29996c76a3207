"""Whose fault it is when a conversation cannot go on: ours, or the server's."""

from enum import Enum

from mailward.model.errors import MailwardError


class LocalProtocolError(MailwardError):
    """We asked the conversation for what the protocol does not allow; nothing was sent."""


class Violation(Enum):
    """How a server broke the protocol or one of our limits."""

    NOT_IMAP = "not IMAP"
    LINE_TOO_LONG = "line too long"
    LITERAL_TOO_LARGE = "literal too large"
    BAD_LITERAL = "bad literal"
    TOO_MANY_LINES = "too many lines"
    TOO_MUCH_DATA = "too much data"
    NUL_BYTE = "NUL byte"
    WRONG_TAG = "wrong tag"
    SYNTAX = "syntax"
    UNEXPECTED_CONTINUATION = "unexpected continuation"
    INJECTION = "data before the TLS handshake"
    PREAUTH_BEFORE_TLS = "PREAUTH before the TLS handshake"
    BAD_CHALLENGE = "bad SASL challenge"
    SERVER_NOT_PROVEN = "server did not prove that it knows the password"


class RemoteProtocolError(MailwardError):
    """The server broke the protocol or a limit. Only closing the connection is left."""

    def __init__(self, violation: Violation, because: str) -> None:
        super().__init__(because)
        self.violation = violation
