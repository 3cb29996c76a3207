"""Finding loopback addresses and ports that nobody uses, so that several labs can run at once."""

import random
import socket
from collections.abc import Iterable, Iterator

from mailward.lab.blueprint import Ports
from mailward.model.errors import PermanentFailure

_HOST_NUMBERS = (10, 11, 12, 21, 22)
_ATTEMPTS = 50


def free_network() -> tuple[str, Ports]:
    """
    Return the first three numbers of addresses, and ports, that are free on this machine now.

    Raises:
        PermanentFailure: Nothing was free after many attempts.
    """
    for _ in range(_ATTEMPTS):
        network = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}"  # noqa: S311 - not a secret
        ports = Ports(base=random.randrange(10_000, 31_000, 1000))  # noqa: S311
        if all(_is_free(address, port) for address, port in _wanted(network, ports)):
            return network, ports
    raise PermanentFailure("no free ports were found on 127.0.0.0/8: does this machine let programs listen there?")


def _wanted(network: str, ports: Ports) -> Iterator[tuple[str, int]]:
    numbers: Iterable[int] = (
        *(ports.imap, ports.imaps, ports.behind_balancer),
        *(ports.lmtp, ports.doveadm, ports.metrics, ports.taken),
    )
    for host in _HOST_NUMBERS:
        for port in numbers:
            yield f"{network}.{host}", port


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
