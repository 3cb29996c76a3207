"""
Which servers and databases a simulated organization has, by size; names are those of the lab.

Two-tier: two proxies, mailbox servers be1, be2, …, each pair holding each other's copies, databases DB1, DB2, … One
box: mail, mail2, …, each its own access point, without copies.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address

from mailward.lab.blueprint import DOMAIN, Shape
from mailward.lab.simulated.entrance import BACKEND_TIMEOUT_S
from mailward.model.organization import (
    AccessPoint,
    Database,
    HealthMailbox,
    HostAccess,
    ImapEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
    TlsPolicy,
)

_PROXIES = 2
_FIRST_PROXY, _FIRST_MAILBOX_SERVER, _FIRST_BOX = 11, 21, 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where a simulated organization is met."""

    network: str = "10.0.0.0"
    """The address that hosts are numbered from."""
    port: int = 993
    ca_file: str | None = None
    source_address: str | None = None
    """Where probes come from; None leaves it to the machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How many servers and databases there are."""

    shape: Shape
    servers: int
    """Mailbox servers; a two-tier organization has two proxies before them."""
    databases_per_server: int
    site: Site = field(default_factory=Site)


def draw_organization(size: Size) -> Organization:
    """Everything a configuration of this organization would say."""
    draftsman = _Draftsman(size)
    if size.shape is Shape.TWO_TIER:
        return draftsman.two_tier()
    return draftsman.boxes()


def health_user(name: str) -> str:
    """The health mailbox of a server or database."""
    return f"health-{name.lower()}"


def password_of(user: str) -> str:
    """Nobody's mail is behind it."""
    return f"password of {user}"


class _Draftsman:
    def __init__(self, size: Size) -> None:
        self._size = size
        self._base = int(IPv4Address(size.site.network))

    def two_tier(self) -> Organization:
        names = [f"be{number}" for number in range(1, self._size.servers + 1)]
        proxies = [f"proxy{number}" for number in range(1, _PROXIES + 1)]
        servers = [self._server(name, Role.PROXY, _FIRST_PROXY + place) for place, name in enumerate(proxies)]
        servers += [self._server(name, Role.MAILBOX, _FIRST_MAILBOX_SERVER + place) for place, name in enumerate(names)]
        return self._organization(servers, names, copies=2)

    def boxes(self) -> Organization:
        names = ["mail", *(f"mail{number}" for number in range(2, self._size.servers + 1))]
        servers = [self._server(name, Role.MAILBOX, _FIRST_BOX + place) for place, name in enumerate(names)]
        points = [
            AccessPoint(
                name=f"{server.name.replace('mail', 'imap')}.{DOMAIN}", imap=server.imap, servers=(server.name,)
            )
            for server in servers
        ]
        return self._organization(servers, names, copies=1, points=points)

    def _organization(
        self, servers: list[Server], names: list[str], *, copies: int, points: list[AccessPoint] | None = None
    ) -> Organization:
        each = self._size.databases_per_server
        databases = {}
        for place, name in enumerate(names):
            peer = names[place ^ 1] if place ^ 1 < len(names) else names[0]
            for number in range(place * each + 1, place * each + each + 1):
                holders = tuple(dict.fromkeys((name, peer)))[:copies]
                databases[f"DB{number}"] = _database(f"DB{number}", holders)
        return Organization(
            name="simulation",
            identity="mailward-simulation",
            servers={server.name: server for server in servers},
            access_points={point.name: point for point in points or ()},
            databases=databases,
        )

    def _server(self, name: str, role: Role, number: int) -> Server:
        fqdn, site = f"{name}.{DOMAIN}", self._size.site
        return Server(
            name=name,
            roles=frozenset({role}),
            imap=ImapEndpoint(
                host=str(IPv4Address(self._base + number)),
                port=site.port,
                tls=TlsPolicy(ca_file=site.ca_file, expected_name=fqdn),
                source_address=site.source_address,
            ),
            health_mailbox=_mailbox(name) if role is Role.MAILBOX else None,
            host=HostAccess(service=f"simulated:{name}"),
            platform="simulated",
            backend_timeout=timedelta(seconds=BACKEND_TIMEOUT_S),
            known_as=frozenset({fqdn}),
        )


def _access_point(server: Server) -> AccessPoint:
    """The public name of one box."""
    name = f"{server.name.replace('mail', 'imap')}.{DOMAIN}"
    return AccessPoint(name=name, imap=server.imap, servers=(server.name,))


def _database(name: str, copies: tuple[str, ...]) -> Database:
    return Database(name=name, copies=copies, active=copies[0], health_mailbox=_mailbox(name), mailboxes=3)


def _mailbox(name: str) -> HealthMailbox:
    user = health_user(name)
    return HealthMailbox(user=user, password=SecretRef(kind=SecretKind.FILE, name=user))
