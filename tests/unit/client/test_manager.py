"""What the client sends: names survive the path, and of a hold only what a caller may say."""

import json
from datetime import UTC, datetime

import pytest

from mailward.client.manager import ManagerClient
from mailward.model.holds import Hold, HoldKind
from mailward.model.wire import answer
from mailward.ports.service_control import ServiceDeed
from mailward.testing.repair_values import SERVICES, WAITING_STORY

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOLD = Hold(kind=HoldKind.PAUSE, subject="mbx2", value="on", owner="me", reason="r", since=NOON, id=7)


def an_answer(value) -> bytes:
    body = json.dumps(answer(value)).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def test_a_name_is_one_part_of_the_path_whatever_it_holds(answering):
    with answering(an_answer(SERVICES["mbx2"])) as (path, requests):
        assert SERVICES["mbx2"] == ManagerClient(path).service("a/b ?#%")

    assert requests[0].startswith(b"GET /api/v1/service/a%2Fb%20%3F%23%25 HTTP/1.1\r\n")


def test_of_a_hold_only_what_a_caller_may_say_is_sent(answering):
    with answering(an_answer(HOLD)) as (path, requests):
        assert HOLD == ManagerClient(path).hold(HOLD)

    sent = json.loads(requests[0].partition(b"\r\n\r\n")[2])
    assert {"kind", "subject", "value", "reason", "since", "until", "requester", "data"} == set(sent)
    assert "2026-11-24T12:00:00.000Z" == sent["since"]


@pytest.mark.parametrize("word", ["approve", "deny", "abort"])
def test_a_word_goes_to_its_own_route(answering, word):
    with answering(an_answer(WAITING_STORY.operation)) as (path, requests):
        getattr(ManagerClient(path), word)(2, reason="because")

    assert requests[0].startswith(f"POST /api/v1/recoveries/2/{word} HTTP/1.1\r\n".encode())
    assert requests[0].endswith(b'{"reason": "because"}')


@pytest.mark.parametrize(
    ("order", "path", "sent"),
    [
        (
            lambda client: client.move_database("a/b", to="mbx2", reason="r"),
            b"/databases/a%2Fb/move",
            {"to": "mbx2", "reason": "r", "dry_run": False, "force": False, "only_planned": False},
        ),
        (
            lambda client: client.move_database("DB1", dry_run=True, force=True, only_planned=True),
            b"/databases/DB1/move",
            {"to": None, "reason": "", "dry_run": True, "force": True, "only_planned": True},
        ),
        (
            lambda client: client.drain("mbx1", dry_run=True, only_planned=True),
            b"/servers/mbx1/drain",
            {"reason": "", "dry_run": True, "force": False, "only_planned": True},
        ),
        (
            lambda client: client.undrain("mbx1", move_back=True, only_planned=True),
            b"/servers/mbx1/undrain",
            {"reason": "", "dry_run": False, "move_back": True, "only_planned": True},
        ),
    ],
)
def test_an_order_to_move_is_sent_as_it_was_given(answering, order, path, sent):
    from mailward.ports.manager import MoveIntention

    intention = MoveIntention(server="mbx1", moves=(), answers=(), allowed=True, because="so", operations=(7,))
    with answering(an_answer(intention)) as (socket, requests):
        assert intention == order(ManagerClient(socket))

    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1" + path + b" HTTP/1.1\r\n")
    assert sent == json.loads(body)


def test_a_rehearsal_is_never_sent_as_the_deed(answering):
    from mailward.ports.manager import Intention

    intention = Intention(server="mbx2", command=("a",), answers=(), allowed=True, because="b")
    with answering(an_answer(intention)) as (path, requests):
        assert intention == ManagerClient(path).control_service("mbx2", ServiceDeed.STOP, dry_run=True)

    assert json.loads(requests[0].partition(b"\r\n\r\n")[2]) == {"reason": "", "dry_run": True, "force": False}
