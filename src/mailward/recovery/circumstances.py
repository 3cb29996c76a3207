"""
Everything gates and premises may look at: one server, and what is around it, at one moment.

None means "not known". No gate passes on what is not known where it asks for positive evidence.
"""

from dataclasses import dataclass, field
from datetime import datetime

from mailward.model.evidence import ServiceStatus
from mailward.model.holds import Hold
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import Deed, Mode
from mailward.model.verdict import Verdict
from mailward.recovery.settings import RecoverySettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Another server of the same role."""

    server: str
    is_healthy: bool
    """By its own service's monitors and, for a proxy, its customer touch points; in maintenance it is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a server stands, for throttles."""

    server: str
    roles: frozenset[str]
    site: str = ""

    def shares_role_and_site(self, other: "Place") -> bool:
        """Whether restarting both at once would take two of a kind away."""
        return self.site == other.site and bool(self.roles & other.roles)


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What is known of one server when a deed on it is wanted."""

    now: datetime
    place: Place
    settings: RecoverySettings = field(default_factory=RecoverySettings)

    # who may act at all
    mode: Mode = Mode.RECOMMEND
    """In force for this class of action on this server."""
    mode_because: str = ""
    overridden_by: Hold | None = None
    """The override that set the mode, where one did."""
    stopped: str | None = None
    """Why the stop file forbids everything; None: there is none."""
    holds: tuple[Hold, ...] = ()
    """In force on this server, or on the whole organization."""
    leads: bool = False
    store_trouble: str | None = None
    approved_at: datetime | None = None
    approval_asked_at: datetime | None = None
    approved_by: str = ""

    # what is wrong
    verdict: Verdict | None = None
    """The latest of the monitor that broke."""
    alert: AlertValue | None = None
    """The worst of the monitors of this server's own service."""
    broken_since: datetime | None = None
    """When the first of them broke that still is broken."""
    overloaded: bool = False
    """Whether a counter of its own platform is what broke, and still is broken."""
    own_test_fails: bool | None = None
    """Whether the server's own test (self test, proxy test) failed the last time, and lately."""

    # what its host says
    service: ServiceStatus | None = None
    service_unseen: str = ""
    """Why the host says nothing of its service."""
    configuration_problem: str | None = None
    """Why the configuration on disk would not be accepted; None: it would, or this platform cannot check it."""
    stopped_by_us: bool = False
    """Whether a restart of ours ended between its stop and its start: then it was not stopped on purpose."""
    others_at_work: tuple[str, ...] | None = ()
    """None: that could not be found out."""
    certificate_is_stale: bool | None = None
    """Whether the certificate on disk is another one than the one served."""
    unavailable: str | None = None
    """Why the platform cannot do the wanted deed; None: it can."""

    # what is around it
    peers: tuple[Peer, ...] = ()
    places: tuple[Place, ...] = ()
    """Every server, for throttles that look at roles and sites."""
    deeds: tuple[Deed, ...] = ()
    """Those the throttles count."""
    healed_at: tuple[datetime, ...] = ()
    """When operations on this server ended as healed, by a deed."""
    active_copies: tuple[str, ...] | None = ()
    """The databases whose active copy is on this server; None: not known."""
    other_copies: bool = False
    """Whether each of them has another copy at all."""
    is_restartable: bool = False
    behind_access_point: bool = False
    """Whether the configuration names it behind an access point."""
    in_access_point: bool | None = None
    """Whether clients are sent to it there; None where no access point can be asked."""
