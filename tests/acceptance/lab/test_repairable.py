"""What the lab offers to whoever repairs it: faults that a start does not cure, hosts that restart, an access point."""

import imaplib
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from mailward.lab import control, haproxy_conf, session
from mailward.lab.lab import Lab
from mailward.model.errors import Refused, TemporaryFailure


def test_a_dead_service_cannot_be_started_although_its_configuration_is_valid(one_box: Lab) -> None:
    door = one_box.blueprint.host("mail").control_socket
    one_box.break_("service-dead@mail")

    with pytest.raises(Refused, match="Failed to start listeners"):
        one_box.start("mail")

    assert ("failed", True) == (one_box.status()["mail"]["state"], control.ask(door, "check")["valid"])
    one_box.heal()
    assert "mail" == one_box.log_in("anna", on="mail")


def test_a_mistake_on_disk_lets_the_service_run_and_no_restart_through(one_box: Lab) -> None:
    door = one_box.blueprint.host("mail").control_socket
    before = one_box.status()["mail"]["pid"]
    one_box.break_("configuration-broken@mail")

    checked = control.ask(door, "check")
    with pytest.raises(Refused, match="no_such_setting"):
        control.ask(door, "restart")

    assert checked["valid"] is False
    assert "no_such_setting" in str(checked["because"])
    assert before == one_box.status()["mail"]["pid"]
    assert "mail" == one_box.log_in("anna", on="mail")


def test_only_a_restart_of_the_host_relieves_an_exhausted_one(one_box: Lab) -> None:
    door = one_box.blueprint.host("mail").control_socket
    one_box.break_("host-exhausted@mail")
    control.ask(door, "restart")
    eventually(lambda: "hung" == one_box.status()["mail"]["state"])

    control.ask(door, "restart-host")

    eventually(lambda: not door.exists())
    eventually(lambda: "running" == one_box.status()["mail"]["state"])
    eventually(lambda: can_log_in(one_box, "anna", "mail"))


def test_a_host_that_restarts_takes_its_sessions_along_and_keeps_the_mail(one_box: Lab) -> None:
    host = one_box.blueprint.host("mail")
    session_of_old = session.logged_in(one_box.blueprint, host, "boris")
    with session_of_old as client:
        before = int(client.select()[1][0] or 0)
        client.append("INBOX", "", "", b"Subject: kept\r\n\r\nkept\r\n")

        control.ask(host.control_socket, "restart-host")

        eventually(lambda: is_torn(client))
    with pytest.raises(TemporaryFailure):
        control.ask(host.control_socket, "status")
    eventually(lambda: can_log_in(one_box, "boris", "mail"))
    with session.logged_in(one_box.blueprint, host, "boris") as client:
        assert ("OK", [b"%d" % (before + 1)]) == client.select(readonly=True)


@pytest.fixture
def balanced(lab: Lab) -> Iterator[Lab]:
    if lab.blueprint.balancer is None:
        pytest.skip("this machine has no haproxy: scripts/servers installs it")
    yield lab
    eventually(lambda: {"UP"} == set(members(lab).values()))


def test_users_reach_their_mail_by_the_access_point_which_shows_the_proxies_who_they_are(balanced: Lab) -> None:
    assert "be1" == balanced.log_in("anna", on="balancer")
    assert "be2" == balanced.log_in("gustav", on="balancer")
    # a health mailbox is open to the prober's address alone
    assert "be1" == balanced.log_in("health-db1", on="balancer")
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        balanced.log_in("health-db1", on="balancer", source="127.0.0.1")


def test_the_access_point_takes_a_dead_proxy_out_by_itself_and_a_hung_one_not(balanced: Lab) -> None:
    balanced.break_("service-failed@proxy1")
    eventually(lambda: members(balanced) == {"proxy1": "DOWN", "proxy2": "UP"})
    assert ["be1"] * 4 == [balanced.log_in("anna", on="balancer") for _ in range(4)]
    balanced.heal()
    eventually(lambda: {"UP"} == set(members(balanced).values()))

    balanced.break_("service-hung@proxy1")

    with pytest.raises(AssertionError):
        eventually(lambda: {"UP"} != set(members(balanced).values()), seconds=4)


def members(lab: Lab) -> dict[str, str]:
    """The state of each proxy as HAProxy shows it."""
    assert lab.blueprint.balancer is not None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(haproxy_conf.runtime_socket(lab.blueprint.balancer)))
        connection.sendall(f"show stat {haproxy_conf.BACKEND} 4 -1\n".encode())
        with connection.makefile() as answer:
            rows = [line.split(",") for line in answer if line.strip() and not line.startswith("#")]
    return {row[1]: row[17] for row in rows}


def can_log_in(lab: Lab, user: str, host: str) -> bool:
    try:
        return lab.log_in(user, on=host) is not None
    except session.BROKEN:
        return False


def is_torn(client: imaplib.IMAP4) -> bool:
    try:
        client.noop()
    except session.BROKEN:
        return True
    return False


def eventually(happened: Callable[[], bool], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
