"""A manager that is a line of bytes."""

import re
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@contextmanager
def answering(answer: bytes | None):
    """A socket at which one caller gets *answer*, or silence, and the requests that came."""
    requests: list[bytes] = []
    with TemporaryDirectory(prefix="mw") as name, socket.socket(socket.AF_UNIX) as listener:
        path = Path(name) / "api.sock"
        listener.bind(str(path))
        listener.listen()
        gone = threading.Event()

        def serve():
            connection, _ = listener.accept()
            with connection:
                requests.append(_request(connection))
                if answer is None:
                    gone.wait(5)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path, requests
        finally:
            gone.set()
            thread.join()


def _request(connection) -> bytes:
    """One request with its body, which comes in a piece of its own."""
    received = connection.recv(65_536)
    length = re.search(rb"Content-Length: (\d+)", received)
    while length and len(received.partition(b"\r\n\r\n")[2]) < int(length[1]):
        received += connection.recv(65_536)
    return received


@pytest.fixture(name="answering")
def _answering():
    return answering
