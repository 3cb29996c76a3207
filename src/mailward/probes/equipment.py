"""What every probe needs of the world: ports, handed in by whoever assembles the application."""

from dataclasses import dataclass, field

from mailward.ports.chance import Chance
from mailward.ports.clock import Clock
from mailward.ports.network import Network
from mailward.ports.secrets import Secrets
from mailward.probes.settings import ProbeSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Equipment:
    """The ports and settings shared by all probes."""

    network: Network
    secrets: Secrets
    clock: Clock
    chance: Chance
    settings: ProbeSettings = field(default_factory=ProbeSettings)
