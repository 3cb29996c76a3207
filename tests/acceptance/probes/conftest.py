"""Probes with real ports, and targets in a lab."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mailward.lab.lab import Lab
from mailward.model.organization import HealthMailbox, ImapEndpoint, SecretKind, SecretRef, TlsPolicy
from mailward.model.target import ProbeTarget
from mailward.network.tcp_network import TcpNetwork
from mailward.platforms.local.file_secrets import FileSecrets
from mailward.platforms.local.system_chance import SystemChance
from mailward.platforms.local.system_clock import SystemClock
from mailward.probes.equipment import Equipment


@pytest.fixture(scope="session")
def equipment() -> Equipment:
    return Equipment(network=TcpNetwork(), secrets=FileSecrets(), clock=SystemClock(), chance=SystemChance())


@pytest.fixture
def target_in() -> Callable[..., ProbeTarget]:
    def target(lab: Lab, host: str, user: str | None, **changes: Any) -> ProbeTarget:
        blueprint = lab.blueprint
        account = user and HealthMailbox(
            user=user, password=SecretRef(kind=SecretKind.FILE, name=str(blueprint.password_file(user)))
        )
        known: dict[str, Any] = {
            "probe": "ImapDeepTestProbe",
            "health_set": "IMAP.Protocol",
            "server": host,
            "target": "DB1",
            "endpoint": ImapEndpoint(
                host=blueprint.host(host).address,
                port=blueprint.ports.imaps,
                tls=TlsPolicy(ca_file=str(blueprint.ca_file)),
                source_address=blueprint.prober,
            ),
            "timeout": timedelta(seconds=15),
            "account": account or None,
        }
        return ProbeTarget(**(known | changes))

    return target
