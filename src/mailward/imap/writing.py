"""
Writing a command: what goes over the wire, and beside it what is shown of it.

The two are made together, from the command's parts, so that a secret is never in the shown form to begin with.
"""

from mailward.imap.arguments import Hidden, Literal
from mailward.imap.commands import Command

_LITERAL_MINUS = 4_096

#: Bytes to send at once, and how they are shown.
Chunk = tuple[bytes, str]


def written(command: Command, tag: str, capabilities: frozenset[str]) -> list[Chunk]:
    """
    Write *command* in chunks; the server has to ask for each but the first.

    Args:
        command: What to write.
        tag: What the server's answer will carry.
        capabilities: What the server offers; with LITERAL+ or LITERAL- (RFC 7888) literals go along at once.

    Raises:
        LocalProtocolError: An argument cannot be sent.
    """
    chunks: list[Chunk] = []
    wire, shown = tag.encode() + b" ", tag + " "
    for part in command.parts():
        if isinstance(part, bytes):
            wire, shown = wire + part, shown + part.decode()
        elif isinstance(part, Hidden):
            wire, shown = wire + part.data, shown + "***"
        else:
            size = len(part.data)
            shown += "***" if part.is_secret else f"{{{size}}} ***"
            if _goes_along(part, capabilities):
                wire += b"{%d+}\r\n" % size + part.data
            else:
                chunks.append((wire + b"{%d}\r\n" % size, shown))
                wire, shown = part.data, ""
    chunks.append((wire + b"\r\n", shown))
    return chunks


def _goes_along(literal: Literal, capabilities: frozenset[str]) -> bool:
    """Whether the server takes this literal without being asked."""
    if "LITERAL+" in capabilities:
        return True
    is_small = len(literal.data) <= _LITERAL_MINUS
    return is_small and not capabilities.isdisjoint(("LITERAL-", "IMAP4REV2"))
