"""
A simulated organization: what is configured, what it shows, how it is broken, and an engine that watches it.

In memory by default; `loopback.on_loopback` serves a small one on real addresses as well.
"""

from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property

from mailward.engine.engine import Engine
from mailward.engine.parts import Parts, Platform
from mailward.lab.blueprint import Shape
from mailward.lab.faults import Fault
from mailward.lab.simulated.drawing import Site, Size, draw_organization, password_of
from mailward.lab.simulated.faults import NOT_OVER_SOCKETS, SimulatedFault, at, do, role_of, templates
from mailward.lab.simulated.network import SimulatedNetwork
from mailward.lab.simulated.site import Hosts
from mailward.lab.watch_configuration import Timings
from mailward.model.errors import Refused
from mailward.model.organization import Organization
from mailward.monitors.probing import ProbingSettings
from mailward.platforms.local.system_chance import SystemChance
from mailward.platforms.local.system_clock import SystemClock
from mailward.ports.chance import Chance
from mailward.ports.network import Network
from mailward.ports.probe import Probe
from mailward.ports.settings import Snapshot
from mailward.ports.store import Store
from mailward.probes.customer_touch_point import ImapCTPProbe
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.equipment import Equipment
from mailward.probes.proxy_test import ImapProxyTestProbe
from mailward.probes.self_test import ImapSelfTestProbe
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import KnownSecrets, TameHost, TameHostControl, TameService

_SHORT = ProbingSettings(
    self_test_interval=timedelta(seconds=2),
    deep_test_interval=timedelta(seconds=3),
    write_turn_every=timedelta(seconds=6),
    passive_copy_interval=timedelta(seconds=5),
    proxy_test_interval=timedelta(seconds=2),
    ctp_interval=timedelta(seconds=1),
)


class Simulation:
    """
    An organization that exists in this process only.

    Args:
        shape: Two-tier, or boxes without proxy.
        servers: How many mailbox servers; None is as many as the Dovecot lab has.
        databases_per_server: How many active copies each holds; None is as many as the Dovecot lab has.
        site: Where its servers are met.
    """

    def __init__(
        self,
        shape: Shape = Shape.TWO_TIER,
        *,
        servers: int | None = None,
        databases_per_server: int | None = None,
        site: Site | None = None,
    ) -> None:
        two_tier = shape is Shape.TWO_TIER
        self.shape = shape
        self.site = site or Site()
        self.organization: Organization = draw_organization(
            Size(
                shape=shape,
                servers=servers or (2 if two_tier else 1),
                databases_per_server=databases_per_server or (2 if two_tier else 1),
                site=self.site,
            )
        )
        self.running = Hosts(self.organization)
        self.clock = SystemClock()
        self.network: Network = SimulatedNetwork(
            self.running.by_name.values(), port=self.site.port, since=self.clock.now()
        )
        """How its servers are reached; real sockets while it is on loopback."""
        self.is_on_loopback = False
        self.services: Mapping[str, TameService] = {name: host.service for name, host in self.running.by_name.items()}
        self.machines: Mapping[str, TameHostControl] = {
            name: TameHostControl(service) for name, service in self.services.items()
        }
        """By these a whole server is restarted; it is back at once."""
        self.hosts: Mapping[str, TameHost] = {name: host.machine for name, host in self.running.by_name.items()}
        self.secrets = KnownSecrets({user: password_of(user) for user in _health_users(self.organization)})
        self._active: dict[str, SimulatedFault] = {}

    @cached_property
    def faults(self) -> Mapping[str, SimulatedFault]:
        """Every fault it can have, by name."""
        found = [
            self._fault_at(kind, place)
            for kind, role in self._templates
            for place in (
                [None]
                if role == "map"
                else [name for name in (*self.organization.servers, *self.organization.databases) if _is(name, role)]
            )
        ]
        return {fault.name: fault for fault in found}

    @property
    def active_faults(self) -> tuple[str, ...]:
        """The names of the faults it has now, the oldest first."""
        return tuple(self._active)

    def why_not(self, fault: SimulatedFault) -> str | None:
        """Why it cannot have that fault here, or None when it can."""
        if self.is_on_loopback and fault.kind in NOT_OVER_SOCKETS:
            return f"{fault.name} cannot be had on loopback addresses, where no packet gets lost"
        return None

    def break_(self, name: str) -> SimulatedFault:
        """
        Inject a fault of the lab's catalogue.

        Raises:
            Refused: There is no such fault, it cannot be had here, or the simulation has it already.
        """
        fault = self._fault(name)
        hindrance = self.why_not(fault)
        if hindrance:
            raise Refused(hindrance)
        if fault.name in self._active:
            raise Refused(f"the simulation has {fault.name} already")
        do(fault, self.running, heal=False)
        self._active[fault.name] = fault
        return fault

    def heal(self, name: str | None = None) -> tuple[SimulatedFault, ...]:
        """
        Heal one fault, or all of them in reverse order.

        Raises:
            Refused: The simulation does not have that fault.
        """
        wanted = tuple(reversed(self._active)) if name is None else (self._fault(name).name,)
        for known in wanted:
            if known not in self._active:
                has = ", ".join(self._active) or "no fault"
                raise Refused(f"the simulation does not have {known}; it has {has}")
        healed = tuple(self._active.pop(known) for known in wanted)
        for fault in healed:
            do(fault, self.running, heal=True)
        return healed

    def load(self, timings: Timings = Timings.DEFAULT) -> Snapshot:
        """Its configuration (the Settings port), at these timings."""
        probing = _SHORT if timings is Timings.SHORT else ProbingSettings()
        return Snapshot(organization=self.organization, probing=probing)

    def parts(self, *, store: Store | None = None, chance: Chance | None = None) -> Parts:
        """Everything an engine needs to watch it; results are kept in memory unless there is a *store*."""
        network = self.network
        equipment = Equipment(network=network, secrets=self.secrets, clock=self.clock, chance=chance or SystemChance())
        return Parts(
            settings=self,
            store=store or MemoryStore(clock=self.clock),
            probes=_probes(equipment),
            platform=lambda _: Platform(hosts=self.hosts, services=self.services, machines=self.machines),
            clock=self.clock,
            chance=equipment.chance,
            loop_lag=network.loop_lag,
        )

    def engine(self, snapshot: Snapshot | None = None, *, store: Store | None = None) -> Engine:
        """An engine that watches it once it is run."""
        return Engine(snapshot or self.load(), self.parts(store=store))

    @cached_property
    def _templates(self) -> Mapping[tuple[str, str], Fault]:
        return templates(self.shape)

    def _fault(self, name: str) -> SimulatedFault:
        kind, _, place = name.partition("@")
        places = {known.lower(): known for known in (*self.organization.servers, *self.organization.databases)}
        known_place = places.get(place.lower()) if place else None
        if (place == "" or known_place) and (kind.lower(), role_of(known_place)) in self._templates:
            return self._fault_at(kind.lower(), known_place)
        nearest = get_close_matches(name, self.faults, n=1, cutoff=0.4)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise Refused(f"there is no fault {name!r} in a simulation{hint}")

    def _fault_at(self, kind: str, place: str | None) -> SimulatedFault:
        database = self.organization.databases.get(place or "")
        return at(self._templates[kind, role_of(place)], place, database.active if database else place)


def _is(name: str, role: str) -> bool:
    return role_of(name) == role


def _health_users(organization: Organization) -> list[str]:
    mailboxes = [database.health_mailbox for database in organization.databases.values()]
    mailboxes += [server.health_mailbox for server in organization.servers.values()]
    return [mailbox.user for mailbox in mailboxes if mailbox is not None]


def _probes(equipment: Equipment) -> Mapping[str, Probe]:
    probes: tuple[Probe, ...] = (
        ImapSelfTestProbe(equipment),
        ImapDeepTestProbe(equipment),
        ImapProxyTestProbe(equipment),
        ImapCTPProbe(equipment),
    )
    return {probe.name: probe for probe in probes}
