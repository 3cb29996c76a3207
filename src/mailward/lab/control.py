"""Talking to the supervisor of a lab host (protocol: `mailward.lab.supervisor`)."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from mailward.model.errors import Refused, TemporaryFailure


def ask(door: Path, verb: str, *, seconds: float = 15.0, **members: object) -> Mapping[str, object]:
    """
    Send one request to the supervisor behind *door* and return its answer.

    Raises:
        TemporaryFailure: No supervisor answers there within that time.
        Refused: It answered that the deed could not be done; the text says why.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect(str(door))
            connection.sendall(json.dumps({"verb": verb, **members}).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline()
        answer = json.loads(line)
    except (OSError, ValueError) as error:
        raise TemporaryFailure(f"the supervisor at {door} does not answer to {verb!r}: {error}") from error
    if not answer.get("ok"):
        raise Refused(str(answer.get("error")))
    return answer  # type: ignore[no-any-return]
