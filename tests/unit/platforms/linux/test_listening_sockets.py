"""What `ss -Hltn` prints (iproute2 6.1)."""

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.linux.listening_sockets import parse

PRINTED = """\
LISTEN 0      100    127.0.0.21:30024       0.0.0.0:*
LISTEN 2001   2000      0.0.0.0:993         0.0.0.0:*
LISTEN 3      4096         [::]:993            [::]:*
LISTEN 0      128             *:143               *:*
LISTEN 0      128    [fe80::1%eth0]:143        [::]:*
"""


def test_each_socket_with_its_queue():
    sockets = parse(PRINTED)

    assert [
        ("127.0.0.21", 30024, 0, 100),
        ("0.0.0.0", 993, 2001, 2000),
        ("::", 993, 3, 4096),
        ("*", 143, 0, 128),
        ("fe80::1", 143, 0, 128),
    ] == [(one.address, one.port, one.queue.waiting, one.queue.backlog) for one in sockets]
    assert [False, True, True, True, False] == [one.is_everywhere for one in sockets]
    assert [False, True, False, False, False] == [one.queue.is_full for one in sockets]


def test_nothing_listens():
    assert () == parse("")


@pytest.mark.parametrize(
    "line", ["LISTEN", "LISTEN x 5 1.2.3.4:5 *:*", "LISTEN 0 5 1.2.3.4 *:*", "LISTEN 0 5 a:http *:*"]
)
def test_what_cannot_be_read_is_said(line):
    with pytest.raises(TemporaryFailure, match="ss -Hltn: its answer cannot be read"):
        parse(line)
