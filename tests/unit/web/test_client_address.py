"""What stands in X-Forwarded-For is believed only as far as configured proxies wrote it."""

from ipaddress import ip_network

import pytest

from mailward.web.client_address import client_address

PROXIES = (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["1.2.3.4, 198.51.100.9"], "198.51.100.9"),
        ("127.0.0.1", ["1.2.3.4", "198.51.100.9, 10.1.1.1"], "198.51.100.9"),
        ("127.0.0.1", ["10.1.1.1"], "10.1.1.1"),
        ("127.0.0.1", ["198.51.100.9:4711"], "198.51.100.9"),
        ("fd00::1", ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("::ffff:127.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("127.0.0.1", ["198.51.100.9, unknown"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("unknown", ["198.51.100.9"], "unknown"),
    ],
)
def test_the_last_address_that_a_trusted_proxy_wrote_is_the_clients(peer, forwarded, address):
    assert address == client_address(peer, forwarded, PROXIES)


def test_without_configured_proxies_nobody_is_believed():
    assert "127.0.0.1" == client_address("127.0.0.1", ["198.51.100.9"], ())
