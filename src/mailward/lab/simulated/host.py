"""
One simulated host: its IMAP service, its machine, and what of them clients, proxies and mailward see.

What is seen follows from the state at that moment, so that a service which somebody restarts is back at once, and a
fault that a restart does not cure stays. Sessions that are open when a service ends are not torn.
"""

from collections.abc import Callable
from hashlib import sha256

from mailward.lab.certificates import Certificate
from mailward.lab.simulated.entrance import UNAVAILABLE, Entrance, Led, no_answer, turned_away
from mailward.model.evidence import ServiceState
from mailward.model.organization import Role
from mailward.ports.service_control import ServiceDeed
from mailward.testing.platform import TameHost, TameService
from mailward.testing.script import Script
from mailward.testing.steps import Server, Session

_SILENCE = Script().stalls()


class SimulatedHost:
    """A host with the role proxy or mailbox server."""

    def __init__(self, name: str, *, role: Role, address: str, entrance: Entrance) -> None:
        self.name = name
        self.role = role
        self.address = address
        self.entrance = entrance
        self.machine = TameHost()
        self.fingerprints = {kind: sha256(f"{name} {kind.value}".encode()).hexdigest() for kind in Certificate}
        """Of every certificate it has; the real ones once it is served over real TLS."""
        self.is_cut = False
        """Whether no packet reaches it."""
        self.is_path_cut = False
        """Whether proxy and mailbox servers do not reach each other here."""
        self.greets_nobody = False
        self.impostor: Server | None = None
        """Who answers on its ports instead of its IMAP service."""
        self.serves = self.on_disk = Certificate.GOOD
        self.on_change: Callable[[], None] = lambda: None
        self.service = _Service(self)
        self.put_certificate(Certificate.GOOD)

    @property
    def is_listening(self) -> bool:
        """Whether its ports are open: a hung service keeps them open."""
        return self.service.state.has_processes

    def session(self) -> Session:
        """Serve one more client that has connected."""
        if self.service.state is ServiceState.HUNG or self.greets_nobody:
            return _SILENCE.session()
        return (self.impostor or self.entrance).session()

    def to_proxy(self, *, way_is_cut: bool) -> Led:
        """What a proxy gets that wants to log a user in here: a session, or what it tells its client instead."""
        silent = self.service.state is ServiceState.HUNG or self.greets_nobody or self.is_cut or self.is_path_cut
        if silent or way_is_cut:
            return no_answer()
        verifies = self.serves in (Certificate.GOOD, Certificate.RENEWED)
        if not self.is_listening or self.impostor or not verifies or self.entrance.greeting.startswith("* BYE"):
            return turned_away(UNAVAILABLE)
        return self.entrance.session()

    def put_certificate(self, kind: Certificate, *, loaded: bool = True) -> None:
        """Put a certificate on its disk; the service serves it at once or after a reload."""
        self.on_disk = kind
        self.machine.certificate = self.fingerprints[kind]
        if loaded:
            self.load()

    def load(self) -> None:
        """Serve the certificate that is on disk."""
        self.serves = self.on_disk
        self.on_change()

    def recovered(self) -> None:
        """Its processes are new ones: nothing hangs any more, and the certificate on disk is served."""
        self.greets_nobody = self.entrance.login_hangs = False
        self.load()


class _Service(TameService):
    """The service of a simulated host: what happens to it shows on the host."""

    def __init__(self, host: SimulatedHost) -> None:
        self.state = ServiceState.RUNNING
        self._host = host
        super().__init__()

    def become(self, state: ServiceState, because: str = "the simulation says so", *, in_kernel: bool = False) -> None:
        """Set its state; a service that begins to run is a new one."""
        begins = state is ServiceState.RUNNING
        self.state = state
        super().become(state, because, in_kernel=in_kernel)
        if begins:
            self._host.recovered()
        else:
            self._host.on_change()

    def _take_effect(self, deed: ServiceDeed) -> None:
        if deed is ServiceDeed.START and self.state is ServiceState.HUNG:
            return  # it is there already
        super()._take_effect(deed)
        if deed is ServiceDeed.RELOAD and self.state is ServiceState.RUNNING:
            self._host.load()
