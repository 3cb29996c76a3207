"""Where a Dovecot serves IMAP."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailward.platforms.dovecot.doveconf import Block

_DEFAULT_PORTS = {"imap": 143, "imaps": 993}


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """One address and port."""

    address: str
    """As configured: a name, a number, or "*" and "::" for everywhere."""
    port: int
    is_tls: bool
    """TLS from the first byte; without, STARTTLS where `has_starttls`."""
    has_starttls: bool = True
    is_behind_haproxy: bool = False
    """Whether it expects the PROXY protocol."""

    @property
    def is_everywhere(self) -> bool:
        """Whether it is bound to every address of the machine."""
        return self.address in ("*", "::", "0.0.0.0", "[::]")  # noqa: S104 - recognised, not bound

    @property
    def host(self) -> str:
        """Where a probe on this very machine reaches it."""
        if not self.is_everywhere:
            return self.address.strip("[]")
        return "::1" if ":" in self.address else "127.0.0.1"


def listeners(root: Block) -> tuple[Listener, ...]:
    """Every address and port of the IMAP login service, TLS first."""
    found = dict.fromkeys(_listeners(root))
    return tuple(sorted(found, key=lambda listener: (not listener.is_tls, listener.is_behind_haproxy)))


def _listeners(root: Block) -> Iterator[Listener]:
    everywhere = [word.rstrip(",") for word in root.words("listen")] or ["*"]
    for block in root.block("service", "imap-login").of_kind("inet_listener"):
        written = block.get("port")
        port = int(written) if written.isdigit() else _DEFAULT_PORTS.get(block.name, 0)
        own = [*block.get("address").replace(",", " ").split(), *block.get("listen").replace(",", " ").split()]
        for address in own or everywhere if port else ():
            yield Listener(
                address=address,
                port=port,
                is_tls=block.get("ssl") == "yes" or (not block.get("ssl") and block.name == "imaps"),
                has_starttls=root.get("ssl") != "no",
                is_behind_haproxy=block.get("haproxy") == "yes",
            )
