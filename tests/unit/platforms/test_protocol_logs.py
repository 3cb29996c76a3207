"""Which mailbox servers have a protocol log, by their configuration."""

from dataclasses import replace

import pytest

from mailward.model.errors import Refused
from mailward.model.organization import HostAccess, ImapEndpoint, Organization, Role, Server
from mailward.platforms.dovecot.protocol_log import DovecotProtocolLog
from mailward.platforms.protocol_logs import protocol_logs_for
from mailward.testing.platform import NOON

CONF = "/etc/dovecot/dovecot.conf"


def logs_of(host: HostAccess, *roles: Role):
    server = Server(name="mbx1", roles=frozenset(roles or {Role.MAILBOX}), imap=ImapEndpoint(host="mbx1"), host=host)
    return protocol_logs_for(Organization(name="example", servers={"mbx1": server}))


def test_a_mailbox_server_whose_dovecot_is_here_has_one():
    assert isinstance(logs_of(HostAccess(doveadm=CONF))["mbx1"], DovecotProtocolLog)
    assert isinstance(logs_of(HostAccess(doveadm=CONF), Role.PROXY, Role.MAILBOX)["mbx1"], DovecotProtocolLog)


def test_a_proxy_and_a_server_whose_dovecot_is_not_named_have_none():
    assert {} == logs_of(HostAccess(doveadm=CONF), Role.PROXY)
    assert {} == logs_of(HostAccess())


async def test_over_ssh_it_is_not_available_and_everything_says_so():
    log = logs_of(replace(HostAccess(doveadm=CONF), reach="ssh:mailward-host@mbx1"))["mbx1"]

    standing = await log.standing()

    assert not standing.is_available
    assert "not available over ssh" in standing.because
    for deed in (
        log.on(["health"], until=NOON),
        log.off(),
        log.keep_deadline(),
        log.conversations("health", since=NOON),
    ):
        with pytest.raises(Refused, match="not available over ssh"):
            await deed
