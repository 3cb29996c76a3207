"""How the dashboard is served: nothing that lets passwords travel readable."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from mailward.config.load import manager_of, read

PLAIN = "web.listen is open to others without encryption, and passwords would travel readable"


def reading(tmp_path: Path, web: str):
    path = tmp_path / "mailward.toml"
    path.write_text(f"[web]\n{web}\n")
    return read(path)


@pytest.mark.parametrize(
    ("web", "said"),
    [
        ("listen = '127.0.0.1:8143'", ""),
        ("listen = '127.0.0.1:8143'\npublic_url = 'http://mailward.example.org'", ""),
        ("listen = '0.0.0.0:8143'", PLAIN),
        ("listen = '0.0.0.0:8143'\npublic_url = 'http://mailward.example.org'", PLAIN),
        ("listen = '0.0.0.0:8143'\npublic_url = 'https://mailward.example.org'", ""),
        ("listen = '[::]:8143'\ncertificate_file = 'a'\nkey_file = 'b'", ""),
        ("certificate_file = 'a'", "web.key_file is missing; certificate_file needs it"),
        ("key_file = 'a'", "web.certificate_file is missing; key_file needs it"),
        ("trusted_proxies = ['proxy.example.org']", "must be an IP address or a network"),
        ("trusted_proxies = ['10.0.0.1/8']", "must be an IP address or a network"),
    ],
)
def test_what_is_wrong_with_the_door(tmp_path, web, said):
    found = [str(mistake) for mistake in reading(tmp_path, web).mistakes if "web." in str(mistake)]

    assert bool(said) == bool(found), found
    assert all(said in one for one in found)


def test_what_is_written_is_what_is_served(tmp_path):
    web = manager_of(
        reading(
            tmp_path,
            "certificate_file = 'tls.pem'\nkey_file = '/etc/tls.key'\ntrusted_proxies = ['127.0.0.1', '10.0.0.0/8']\n"
            "session_lasts = '7d'\nsession_idle = '30m'",
        ),
        {},
    ).web

    assert (tmp_path / "tls.pem", Path("/etc/tls.key")) == (web.certificate_file, web.key_file)
    assert (ip_network("127.0.0.1"), ip_network("10.0.0.0/8")) == web.trusted_proxies
    assert (7 * 24, 0.5) == (web.session_lasts.total_seconds() / 3600, web.session_idle.total_seconds() / 3600)
