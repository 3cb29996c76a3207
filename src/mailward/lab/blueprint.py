"""
What a lab consists of, before anything is started: hosts, addresses, ports, databases, accounts, paths.

A blueprint follows from very few facts (shape, directory, network, port base, whether root started it), which is why
another terminal can attach to a running lab by reading them from the lab's state file. Nothing here does I/O.
"""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from mailward.model.organization import Role

#: Hosts carry names under this domain (RFC 2606 keeps it free for such use).
DOMAIN = "lab.example"
#: The name users have in their mail programs.
PUBLIC_NAME = f"imap.{DOMAIN}"
#: The mail user of a lab started by root. No account of this number needs to exist (field notes §A).
MAIL_UID = 5000
#: Unix socket paths end at 107 bytes; host name and Dovecot's longest one below it take 46 of them.
DIRECTORY_LENGTH_MAX = 60


class Shape(Enum):
    """What kind of organization a lab is."""

    TWO_TIER = "two-tier"
    """Two proxies before two mailbox servers that replicate to each other; HAProxy before them where installed."""
    ONE_BOX = "one-box"
    """A single Dovecot without proxy: the most common installation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """The ports every host of a lab listens on, each host on its own address; above 1024, so that nobody needs root."""

    base: int = 10000

    @property
    def imap(self) -> int:
        """IMAP with STARTTLS."""
        return self.base + 143

    @property
    def imaps(self) -> int:
        """IMAP over TLS."""
        return self.base + 993

    @property
    def behind_balancer(self) -> int:
        """IMAP over TLS for the load balancer, which says first who its client is (PROXY protocol)."""
        return self.base + 994

    @property
    def lmtp(self) -> int:
        """Delivery."""
        return self.base + 24

    @property
    def doveadm(self) -> int:
        """Replication between mailbox servers."""
        return self.base + 245

    @property
    def metrics(self) -> int:
        """Dovecot's own OpenMetrics."""
        return self.base + 900

    @property
    def taken(self) -> int:
        """Free, unless a fault has somebody else sit on it."""
        return self.base + 901


@dataclass(frozen=True, kw_only=True, slots=True)
class LabHost:
    """One "host": an address of its own, a directory of its own, a supervisor of its own."""

    name: str
    roles: frozenset[Role]
    address: str
    directory: Path
    peer: str | None = None
    """The mailbox server it replicates with."""

    @property
    def fqdn(self) -> str:
        """The name its certificate carries."""
        return f"{self.name}.{DOMAIN}"

    @property
    def is_mailbox(self) -> bool:
        """Whether mailboxes live here."""
        return Role.MAILBOX in self.roles

    @property
    def is_proxy(self) -> bool:
        """Whether clients are passed on from here."""
        return Role.PROXY in self.roles

    @property
    def configuration(self) -> Path:
        """Its dovecot.conf."""
        return self.directory / "dovecot.conf"

    @property
    def fault_settings(self) -> Path:
        """Files in here end its configuration; each fault that changes settings puts one there."""
        return self.directory / "faults.d"

    @property
    def control_socket(self) -> Path:
        """Where its supervisor listens."""
        return self.directory / "control.sock"

    @property
    def log(self) -> Path:
        """Dovecot's log."""
        return self.directory / "log" / "dovecot.log"

    @property
    def protocol_log(self) -> Path:
        """Where conversations of health mailboxes are logged, in a directory for each, while that is switched on."""
        return self.directory / "run" / "rawlog"

    @property
    def tls(self) -> Path:
        """Certificates: the served cert.pem and key.pem, and the spare ones that faults put in their place."""
        return self.directory / "tls"

    @property
    def passwords(self) -> Path:
        """passwd-files."""
        return self.directory / "passwd"

    @property
    def store(self) -> Path:
        """Mail stores, one directory per database."""
        return self.directory / "store"


@dataclass(frozen=True, kw_only=True, slots=True)
class LabDatabase:
    """One mailbox database of a lab."""

    name: str
    copies: tuple[str, ...]
    """Host names; the first one starts as the active copy."""
    users: tuple[str, ...]

    @property
    def health_user(self) -> str:
        """The database's health mailbox."""
        return f"health-{self.name.lower()}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Blueprint:
    """Everything that is decided before the first process of a lab starts."""

    shape: Shape
    directory: Path
    network: str
    """The first three numbers of all addresses, such as "127.83.19"."""
    ports: Ports
    rootless: bool
    user: str
    """The account that runs Dovecot's internals: "dovecot" for a lab of root, else the ordinary user's own name."""
    group: str
    hosts: tuple[LabHost, ...]
    """Those that run Dovecot."""
    databases: tuple[LabDatabase, ...]
    more_users: int = 0
    """How many users the first database has beside the usual ones."""
    balancer: LabHost | None = None
    """HAProxy before the proxies: the access point of two tiers, where it is installed."""

    @property
    def prober(self) -> str:
        """The address probes come from, so that a ban or a limit meets them alone."""
        return f"{self.network}.5"

    @property
    def proxies(self) -> tuple[LabHost, ...]:
        """Hosts that pass clients on."""
        return tuple(host for host in self.hosts if host.is_proxy)

    @property
    def mailbox_servers(self) -> tuple[LabHost, ...]:
        """Hosts that hold mailboxes."""
        return tuple(host for host in self.hosts if host.is_mailbox)

    @property
    def entrances(self) -> tuple[LabHost, ...]:
        """The hosts users connect to."""
        return self.proxies or self.hosts

    @property
    def machines(self) -> tuple[LabHost, ...]:
        """Everything that has a supervisor."""
        return self.hosts if self.balancer is None else (*self.hosts, self.balancer)

    @property
    def map_file(self) -> Path:
        """The SQL map user -> database -> server, shared by the proxies."""
        return self.directory / "map" / "map.db"

    @property
    def ca_file(self) -> Path:
        """The lab's certificate authority."""
        return self.directory / "ca.pem"

    @property
    def state_file(self) -> Path:
        """What another terminal needs to attach."""
        return self.directory / "lab.json"

    @property
    def secrets(self) -> Path:
        """One file per account, holding its password."""
        return self.directory / "secrets"

    def host(self, name: str) -> LabHost:
        """The host of that name; KeyError when there is none."""
        for host in self.machines:
            if host.name == name:
                return host
        raise KeyError(name)

    def database_of(self, user: str) -> LabDatabase | None:
        """The database *user* belongs to, or None for a health mailbox outside every database."""
        for database in self.databases:
            if user in database.users or user == database.health_user:
                return database
        return None

    def local_health_user(self, host: LabHost) -> str:
        """The health mailbox outside every database: one per mailbox server, one that the proxies share."""
        return f"health-{host.name}" if host.is_mailbox else "health-proxy"

    def password_file(self, user: str) -> Path:
        """Where the password of *user* is kept."""
        return self.secrets / f"{user}.password"


_USERS = {
    "DB1": ("anna", "boris", "carla"),
    "DB2": ("dora", "emil", "fatima"),
    "DB3": ("gustav", "helen", "ivo"),
    "DB4": ("jana", "karim", "lotte"),
}


def draw(
    shape: Shape,
    directory: Path,
    *,
    network: str,
    ports: Ports,
    rootless: bool,
    user: str,
    group: str,
    balanced: bool = False,
    more_users: int = 0,
) -> Blueprint:
    """
    The blueprint of a lab of this shape in this directory; only two tiers can be *balanced* by HAProxy.

    *more_users* are added to the first database, for what only shows with many.
    """
    root = (directory, network)
    hosts: tuple[LabHost, ...]
    if shape is Shape.TWO_TIER:
        hosts = (
            _host(root, "proxy1", 11, Role.PROXY),
            _host(root, "proxy2", 12, Role.PROXY),
            _host(root, "be1", 21, Role.MAILBOX, peer="be2"),
            _host(root, "be2", 22, Role.MAILBOX, peer="be1"),
        )
        databases = tuple(
            LabDatabase(name=name, copies=copies, users=_USERS[name])
            for name, copies in (
                ("DB1", ("be1", "be2")),
                ("DB2", ("be1", "be2")),
                ("DB3", ("be2", "be1")),
                ("DB4", ("be2", "be1")),
            )
        )
    else:
        hosts = (_host(root, "mail", 10, Role.MAILBOX),)
        databases = (LabDatabase(name="DB1", copies=("mail",), users=_USERS["DB1"] + _USERS["DB2"]),)
    crowd = tuple(f"user{number:04}" for number in range(1, more_users + 1))
    databases = (replace(databases[0], users=databases[0].users + crowd), *databases[1:])
    return Blueprint(
        shape=shape,
        directory=directory,
        network=network,
        ports=ports,
        rootless=rootless,
        user=user,
        group=group,
        hosts=hosts,
        databases=databases,
        more_users=more_users,
        balancer=_host(root, "balancer", 10) if balanced and shape is Shape.TWO_TIER else None,
    )


def _host(root: tuple[Path, str], name: str, number: int, *roles: Role, peer: str | None = None) -> LabHost:
    directory, network = root
    return LabHost(
        name=name,
        roles=frozenset(roles),
        address=f"{network}.{number}",
        directory=directory / name,
        peer=peer,
    )
