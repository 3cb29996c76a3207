"""
Where a person reads what a monitor means: its place in the reference, on the web where the organization says where
that is, else by a command and the page's path. No address is ever guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

PAGE = "reference/monitors.md"
"""The generated page, below docs/; each monitor has its heading there."""
MONITOR = "{monitor}"
"""Stands for the monitor's name in an organization's own address."""
_MOST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Where one monitor is explained."""

    monitor: str
    address: str = ""
    """On the web; "" where the organization has not said where its documentation is."""

    @property
    def command(self) -> tuple[str, ...]:
        """What explains it here and now."""
        return ("mailward", "items", "help", self.monitor)

    @property
    def page(self) -> str:
        """Its place in the documentation that came with mailward."""
        return f"docs/{PAGE}#{anchor_of(self.monitor)}"

    def __str__(self) -> str:
        return self.address or f"{' '.join(self.command)} ({self.page})"


def references(monitors: Iterable[str], documentation: str) -> tuple[Reference, ...]:
    """
    Where the first few of *monitors* are explained, each once.

    Args:
        monitors: Names of items.
        documentation: Where the organization keeps the documentation: the address of docs/, or any address with
            `{monitor}` in it; "" where it does not say.
    """
    names = tuple(dict.fromkeys(monitors))[:_MOST]
    return tuple(Reference(monitor=name, address=_address(name, documentation)) for name in names)


def anchor_of(monitor: str) -> str:
    """The anchor of a monitor's heading, as the common forges make it."""
    return monitor.lower()


def _address(monitor: str, documentation: str) -> str:
    if MONITOR in documentation:
        return documentation.replace(MONITOR, monitor)
    return f"{documentation.rstrip('/')}/{PAGE}#{anchor_of(monitor)}" if documentation else ""
