"""Whether a door may be opened to others, and by which TLS."""

import subprocess

import pytest

from mailward.model.credentials import Role
from mailward.model.errors import ConfigError
from mailward.web.door import refuse_open_door, tls_of
from mailward.web.settings import WebSettings

OPEN = WebSettings(host="0.0.0.0", public_url="https://mailward.example.org")


async def test_where_others_come_in_somebody_must_be_able_to_log_in(keyring):
    refuse_open_door(WebSettings(), await keyring.known())
    with pytest.raises(ConfigError, match="mailward users add NAME --role operator"):
        refuse_open_door(OPEN, await keyring.known())

    await keyring.add_token("grafana", Role.VIEWER, lasting=None, actor="root")
    refuse_open_door(OPEN, await keyring.known())


@pytest.mark.parametrize(
    ("web", "is_loopback", "is_secure", "names"),
    [
        (WebSettings(), True, False, ("127.0.0.1",)),
        (OPEN, False, True, ("0.0.0.0", "mailward.example.org")),
        (WebSettings(host="::1", public_url="http://MW.example:8143"), True, False, ("::1", "mw.example")),
    ],
)
def test_what_the_settings_come_to(web, is_loopback, is_secure, names):
    assert (is_loopback, is_secure, names) == (web.is_loopback, web.is_secure, web.names)


def test_a_certificate_is_loaded_before_anything_is_served(tmp_path):
    certificate, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    web = WebSettings(certificate_file=certificate, key_file=key)
    assert None is tls_of(WebSettings())
    with pytest.raises(ConfigError, match="tls.pem and .*tls.key cannot be used: No such file"):
        tls_of(web)

    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*words, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    assert tls_of(web) is not None

    certificate.write_text("no certificate")
    with pytest.raises(ConfigError, match="cannot be used"):
        tls_of(web)
