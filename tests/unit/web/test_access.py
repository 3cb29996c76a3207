"""Who is who over the socket."""

import os
import socket

import pytest

from mailward.web.access import Access, Caller, Peer, Right, access_of_this_process, peer_of

ACCESS = Access(owner_uid=990, owner_name="mailward", viewer_group=991)


@pytest.mark.parametrize(
    ("peer", "caller"),
    [
        (Peer(uid=990, groups=frozenset()), Caller(name="mailward", right=Right.OPERATOR)),
        (Peer(uid=0, groups=frozenset({0})), Caller(name="root", right=Right.OPERATOR)),
        (Peer(uid=1000, groups=frozenset({100, 991})), Caller(name="uid 1000", right=Right.VIEWER)),
        (Peer(uid=1000, groups=frozenset({990})), None),
        (Peer(uid=65534, groups=frozenset()), None),
    ],
)
def test_the_kernel_says_who_somebody_is_and_the_rule_what_he_may(peer, caller):
    assert caller == ACCESS.caller(peer)


def test_where_there_is_no_group_of_viewers_nobody_is_one():
    access = Access(owner_uid=990, owner_name="mailward", viewer_group=None)

    assert access.caller(Peer(uid=1000, groups=frozenset({0, 991}))) is None


def test_the_peer_of_our_own_connection_is_ourselves():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        peer = peer_of(ours)

    assert os.getuid() == peer.uid
    assert {os.getgid(), *os.getgroups()} == peer.groups


@pytest.mark.skipif(os.getuid() != 0, reason="only root can join any group")
def test_the_kernel_tells_every_group_and_not_only_the_first():
    before = os.getgroups()
    os.setgroups([991, 4711])
    try:
        ours, theirs = socket.socketpair(socket.AF_UNIX)
    finally:
        os.setgroups(before)
    with ours, theirs:
        groups = peer_of(ours).groups

    assert {991, 4711} <= groups


def test_our_own_process_is_an_operator():
    caller = access_of_this_process().caller(Peer(uid=os.geteuid(), groups=frozenset()))

    assert caller is not None
    assert Right.OPERATOR == caller.right
