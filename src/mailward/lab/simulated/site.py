"""The running parts of a simulated organization: its hosts, the copies of its databases, and the map of users."""

from mailward.lab.simulated.drawing import health_user, password_of
from mailward.lab.simulated.entrance import REJECTED, Entrance, Led, an_obedient_server, turned_away
from mailward.lab.simulated.host import SimulatedHost
from mailward.model.organization import Database, Organization, Role, Server
from mailward.testing.mailboxes import StoredMailbox
from mailward.testing.obedient_server import ObedientServer


class Hosts:
    """Every host of an organization, up and well."""

    def __init__(self, organization: Organization) -> None:
        """Put mailboxes where the organization says, and the active copies of its databases on the map."""
        self.organization = organization
        self.copies: dict[tuple[str, str], ObedientServer] = {}
        """By (server, database); the local health mailbox of a server under its own name twice."""
        self.map: dict[str, str] = {}
        """Which mailbox server each health mailbox is served by, as the proxies know it."""
        self.replicated: dict[str, StoredMailbox] = {}
        """The health mailbox of each database, which all of its copies share."""
        self._homes: dict[tuple[str, str], ObedientServer] = {}
        """By (server, user)."""
        self._make_copies()
        self.by_name = {name: self._host(server) for name, server in organization.servers.items()}

    def copies_on(self, server: str) -> list[ObedientServer]:
        """Everything that is stored on a mailbox server, its local health mailbox included."""
        names = [database.name for database in self.organization.databases.values() if server in database.copies]
        return [self.copies[server, name] for name in (*names, server)]

    def _make_copies(self) -> None:
        for database in self.organization.databases.values():
            self._make_copies_of(database)
        for server in self.organization.mailbox_servers:
            self._make_copy(server.name, server.name, StoredMailbox())

    def _make_copies_of(self, database: Database) -> None:
        replicated = self.replicated[database.name] = StoredMailbox()
        for server in database.copies:
            self._make_copy(server, database.name, replicated)
        self.map[health_user(database.name)] = database.active

    def _make_copy(self, server: str, name: str, mailbox: StoredMailbox) -> None:
        user = health_user(name)
        copy = an_obedient_server({user: password_of(user)}, name=server)
        copy.mailboxes[user, "INBOX"] = mailbox
        self.copies[server, name] = self._homes[server, user] = copy

    def _host(self, server: Server) -> SimulatedHost:
        role = Role.PROXY if server.is_proxy else Role.MAILBOX
        lead = self._lead_on if server.is_proxy else self._lead_home
        entrance = Entrance(lambda user: lead(server.name, user))
        return SimulatedHost(server.name, role=role, address=server.imap.host, entrance=entrance)

    def _lead_home(self, server: str, user: str) -> Led:
        home = self._homes.get((server, user))
        return turned_away(REJECTED) if home is None else home.session()

    def _lead_on(self, proxy: str, user: str) -> Led:
        server = self.map.get(user)
        if server is None:
            return turned_away(REJECTED)
        return self.by_name[server].to_proxy(way_is_cut=self.by_name[proxy].is_path_cut)
