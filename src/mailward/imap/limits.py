"""How much of a server's talk a conversation takes before it hangs up."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """
    Hard limits, so that no server can make a probe use more memory or time than these allow.

    Measured against hostile servers: other clients grow to 400 MB or never return (dependencies §1).
    """

    line: int = 8_192
    """Bytes of one line, as RFC 7162 §4 recommends for commands."""
    literal: int = 262_144
    """Bytes of one literal; the messages probes fetch are a few hundred bytes."""
    command_bytes: int = 1_048_576
    """Bytes received for one command, literals included."""
    command_lines: int = 2_000
    """Lines received for one command."""
    conversation_bytes: int = 900_000
    """Bytes of the whole conversation: with what a stream may hold unread (64 KiB) still below 1 MB. A session that
    is meant to live for days takes a larger one."""
