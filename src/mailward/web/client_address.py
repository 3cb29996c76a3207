"""
Whose request it is, where reverse proxies stand in between.

Anybody can write an `X-Forwarded-For`; only what a configured proxy appended to it is believed.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """
    Return the address of whoever asked first, as far as that is known for sure.

    Each proxy appends whom it heard from. So the list is read from its end for as long as each speaker is trusted.

    Args:
        peer: Who is at the other end of the connection.
        forwarded: Every `X-Forwarded-For` of the request, in order.
        trusted: The proxies' networks.
    """
    heard = [part.strip() for line in forwarded for part in line.split(",")]
    speaker = peer
    while heard and _is_in(speaker, trusted):
        said = _address(heard.pop())
        if said is None:  # a proxy that does not know whom it heard from
            break
        speaker = str(said)
    return speaker


def address_of(request: Request, trusted: Sequence[Network]) -> str:
    """Return the address behind a request; "unknown" where the server does not say who is connected."""
    peer = request.client.host if request.client is not None else "unknown"
    return client_address(peer, request.headers.getlist("x-forwarded-for"), trusted)


def came_by_proxy(request: Request) -> bool:
    """Whether some reverse proxy says that it asks for somebody else."""
    return any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip", "via"))


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    known = _address(address)
    return known is not None and any(known in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: bare, with a port, or in brackets."""
    bare = text
    if text.startswith("["):
        bare = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        bare = text.partition(":")[0]
    try:
        known = ip_address(bare)
    except ValueError:
        return None
    return (known.ipv4_mapped or known) if isinstance(known, IPv6Address) else known
