"""
What all deeds have in common.

An injection returns what its healing must remember; a healing works in another process too, and leaves nothing of the
fault behind. Both return when their effect is there, not when they have asked for it.
"""

from collections.abc import Callable
from pathlib import Path

from mailward.lab import control
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.faults.fault import Memory

Inject = Callable[[Blueprint, LabHost], Memory]
Heal = Callable[[Blueprint, LabHost, Memory], None]
Deeds = tuple[Inject, Heal]

NOTHING: Memory = {}


def ask(verb: str) -> Inject:
    """The deed of asking the host's supervisor."""

    def deed(_blueprint: Blueprint, host: LabHost) -> Memory:
        control.ask(host.control_socket, verb)
        return NOTHING

    return deed


def then(deed: Inject) -> Heal:
    """Heal by a deed that needs no memory."""

    def heal(blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
        deed(blueprint, host)

    return heal


def aside(path: Path) -> Path:
    """Where a fault puts what it takes away."""
    return path.with_name(f"{path.name}.aside")
