"""Which server an alert of another system is about."""

import pytest

from mailward.model.notification import Notification
from mailward.model.organization import AccessPoint, ImapEndpoint, Organization, Role, Server
from mailward.monitors.notified import placed

POINT = "imap.example.org"
ORGANIZATION = Organization(
    name="example",
    servers={
        name: Server(
            name=name,
            roles=frozenset({Role.MAILBOX}),
            imap=ImapEndpoint(host=name),
            known_as=(f"{name}.example.org",),
        )
        for name in ("be1", "be2")
    },
    access_points={
        "imap.example.org": AccessPoint(name="imap.example.org", imap=ImapEndpoint(host="imap.example.org"))
    },
)


def named(name="DiskFull", **labels):
    (one,) = placed([Notification(name=name, firing=True, fingerprint="f", labels=labels)], ORGANIZATION)
    return one.server


@pytest.mark.parametrize(
    ("labels", "server"),
    [
        ({"server": "be1"}, "be1"),
        ({"instance": "be1.example.org:9100"}, "be1"),
        ({"instance": "BE2:9100"}, "be2"),
        ({"nodename": "be2.other.example.net"}, "be2"),
        ({"instance": "imap.example.org:993"}, "imap.example.org"),
        ({"server": "be1", "instance": "be2:9100"}, "be1"),
        ({"server": "unheard-of", "instance": "be2:9100"}, "be2"),
    ],
)
def test_a_machine_is_known_by_its_names_with_or_without_a_port(labels, server):
    assert server == named(**labels)


@pytest.mark.parametrize("labels", [{}, {"server": ""}, {"instance": "10.0.0.1:9100"}, {"job": "be1"}])
def test_what_names_no_server_is_placed_nowhere(labels):
    assert "" == named(**labels)


def test_what_mailward_said_itself_does_not_come_back():
    assert "" == named("ImapMailboxServer", organization="example", tier="mailbox server", server="be1")
    assert "" == named("MailwardHealthSetUnhealthy", server="be1")
    assert "be1" == named("ImapMailboxServer", organization="another", tier="mailbox server", server="be1")
