"""
Streams to servers: names, TCP, PROXY protocol, TLS, each wait with a deadline.

Invariant: this room knows no probe and no verdict. Every foreign error becomes a `NetworkFailure` with a cause here, at
the edge, and names every address that was tried.
"""

from mailward.network.tcp_network import TcpNetwork

__all__ = ["TcpNetwork"]
