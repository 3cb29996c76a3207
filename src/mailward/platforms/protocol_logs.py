"""From the configuration's words to the protocol logs of mailbox servers."""

from collections.abc import Mapping

from mailward.model.organization import Organization, Server
from mailward.platforms.commands import DaemonStarter, LocalRunner
from mailward.platforms.dovecot.protocol_log import DovecotProtocolLog
from mailward.platforms.local.system_clock import SystemClock
from mailward.platforms.no_protocol_log import NoProtocolLog
from mailward.platforms.reach.ssh import LOCAL
from mailward.ports.protocol_log import ProtocolLog


def protocol_logs_for(organization: Organization) -> Mapping[str, ProtocolLog]:
    """Those of the mailbox servers whose Dovecot is named, by server."""
    return {
        name: log
        for name, server in organization.servers.items()
        if server.is_mailbox and (log := _log(organization, server)) is not None
    }


def _log(organization: Organization, server: Server) -> ProtocolLog | None:
    if server.host.doveadm is None:
        return None
    if server.host.reach != LOCAL:
        because = (
            f"the protocol log of {server.name} is not available over ssh: mailward-host has no verb for it;"
            " switch it by hand there, as its how-to says"
        )
        return NoProtocolLog(server.name, because)
    return DovecotProtocolLog(
        server.name,
        server.host.doveadm,
        organization.health_mailboxes_on(server.name),
        runner=LocalRunner(),
        starter=DaemonStarter(),
        clock=SystemClock(),
    )
