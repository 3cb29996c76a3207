"""
Cutting a host off the network without root, firewall or namespace.

A classic BPF program attached to a socket decides about every packet that arrives for it. On a listening socket it
sees the SYN, so a client that is not let in meets silence, exactly as behind a firewall that drops; accepted sockets
inherit it. The sockets belong to Dovecot; a copy of each is fetched with pidfd_getfd(2), which an ancestor may do.
"""

import ctypes
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mailward.lab.supervisor.processes import Process

#: asm-generic/socket.h; Python has no names for them.
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
#: The same number on every architecture (Linux 5.6).
_SYS_PIDFD_GETFD = 438

#: linux/bpf_common.h: load an absolute word; jump if equal; return a constant.
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
#: linux/filter.h SKF_NET_OFF, the start of the IPv4 header; its bytes 12 to 15 are the source address.
_SOURCE_ADDRESS = (-0x100000 + 12) & 0xFFFFFFFF
_WHOLE_PACKET = 0x40000

#: In `sources`: everyone.
EVERYONE = "*"

_libc = ctypes.CDLL(None, use_errno=True)


def drop(processes: Sequence[Process], sources: Sequence[str]) -> int:
    """
    Let no packet from *sources* reach any TCP socket of these processes; no sources lets everything through again.

    Returns:
        How many sockets were reached.

    Raises:
        PermissionError: The kernel lets this user neither fetch another process's socket nor attach a filter.
    """
    reached = 0
    for process in processes:
        for sock in _tcp_sockets(process.pid):
            with sock:
                _filter(sock, sources)
                reached += 1
    return reached


def permitted() -> bool:
    """Whether this user may attach a filter at all; hardened kernels keep it for root."""
    with socket.socket() as probe:
        try:
            _filter(probe, [EVERYONE])
        except OSError:
            return False
        return True


def program(sources: Sequence[str]) -> bytes:
    """The BPF program that drops packets from *sources* and accepts the rest."""
    if EVERYONE in sources:
        return _instruction(_RETURN, value=0)
    lines = [_instruction(_LOAD_WORD, value=_SOURCE_ADDRESS)]
    for number, source in enumerate(sources):
        (address,) = struct.unpack("!I", socket.inet_aton(source))
        lines.append(_instruction(_JUMP_IF_EQUAL, jump=len(sources) - number, value=address))
    lines += [_instruction(_RETURN, value=_WHOLE_PACKET), _instruction(_RETURN, value=0)]
    return b"".join(lines)


def _instruction(code: int, *, jump: int = 0, value: int) -> bytes:
    return struct.pack("=HBBI", code, jump, 0, value)


def _filter(sock: socket.socket, sources: Sequence[str]) -> None:
    if not sources:
        with suppress(FileNotFoundError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        return
    code = program(sources)
    memory = ctypes.create_string_buffer(code)
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(memory))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)


def _tcp_sockets(pid: int) -> Iterator[socket.socket]:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for entry in _descriptors(pid):
            copy = _libc.syscall(_SYS_PIDFD_GETFD, process, entry, 0)
            if copy < 0:
                error = ctypes.get_errno()
                if error == 1:  # EPERM
                    raise PermissionError(error, os.strerror(error))
                continue
            sock = socket.socket(fileno=copy)
            if sock.family == socket.AF_INET and sock.type == socket.SOCK_STREAM:
                yield sock
            else:
                sock.close()
    finally:
        os.close(process)


def _descriptors(pid: int) -> list[int]:
    found = []
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if str(entry.readlink()).startswith("socket:"):
                    found.append(int(entry.name))
    return found
