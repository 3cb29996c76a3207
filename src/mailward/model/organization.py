"""
The organization: everything one configuration describes, as an immutable snapshot.

Which probes and monitors follow from it is decided elsewhere; these values only say what there is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from enum import Enum

from mailward.model.copies import CopyKind
from mailward.model.errors import NotFound


class Role(Enum):
    """What a server does. Exchange: Client Access server, Mailbox server."""

    PROXY = "proxy"
    MAILBOX = "mailbox"


class Security(Enum):
    """How a conversation is protected (RFC 8314 prefers TLS)."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


class SecretKind(Enum):
    """Where a secret is kept; it is never in the configuration itself."""

    FILE = "file"
    ENVIRONMENT = "environment"
    CREDENTIAL = "credential"
    """A systemd credential: a file in $CREDENTIALS_DIRECTORY."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretRef:
    """Where to find a secret. Safe to print: it holds a name, not the secret."""

    kind: SecretKind
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsPolicy:
    """What a certificate and a handshake must satisfy."""

    ca_file: str | None = None
    """PEM file of the authorities to trust; None trusts the system's."""
    minimum_version: str = "TLSv1.2"
    expected_name: str | None = None
    """The name the certificate must carry; None means the host that was connected to."""
    verify: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapEndpoint:
    """How to reach one IMAP service."""

    host: str
    port: int = 993
    security: Security = Security.TLS
    tls: TlsPolicy = field(default_factory=TlsPolicy)
    source_address: str | None = None
    """The local address probes come from: an own one keeps bans and penalties away from users (field notes §A.3)."""
    proxy_protocol: bool = False
    """Whether the server expects a PROXY protocol v2 header, as back ends behind a load balancer do."""
    allow_plaintext_auth: bool = False
    """Whether a password may be sent on an unencrypted connection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LmtpEndpoint:
    """Where a server takes mail for mailboxes by LMTP (RFC 2033)."""

    host: str
    """Its name or address; with `port` None the path of a Unix socket on this machine."""
    port: int | None = 24
    source_address: str | None = None
    """
    As of the server's IMAP endpoint. An account that may be used only from there takes mail only from there: with
    `allow_nets` Dovecot says "451 4.3.0 Temporary user lookup failure" to everybody else (measured).
    """

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host} port {self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthMailbox:
    """An account only probes use."""

    user: str
    password: SecretRef
    login_as: str | None = None
    """With a master user: the user to authenticate as, `user` being the authorization identity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostAccess:
    """How mailward sees the host of a server; every part may be absent."""

    service: str | None = None
    """
    How its IMAP service is watched and controlled: "supervisor:PATH", "systemd:UNIT", "doveadm:CONFIG", "pidfile:FILE",
    or "command" with the argv of `commands`.
    """
    reach: str = "local"
    """Where commands run: "local", or "ssh:USER@HOST[:PORT]", the forced command `mailward-host` at the other end."""
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """service = "command": argv for status, start, stop, restart, reload, enable, check."""
    control: str | None = None
    """How the machine itself is restarted: "supervisor:PATH", "systemd", or "command" with `commands["restart-server"]`
    and `commands["boot-id"]`."""
    healer_marks: tuple[str, ...] = ()
    """Files whose existence says that somebody else is at work on this host, such as a cluster manager's."""
    log_files: tuple[str, ...] = ()
    store_paths: tuple[str, ...] = ()
    """Directories of mail stores whose file systems are watched."""
    certificate_file: str | None = None
    """The certificate the service is configured with, to notice one that was renewed but not loaded."""
    doveadm: str | None = None
    """
    The dovecot.conf by which `doveadm` reaches this server's Dovecot: sessions, caches, synchronising. Over ssh the
    other end knows which one it is, and this only says that doveadm is used there.
    """
    replication_address: str | None = None
    """Where other mailbox servers reach this one to synchronise: "tcp:HOST:PORT", "tcps:HOST:PORT"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A host with the role proxy, mailbox, or both."""

    name: str
    roles: frozenset[Role]
    imap: ImapEndpoint
    health_mailbox: HealthMailbox | None = None
    """Mailbox servers: the local health mailbox, outside every database."""
    host: HostAccess = field(default_factory=HostAccess)
    platform: str = "imap"
    """The kind of software: "dovecot", or "imap" for anything that speaks it."""
    groups: tuple[str, ...] = ()
    backend_timeout: timedelta = timedelta(seconds=15)
    """Proxies: how long the proxy itself waits for a mailbox server before it gives up."""
    known_as: frozenset[str] = frozenset()
    """Further names under which the server shows itself: FQDN, the name in its ID reply."""
    sentinel: bool = False
    site: str = ""
    """Where it stands; throttles let one service per role and site be restarted at a time."""
    restartable: bool = False
    """Whether the machine itself may ever be restarted by mailward; without it that action does not exist here."""
    lmtp: LmtpEndpoint | None = None
    """Proxies: where mail is handed over for delivery; None: nobody says, and delivery is not tried there."""

    @property
    def is_proxy(self) -> bool:
        """Whether clients are passed on from here."""
        return Role.PROXY in self.roles

    @property
    def is_mailbox(self) -> bool:
        """Whether mailbox databases live here."""
        return Role.MAILBOX in self.roles

    @property
    def has_counters(self) -> bool:
        """Whether what its platform counts can be read."""
        return self.platform == "dovecot" and self.host.doveadm is not None


HEALTH_PAGE = "health-page"
"""`control` of an access point: load balancers poll /health/SERVER, and a hold on a proxy's component takes it out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessPoint:
    """The public name and port users connect to."""

    name: str
    imap: ImapEndpoint
    servers: tuple[str, ...] = ()
    """The proxies behind it; on one box without proxy, the mailbox server."""
    backend_timeout: timedelta = timedelta(seconds=15)
    control: str | None = None
    """
    How a proxy is taken out of it: "haproxy:SOCKET" (HAProxy's runtime socket), "health-page" (load balancers poll
    /health/SERVER), or None: it cannot be.
    """
    backend: str = ""
    """HAProxy: the name of the backend the proxies are in; needed with "haproxy:"."""
    members: Mapping[str, str] = field(default_factory=dict)
    """HAProxy: server name here -> its name there, where they differ."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """A mailbox database: the group of mailboxes that fails over as one."""

    name: str
    copies: tuple[str, ...]
    """The mailbox servers that hold a copy, the preferred one first."""
    active: str
    """The server of the active copy, as configured or as the routing last said."""
    health_mailbox: HealthMailbox | None = None
    mailboxes: int | None = None
    """How many mailboxes it holds, where known."""
    replication: CopyKind | None = None
    """How its copies come to be alike; None: the configuration does not say, and it cannot be moved."""

    @property
    def passive(self) -> tuple[str, ...]:
        """The servers whose copy is not the active one."""
        return tuple(server for server in self.copies if server != self.active)


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryEntries:
    """What stands where in a directory that is the map; attributes by name, filters by RFC 4515."""

    base: str
    """Below it are the entries that hold the server of an active copy."""
    filter: str = "(objectClass=*)"
    """Which of the entries there."""
    database: str = "mailDatabase"
    """The attribute with the name of the database."""
    server: str = "mailHost"
    """The attribute with the server of its active copy."""
    hold_until: str | None = None
    """The attribute until when logins are held, in seconds since 1970."""
    mailbox: str = "uid"
    """The attribute with the name of a mailbox."""
    mailboxes_base: str | None = None
    """Below it are the entries of the mailboxes; None: those that hold the server are the mailboxes."""
    mailboxes: str | None = None
    """The filter of a database's mailboxes, `{database}` standing for its name; None: by the attribute `database`."""
    user: str | None = None
    """The DN to bind as; None: anonymously, or on ldapi as who mailward runs as."""
    starttls: bool = False
    ca_file: str | None = None
    """The authorities the directory's certificate is checked by; None: those of ldap.conf."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutingMap:
    """
    The map from which proxies learn which copy of a database is active, and how it is read and changed.

    SQL statements have parameters: `:database`, and in `switch` `:source`, `:target` and, where the map can hold
    logins, `:hold_until` (seconds since 1970).
    """

    map: str
    """
    "sqlite:…", "postgresql://…", "mysql://…": a database without its password; "ldap://…", also ldaps and ldapi: the
    directory of `ldap`; "command": the argv of `commands`.
    """
    password: SecretRef | None = None
    active: str = ""
    """Gives two columns: database, and the server of its active copy."""
    mailboxes: str = ""
    """Gives one column: the mailboxes of `:database`."""
    switch: str = ""
    """Changes exactly one row, and only where the active copy still is on `:source`."""
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """map = "command": argv for active, mailboxes, switch."""
    ldap: DirectoryEntries | None = None
    """map = "ldap://…": what stands where."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Organization:
    """Everything one configuration describes."""

    name: str
    servers: Mapping[str, Server]
    access_points: Mapping[str, AccessPoint] = field(default_factory=dict)
    databases: Mapping[str, Database] = field(default_factory=dict)
    identity: str = "mailward"
    """The token by which probes recognise messages of this organization as their own."""
    routing: RoutingMap | None = None
    """None: nobody says which copy is active but the configuration, and no database can be moved."""
    language: str = "en"
    """In which people are told (RFC 5646); a channel may have another."""
    documentation: str = ""
    """
    Where people read what a monitor means: the address under which docs/ is found, or one with `{monitor}` for the
    monitor's name; "": nobody says, and they are told the command and the page.
    """

    dashboard: str = ""
    """Under which address people reach the dashboard, without a slash at its end; "": nobody says."""

    def server_named(self, name: str) -> Server:
        """
        Find a server by short name, FQDN or any name it shows, without regard to case.

        Raises:
            NotFound: No server has that name; the text names the nearest.
        """
        found = self.find_server(name)
        if found is None:
            raise NotFound(_unknown("server", name, self.servers))
        return found

    def find_server(self, name: str) -> Server | None:
        """The same for a name that others use, such as a map or a server's greeting; None: no server has it."""
        if name in self.servers:  # as pages and programs ask, of ten thousand servers too
            return self.servers[name]
        wanted = name.lower()
        for server in self.servers.values():
            names = {server.name.lower(), *(known.lower() for known in server.known_as)}
            if wanted in names or wanted in {known.split(".")[0] for known in names if not known[:1].isdigit()}:
                return server
        return None

    def database_named(self, name: str) -> Database:
        """
        Find a mailbox database by its name, without regard to case where none is spelled so.

        Raises:
            NotFound: No database has that name; the text names the nearest.
        """
        folded = (one for one in self.databases.values() if one.name.lower() == name.lower())
        found = self.databases.get(name) or next(folded, None)
        if found is None:
            raise NotFound(_unknown("database", name, self.databases))
        return found

    def active_on(self, server: str) -> tuple[Database, ...]:
        """The databases whose active copy is on *server*."""
        return tuple(database for database in self.databases.values() if database.active == server)

    def health_mailboxes_on(self, server: str) -> tuple[str, ...]:
        """The users of the health mailboxes that may be served by a mailbox server: its own, and each copy's."""
        own = self.servers[server].health_mailbox
        of_copies = (one.health_mailbox for one in self.databases.values() if server in one.copies)
        return tuple(dict.fromkeys(mailbox.user for mailbox in (own, *of_copies) if mailbox is not None))

    def with_active(self, active: Mapping[str, str]) -> "Organization":
        """The organization with the active copies where *active* (database -> server) says; it may name others."""
        return replace(
            self,
            databases={
                name: replace(database, active=active.get(name, database.active))
                for name, database in self.databases.items()
            },
        )

    @property
    def proxies(self) -> tuple[Server, ...]:
        """The servers clients are passed on from."""
        return tuple(server for server in self.servers.values() if server.is_proxy)

    @property
    def mailbox_servers(self) -> tuple[Server, ...]:
        """The servers mailbox databases live on."""
        return tuple(server for server in self.servers.values() if server.is_mailbox)


_NAMED_MOST = 12
"""More names than these are no help to whoever mistyped one."""


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    spelled = {one.lower(): one for one in known}
    nearest = get_close_matches(name.lower(), spelled, n=1, cutoff=0.5)
    all_of_them = ", ".join(sorted(spelled.values())[:_NAMED_MOST]) or "none"
    if len(spelled) > _NAMED_MOST:
        all_of_them += f" and {len(spelled) - _NAMED_MOST} more"
    hint = f"; did you mean {spelled[nearest[0]]!r}?" if nearest else f"; known: {all_of_them}"
    return f"there is no {what} {name!r}{hint}"
