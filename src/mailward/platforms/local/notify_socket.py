"""
systemd as the service manager: one datagram for each word, as sd_notify(3) and sd_watchdog_enabled(3) describe.

Written here instead of taken from a library, because it is a socket and five words.
"""

import logging
import socket
import time
from collections.abc import Mapping
from datetime import timedelta

_STATUS_EVERY = timedelta(seconds=10)
"""How old the line in `systemctl status` may be where no watchdog asks for more."""
_PATIENCE_S = 0.2
"""A service manager that takes nothing must not hold up the event loop."""
log = logging.getLogger(__name__)


class NotifySocket:
    """Tells systemd, or whoever listens at its address."""

    def __init__(self, address: str, *, watchdog: timedelta | None = None) -> None:
        """
        Nothing is sent yet.

        Args:
            address: The path of a datagram socket, or "@NAME" in the abstract name space; "": nobody listens.
            watchdog: How long silence may last until systemd ends this process; None: for ever.
        """
        self._address = address.replace("@", "\0", 1) if address.startswith("@") else address
        self._watchdog = watchdog
        self._is_heard = True

    @property
    def every(self) -> timedelta | None:
        """Half of what the watchdog allows, as sd_watchdog_enabled(3) recommends."""
        if not self._address:
            return None
        return self._watchdog / 2 if self._watchdog else _STATUS_EVERY

    def ready(self, status: str) -> None:
        """It watches and can be asked."""
        self._send("READY=1", f"STATUS={_one_line(status)}")

    def alive(self, status: str) -> None:
        """It is at work; without a watchdog only the line for people is sent."""
        self._send(*(("WATCHDOG=1",) if self._watchdog else ()), f"STATUS={_one_line(status)}")

    def reloading(self) -> None:
        """It reads its configuration again; the moment is what `Type=notify-reload` waits for."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """It has begun to end."""
        self._send("STOPPING=1", "STATUS=ending")

    def _send(self, *words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(_PATIENCE_S)
                sender.sendto("\n".join(words).encode(), self._address)
        except OSError as error:
            if self._is_heard:  # once: it would be said every few seconds
                log.warning("the service manager cannot be told %s: %s", words[0], error)
            self._is_heard = False
        else:
            self._is_heard = True


def notify_socket(environment: Mapping[str, str], *, pid: int) -> NotifySocket:
    """
    What systemd has put into the environment of process *pid*.

    A watchdog of another process (WATCHDOG_PID), such as of a shell that started us, is not ours to feed; nor can an
    address be used that is neither a path nor abstract.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if address and not address.startswith(("/", "@")):
        log.warning("NOTIFY_SOCKET=%s is no unix socket: nobody is told how the manager is doing", address)
        address = ""
    is_ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
    allowed = environment.get("WATCHDOG_USEC", "") if is_ours else ""
    has_watchdog = allowed.isascii() and allowed.isdigit() and int(allowed) > 0
    return NotifySocket(address, watchdog=timedelta(microseconds=int(allowed)) if has_watchdog else None)


def _one_line(text: str) -> str:
    return " ".join(text.split())
