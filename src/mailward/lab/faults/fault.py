"""What a fault is: a name, a sentence, two deeds, and the truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from mailward.lab.blueprint import Blueprint, Shape
from mailward.model.verdict import Dependency, Tier

#: What an injection must remember for the healing: plain JSON, since another process may heal.
Memory = Mapping[str, object]


class Remedy(Enum):
    """What an experienced administrator would do."""

    START = "start the service"
    RESTART = "restart the service"
    RELOAD = "reload the service"
    RESTART_SERVER = "restart the server"
    MOVE = "move the mailbox database to its other copy"
    HUMAN = "a person has to mend it"
    NOTHING = "nothing: the monitoring is at fault, the service is well"


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """What is the case while a fault lasts."""

    tier: Tier
    server: str | None
    """The host at fault; None when the fault is in what the hosts share."""
    dependency: Dependency | None
    """None when it is the tier's own service."""
    remedy: Remedy


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One way to break a lab of one shape."""

    name: str
    kind: str
    """The name without the place."""
    place: str | None
    """The host or database it strikes."""
    sentence: str
    """What happens, for a person."""
    truth: Truth
    shape: Shape
    inject: Callable[[Blueprint], Memory]
    heal: Callable[[Blueprint, Memory], None]
    needs_root: bool = False
    needs_packet_filter: bool = False
    """Hardened kernels keep socket filters for root."""
    is_latent: bool = False
    """Nobody feels it until the service is started or restarted."""
