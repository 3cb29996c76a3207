"""From the configuration's words to the ports by which databases are moved."""

from collections.abc import Mapping

from mailward.model.organization import Organization, Server
from mailward.platforms.commands import DaemonStarter, LocalRunner
from mailward.platforms.dovecot.doveadm import Doveadm, LocalDoveadm
from mailward.platforms.dovecot.proxy import DovecotProxy
from mailward.platforms.dovecot.replication import DovecotReplication
from mailward.platforms.reach.mailward_host import LARGEST_LIST
from mailward.platforms.reach.remote_doveadm import RemoteDoveadm
from mailward.platforms.reach.ssh import LOCAL
from mailward.platforms.routing.command_map import CommandMap
from mailward.platforms.routing.ldap_map import LdapMap
from mailward.platforms.services import mailward_host_for
from mailward.ports.mailbox_routing import MailboxRouting, ProxyControl
from mailward.ports.replication import Replication
from mailward.ports.secrets import Secrets

_COMMAND = "command"


def routing_for(organization: Organization, secrets: Secrets) -> MailboxRouting | None:
    """The map of an organization, or None where its configuration names none."""
    settings = organization.routing
    if settings is None:
        return None
    if settings.map == _COMMAND:
        return CommandMap(settings, looking=LocalRunner(largest=LARGEST_LIST), doing=DaemonStarter())
    ref = settings.password

    def password() -> str | None:
        return None if ref is None else secrets.reveal(ref)

    if settings.ldap is not None:
        return LdapMap(settings, password, LocalRunner(largest=LARGEST_LIST))
    from mailward.platforms.routing.sql_map import SqlMap  # noqa: PLC0415 - SQLAlchemy takes a while to load

    return SqlMap(settings, password)


def proxy_controls_for(organization: Organization) -> Mapping[str, ProxyControl]:
    """The proxies whose sessions and caches are reached, by server."""
    return {
        name: DovecotProxy(doveadm)
        for name, server in organization.servers.items()
        if server.is_proxy and (doveadm := doveadm_for(server)) is not None
    }


def replication_for(organization: Organization) -> Mapping[str, Replication]:
    """The mailbox servers whose replication is reached, by server."""
    servers = {name: server for name, server in organization.servers.items() if server.is_mailbox}
    peers = {
        name: server.host.replication_address
        for name, server in servers.items()
        if server.host.replication_address is not None
    }
    return {
        name: DovecotReplication(doveadm, peers)
        for name, server in servers.items()
        if (doveadm := doveadm_for(server)) is not None
    }


def doveadm_for(server: Server) -> Doveadm | None:
    """
    The doveadm of a server, here or there as it is reached, or None where its configuration names none.

    There mailward-host says for which Dovecot.
    """
    if server.host.doveadm is None:
        return None
    if server.host.reach == LOCAL:
        return LocalDoveadm(server.host.doveadm, LocalRunner(largest=LARGEST_LIST))
    return RemoteDoveadm(mailward_host_for(server))
