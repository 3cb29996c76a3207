"""The PROXY protocol header, version 2 (HAProxy), for back ends that accept only their load balancer."""

import socket
from ipaddress import ip_address

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_PROXY = 0x21
_TCP4, _TCP6 = 0x11, 0x21


def header(source: tuple[str, int], destination: tuple[str, int]) -> bytes:
    """
    Return the header that presents *source* as the client and *destination* as where it connected.

    Args:
        source: Numeric address and port; of the same family as *destination*.
        destination: Numeric address and port.
    """
    addresses = ip_address(source[0]).packed + ip_address(destination[0]).packed
    family = _TCP6 if ":" in destination[0] else _TCP4
    body = addresses + source[1].to_bytes(2, "big") + destination[1].to_bytes(2, "big")
    return _SIGNATURE + bytes((_PROXY, family)) + len(body).to_bytes(2, "big") + body


def header_for(connected: socket.socket) -> bytes:
    """Return the header that tells the truth about *connected*: we are the client."""
    source, destination = connected.getsockname(), connected.getpeername()
    return header((source[0].split("%")[0], source[1]), (destination[0].split("%")[0], destination[1]))
