"""What HOST[:PORT] means."""

import pytest

from mailward.cli.endpoint import endpoint_of
from mailward.model.errors import Refused
from mailward.model.organization import Security


@pytest.mark.parametrize(
    ("target", "security", "host", "port", "meant"),
    [
        ("imap.example.org", None, "imap.example.org", 993, Security.TLS),
        ("imap.example.org:993", None, "imap.example.org", 993, Security.TLS),
        ("imap.example.org:143", None, "imap.example.org", 143, Security.STARTTLS),
        ("imap.example.org:143", Security.PLAIN, "imap.example.org", 143, Security.PLAIN),
        ("imap.example.org", Security.STARTTLS, "imap.example.org", 143, Security.STARTTLS),
        ("imap.example.org", Security.PLAIN, "imap.example.org", 143, Security.PLAIN),
        ("127.0.0.1:10993", None, "127.0.0.1", 10993, Security.TLS),
        ("2001:db8::1", None, "2001:db8::1", 993, Security.TLS),
        ("[2001:db8::1]", None, "2001:db8::1", 993, Security.TLS),
        ("[2001:db8::1]:143", None, "2001:db8::1", 143, Security.STARTTLS),
    ],
)
def test_a_target_is_read(target, security, host, port, meant):
    endpoint = endpoint_of(target, security=security)

    assert (host, port, meant) == (endpoint.host, endpoint.port, endpoint.security)


@pytest.mark.parametrize(
    "target",
    [
        "",
        ":993",
        "host:",
        "host:imap",
        "host:0",
        "host:65536",
        "[::1",
        "[::1]x",
        "a b",
        "imaps://host",
        "host/x",
        "h:٣",
    ],
)
def test_what_is_no_host_and_port_is_refused(target):
    with pytest.raises(Refused):
        endpoint_of(target)


def test_two_different_ports_are_refused():
    with pytest.raises(Refused, match="993 and 143"):
        endpoint_of("host:993", port=143)
    assert 993 == endpoint_of("host:993", port=993).port
