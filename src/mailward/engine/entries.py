"""What an organization consists of, as people look through it: from the access points inwards."""

from mailward.model.organization import ImapEndpoint, Organization, Server
from mailward.ports.manager import ServerEntry, ServerKind

_ORDER = tuple(ServerKind)


def entries(organization: Organization) -> tuple[ServerEntry, ...]:
    """Servers and access points, from the outside in, then by name."""
    found = [
        ServerEntry(name=point.name, kind=ServerKind.ACCESS_POINT, address=_address(point.imap))
        for point in organization.access_points.values()
    ]
    active: dict[str, list[str]] = {}
    for database in organization.databases.values():
        active.setdefault(database.active, []).append(database.name)
    found += [
        ServerEntry(
            name=server.name,
            kind=_kind(server),
            address=_address(server.imap),
            site=server.site,
            databases=tuple(sorted(active.get(server.name, ()))),
        )
        for server in organization.servers.values()
    ]
    return tuple(sorted(found, key=lambda entry: (_ORDER.index(entry.kind), entry.name)))


def _kind(server: Server) -> ServerKind:
    if server.is_proxy and server.is_mailbox:
        return ServerKind.PROXY_AND_MAILBOX
    return ServerKind.PROXY if server.is_proxy else ServerKind.MAILBOX


def _address(imap: ImapEndpoint) -> str:
    host = f"[{imap.host}]" if ":" in imap.host else imap.host
    return f"{host}:{imap.port}"
