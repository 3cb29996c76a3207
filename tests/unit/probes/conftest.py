"""A world for probes: an obedient server in memory, and everything a probe needs to meet it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from mailward.model.organization import HealthMailbox, ImapEndpoint, SecretKind, SecretRef, Security
from mailward.model.target import ProbeTarget
from mailward.probes.equipment import Equipment
from mailward.probes.settings import ProbeSettings
from mailward.testing.memory_network import ScriptedNetwork
from mailward.testing.obedient_server import ObedientServer
from mailward.testing.platform import CountedChance, KnownSecrets, SetClock

PASSWORD = "tr0ub4dor-and-three"
USER = "health"


@dataclass
class World:
    """What a test touches."""

    server: ObedientServer
    network: ScriptedNetwork
    equipment: Equipment
    clock: SetClock
    target: ProbeTarget

    @property
    def inbox(self) -> Any:
        """The health mailbox."""
        return self.server.mailbox(USER)

    def serve(self, server: Any) -> None:
        """Let another server answer."""
        self.network.servers["mail.example:993"] = server

    def against(self, **changes: Any) -> ProbeTarget:
        """The target, changed."""
        return replace(self.target, **changes)


@pytest.fixture
def make_world() -> Callable[..., World]:
    def make(settings: ProbeSettings | None = None, *, security: Security = Security.TLS, **server: Any) -> World:
        obedient = ObedientServer({USER: PASSWORD}, **{"identity": {"name": "Dovecot", "x-backend": "be1"}, **server})
        network = ScriptedNetwork({"mail.example:993": obedient})
        clock = SetClock()
        equipment = Equipment(
            network=network,
            secrets=KnownSecrets({"health.password": PASSWORD}),
            clock=clock,
            chance=CountedChance(),
            settings=settings or ProbeSettings(),
        )
        account = HealthMailbox(user=USER, password=SecretRef(kind=SecretKind.FILE, name="health.password"))
        target = ProbeTarget(
            probe="ImapDeepTestProbe",
            health_set="IMAP.Protocol",
            server="be1",
            target="DB1",
            endpoint=ImapEndpoint(host="mail.example", security=security),
            timeout=timedelta(seconds=15),
            account=account,
            database="DB1",
        )
        return World(obedient, network, equipment, clock, target)

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def phases(result: Any) -> list[str]:
    """The phases of a result by name."""
    return [timing.phase.value for timing in result.phases]


__all__ = ["PASSWORD", "USER", "Mapping", "World", "phases"]
