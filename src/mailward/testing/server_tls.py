"""The server's side of TLS without I/O, so that a script decides when a handshake begins, on any event loop."""

import ssl


class ServerTls:
    """One TLS session. `feed` it what came in; send what `to_send` returns."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_established = False

    def feed(self, data: bytes) -> bytes:
        """
        Take what came in, and return what it says.

        Raises:
            ssl.SSLError: The client does not like our certificate, or does not speak TLS.
        """
        self._incoming.write(data)
        said = b""
        try:
            if not self.is_established:
                self._session.do_handshake()
                self.is_established = True
            while piece := self._session.read(65_536):
                said += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return said

    def say(self, data: bytes) -> bytes:
        """Return *data* as it goes over the wire."""
        self._session.write(data)
        return self.to_send()

    def to_send(self) -> bytes:
        """Return what waits to be sent, and forget it."""
        return self._outgoing.read()
