"""What a request over HTTP does when its time is up."""

import socket
import ssl
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from mailward.notify.http import Request, _Exchange

URL = "https://127.0.0.1/hook"


def test_a_connection_that_is_abandoned_stays_encrypted_to_its_end():
    trust = ssl.create_default_context()
    wanted = Request(channel="hook", method="POST", url=URL, timeout=timedelta(seconds=1), trust=trust)
    exchange = _Exchange(wanted, urlsplit(URL))
    ours, theirs = socket.socketpair()
    secure = trust.wrap_socket(ours, server_hostname="x", do_handshake_on_connect=False)
    exchange._socket = secure

    exchange.abandon()

    with theirs, secure, pytest.raises(OSError, match="EOF|Broken pipe"):
        secure.do_handshake()  # the thread finds its end; without its encryption this is an AttributeError
