"""doveadm of another host: the same questions and answers as on the spot, with names that never are words of ssh."""

import pytest

from mailward.model.copies import ProxiedSession, SyncReport
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.dovecot.proxy import DovecotProxy
from mailward.platforms.dovecot.replication import DovecotReplication
from mailward.platforms.reach.mailward_host import ITSELF, SUDO, Host
from mailward.platforms.reach.remote_doveadm import RemoteDoveadm

PEER = "tcp:mbx2.example.org:12345"


@pytest.fixture
def doveadm(mailward_host, other_end):
    other_end.host = Host(unit="dovecot.service", config="/etc/dovecot/dovecot.conf", peers=(PEER,))
    return RemoteDoveadm(mailward_host)


async def test_sessions(doveadm, other_end):
    other_end.output = '[{"username":"größe","service":"imap","src-ip":"::1","dest-ip":"192.0.2.7","dest-port":"993"}]'

    assert (ProxiedSession(mailbox="größe", address="192.0.2.7"),) == await DovecotProxy(doveadm).sessions()


async def test_the_words_of_a_rehearsal_are_those_of_ssh(doveadm, other_end):
    shown = DovecotReplication(doveadm, {"mbx2": PEER}).command(with_server="mbx2")

    await DovecotReplication(doveadm, {"mbx2": PEER}).synchronise(["anna", "boris"], with_server="mbx2")

    assert [shown] == other_end.ssh
    assert ("--", "mbx1.example", "doveadm", "sync", PEER) == shown[-5:]


@pytest.mark.parametrize("names", [["anna"], ["anna", "o'neil", "a b; reboot", "größe", "👩", "$(id)"]])
async def test_names_are_read_and_in_no_command_line(names, doveadm, other_end):
    await DovecotProxy(doveadm).end_sessions(names)

    assert [(*SUDO, *ITSELF, "--as-root", "doveadm", "proxy", "kick")] == other_end.ran
    assert ["".join(f"{name}\n" for name in names).encode()] == other_end.given
    assert not any(name in word for word in other_end.ssh[0] for name in names)


async def test_an_odd_name_does_not_even_get_there(doveadm, other_end):
    for request in (("proxy", "kick"), ("replicator", "replicate"), ("sync", PEER)):
        with pytest.raises(Refused, match="the mailbox name"):
            await doveadm.run(*request, mailboxes=["anna", "*"])

    assert [] == other_end.ssh


async def test_a_thousand_sessions_are_ended_by_few_requests(doveadm, other_end):
    await DovecotProxy(doveadm).end_sessions([f"user{number}" for number in range(1001)])

    assert [500, 500, 1] == [given.count(b"\n") for given in other_end.given]


async def test_a_key_that_may_only_look_sees_but_ends_nothing(doveadm, other_end):
    other_end.read_only = True
    other_end.output = "[]"

    assert () == await DovecotProxy(doveadm).sessions()
    assert {} == await DovecotReplication(doveadm, {}).status()
    for refused in (
        DovecotProxy(doveadm).forget(),
        DovecotProxy(doveadm).end_sessions(["anna"]),
        DovecotReplication(doveadm, {}).hasten(["anna"]),
        DovecotReplication(doveadm, {"mbx2": PEER}).synchronise(["anna"], with_server="mbx2"),
    ):
        with pytest.raises(Refused, match="mbx1.example: this key may only look"):
            await refused


async def test_a_peer_the_host_does_not_have_is_refused(doveadm):
    with pytest.raises(
        Refused, match=r"nothing is synchronised with tcp:mbx3:1: it is not among peers of /etc/mailward"
    ):
        await DovecotReplication(doveadm, {"mbx3": "tcp:mbx3:1"}).synchronise(["anna"], with_server="mbx3")


@pytest.mark.parametrize("peer", ["tcp:a b:1", "tcp:a;b:1", "tcp:$(id):1", "tcp:[::1]:1"])
async def test_a_peer_that_could_mean_something_else_is_not_sent(peer, doveadm, other_end):
    with pytest.raises(Refused, match="cannot be sent to mailward-host"):
        await DovecotReplication(doveadm, {"x": peer}).synchronise(["anna"], with_server="x")

    assert [] == other_end.ssh


async def test_one_that_fails_there_is_named(doveadm, other_end):
    other_end.finished["sync"] = (75, "doveadm(anna): Fatal: connect(mbx2:12345) failed: Connection refused\n")

    report = await DovecotReplication(doveadm, {"mbx2": PEER}).synchronise(["anna"], with_server="mbx2")

    assert SyncReport(done=(), failed=(("anna", "connect(mbx2:12345) failed: Connection refused"),)) == report


async def test_a_host_that_is_not_reached_is_unknown(doveadm, other_end):
    other_end.lost = TemporaryFailure("no route to host")

    with pytest.raises(TemporaryFailure, match="no route to host"):
        await DovecotProxy(doveadm).sessions()


async def test_dovecot_2_4_over_ssh_has_no_replicator(doveadm, other_end):
    other_end.finished["replicator"] = (64, "usage: doveadm [-Dv]\n")

    with pytest.raises(Refused, match="this Dovecot has no replicator"):
        await DovecotReplication(doveadm, {}).status()
