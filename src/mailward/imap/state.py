"""The states of RFC 9051 §3, and the two between and after them."""

from enum import Enum


class State(Enum):
    """Where a conversation is."""

    GREETING = "waiting for the greeting"
    NOT_AUTHENTICATED = "not authenticated"
    TLS_HANDSHAKE = "waiting for the TLS handshake"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    ENDED = "ended"
