"""
Who may do what over the unix socket: the caller is the user at the other end, as the kernel says.

The manager's own user and root are operators, members of the group `mailward` are viewers, everybody else is refused.
The kernel's word is taken at the moment of the connection; no directory is asked, which may be down just then.
"""

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

VIEWER_GROUP = "mailward"
_SO_PEERGROUPS = 59
"""Linux 4.13, <asm-generic/socket.h>; Python's socket module does not name it."""
_GROUPS_MAX = 1024
"""What Python's getsockopt takes at most: 256 groups."""
_CREDENTIALS = struct.Struct("3i")
_GROUP = struct.Struct("I")


class Right(IntEnum):
    """What a caller may do; a greater one includes the smaller."""

    NONE = 0
    """What load balancers and the page to log in on need."""
    VIEWER = 1
    OPERATOR = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """The process at the other end of a unix socket."""

    uid: int
    groups: frozenset[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Somebody who may come in."""

    name: str
    """Whom to record as having done it."""
    right: Right
    has_session: bool = False
    """Whether they logged in, and can log out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """The rule by which a peer becomes a caller."""

    owner_uid: int
    owner_name: str
    viewer_group: int | None
    """Number of the viewers' group; None when this host has none."""

    def caller(self, peer: Peer) -> Caller | None:
        """Who *peer* is to us, or None when it has no business here."""
        if peer.uid == self.owner_uid:
            return Caller(name=self.owner_name, right=Right.OPERATOR)
        if peer.uid == 0:
            return Caller(name="root", right=Right.OPERATOR)
        if self.viewer_group is not None and self.viewer_group in peer.groups:
            return Caller(name=f"uid {peer.uid}", right=Right.VIEWER)
        return None


def access_of_this_process() -> Access:
    """The rule for a manager that runs as this process; reads the user database once."""
    uid = os.geteuid()
    return Access(owner_uid=uid, owner_name=_user_name(uid), viewer_group=_group_number(VIEWER_GROUP))


def peer_of(connection: socket.socket) -> Peer:
    """
    Ask the kernel who is at the other end.

    Raises:
        OSError: It cannot say, as for anything but a connected unix socket.
    """
    _, uid, gid = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    groups = {gid}
    try:
        answer = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_MAX)
    except OSError:  # an older kernel: the primary group has to do
        answer = b""
    groups.update(number for (number,) in _GROUP.iter_unpack(answer))
    return Peer(uid=uid, groups=frozenset(groups))


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _group_number(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
