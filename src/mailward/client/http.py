"""HTTP/1.1 over a unix socket, with the standard library."""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from mailward.client.errors import NoManager
from mailward.model.errors import MailwardError, NotFound, PermanentFailure, Refused, TemporaryFailure

Query = Mapping[str, str | int | bool | Sequence[str] | None]
_PIECE_BYTES = 64 * 1024
_BODY_BYTES_MAX = 256 * 1024 * 1024


class UnixConnection(HTTPConnection):
    """A connection to a unix socket instead of a host and port."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@contextmanager
def answered(
    path: Path,
    method: str,
    target: str,
    *,
    query: Query | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout: float,
) -> Iterator[HTTPResponse]:
    """
    Send one request and hand out its good answer; *timeout* (seconds) is for each wait on the socket.

    Raises:
        NoManager: Nobody answers at *path*.
        NotFound: The manager knows no such name.
        Refused: It will not do what was asked.
        TemporaryFailure: It cannot now, or the connection broke.
        PermanentFailure: It failed, or what answers is no manager.
    """
    connection = UnixConnection(path, timeout)
    sent = {"Accept": "application/json", **(headers or {})}
    payload = None
    if body is not None:
        payload = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    try:
        try:
            connection.request(method, target + _query_text(query or {}), body=payload, headers=sent)
        except PermissionError as error:
            raise Refused(
                f"the manager at {path} may not be asked by this user; be its own user, root, or a member of the group"
                " 'mailward'"
            ) from error
        except OSError as error:
            raise NoManager((path,), f"no manager is running ({error.strerror or error})") from error
        response = connection.getresponse()
        if response.status >= 400:
            raise _failure(response)
        yield response
    except TimeoutError as error:
        raise TemporaryFailure(f"the manager at {path} did not answer within {timeout:g} s") from error
    except (HTTPException, OSError) as error:
        raise TemporaryFailure(f"the connection to the manager at {path} broke: {error}") from error
    finally:
        connection.close()


def read_json(response: HTTPResponse) -> dict[str, Any]:
    """
    Read the whole answer.

    Raises:
        PermanentFailure: It is no JSON object, so what answers is no manager.
    """
    try:
        plain = json.loads(response.read(_BODY_BYTES_MAX))
    except ValueError as error:
        raise PermanentFailure("what answers at this socket is no mailward manager: its answer is not JSON") from error
    if not isinstance(plain, dict):
        raise PermanentFailure("what answers at this socket is no mailward manager")
    return plain


def lines_in(response: HTTPResponse) -> Iterator[bytes]:
    """
    Yield each line of an answer as it arrives, for as long as the answer lasts.

    Read in pieces, because the line by line reading of http.client takes a broken connection for the answer's end.
    """
    unfinished = b""
    while piece := response.read1(_PIECE_BYTES):
        *whole, unfinished = (unfinished + piece).split(b"\n")
        yield from whole


def _query_text(query: Query) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in query.items()
        if value not in (None, (), [])
    }
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _failure(response: HTTPResponse) -> MailwardError:
    try:
        problem = json.loads(response.read(1024 * 1024))
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, TypeError, KeyError):
        code, detail = "", f"the manager answered {response.status} {response.reason}"
    if code == "unavailable" or response.status == 503:
        return TemporaryFailure(detail)
    if code == "internal" or response.status >= 500:
        return PermanentFailure(detail)
    return NotFound(detail) if code == "not-found" else Refused(detail)
