"""The unix socket a host is spoken to by: open while the host is up, refusing everyone while it is down."""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path


class Door:
    """One listening socket and whoever came in by it."""

    def __init__(self, path: Path) -> None:
        """Nobody can come in yet; `open` it."""
        self._path = path
        self._changed = threading.Condition()
        self._listening: socket.socket | None = None
        self._inside: set[socket.socket] = set()

    def open(self) -> None:
        """Let clients in, those of this user only."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        listening.bind(str(self._path))
        os.umask(before)
        listening.listen(64)
        with self._changed:
            self._listening = listening
            self._changed.notify_all()

    def shut(self) -> None:
        """Take the socket away and hang up on everybody who is inside."""
        with self._changed:
            listening, self._listening = self._listening, None
            inside, self._inside = self._inside, set()
        self._path.unlink(missing_ok=True)
        for connection in (listening, *inside):
            if connection is not None:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # also wakes whoever waits in accept
        if listening is not None:
            listening.close()

    def accept(self) -> socket.socket:
        """The next client, however long the door is shut meanwhile."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._listening is not None)
                listening = self._listening
            assert listening is not None
            try:
                connection, _ = listening.accept()
            except OSError:  # it was shut while we waited
                continue
            with self._changed:
                if self._listening is listening:
                    self._inside.add(connection)
                    return connection
            connection.close()

    def left(self, connection: socket.socket) -> None:
        """A client has gone."""
        with self._changed:
            self._inside.discard(connection)
