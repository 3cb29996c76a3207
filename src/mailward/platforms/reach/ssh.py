"""
ssh to one host's `mailward-host`: "ssh:USER@HOST[:PORT]", with pinned host keys, a key of its own and no configuration.

ssh joins words with spaces and hands them to the other end as one text, so only words without any other meaning are
let through here; the other end checks again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailward.model.errors import ConfigError, Refused, TemporaryFailure
from mailward.platforms.commands import Feeder, Finished, one_line

LOCAL = "local"
"""The `reach` of a server whose host is this machine."""
_REACH = re.compile(
    r"ssh:(?P<user>[a-z_][a-z0-9_-]{0,31})@"
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9a-fA-F:]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_WORD = re.compile(r"[A-Za-z0-9@:./_=-]+")
#: Bytes of an answer: the largest list of mailward-host, and what JSON within JSON makes of it.
LARGEST_ANSWER = 20_000_000
_CONNECT_S = 5
#: ssh(1): "255 if an error occurred"; the forced command itself always ends with 0.
_NO_CONNECTION = 255
_LAST_LINES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where `mailward-host` is."""

    user: str
    host: str
    port: int = 22


def destination(reach: str) -> Destination:
    """
    Read "ssh:USER@HOST[:PORT]"; a numeric IPv6 address stands in brackets.

    Raises:
        ConfigError: It is not of that form.
    """
    found = _REACH.fullmatch(reach)
    port = int(found["port"] or 22) if found else 0
    if found is None or not 0 < port < 65536:
        raise ConfigError(f"{reach!r} is not ssh:USER@HOST or ssh:USER@HOST:PORT")
    return Destination(user=found["user"], host=found["host"].strip("[]"), port=port)


class SshRunner:
    """Runs requests of `mailward-host` on another machine."""

    def __init__(self, to: Destination, *, key: Path, known_hosts: Path, runner: Feeder) -> None:
        """
        Args:
            to: Where.
            key: The file of the private key; nothing else is offered.
            known_hosts: The file of host keys; a host that is not in it is not spoken to.
            runner: Runs ssh.
        """
        self._to = to
        self._key = key
        self._known_hosts = known_hosts
        self._runner = runner

    @property
    def where(self) -> str:
        """The host, for errors."""
        return self._to.host

    def words(self, request: Sequence[str]) -> tuple[str, ...]:
        """
        The exact argv of ssh for a request.

        Raises:
            Refused: A word could mean something else at the other end.
        """
        for word in request:
            if not _WORD.fullmatch(word):
                raise Refused(f"{word!r} cannot be sent to mailward-host")
        options = (
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
            f"UserKnownHostsFile={_quoted(self._known_hosts)}",
            "GlobalKnownHostsFile=/dev/null",
            "UpdateHostKeys=no",
            "PasswordAuthentication=no",
            "KbdInteractiveAuthentication=no",
            "ClearAllForwardings=yes",
            f"ConnectTimeout={_CONNECT_S}",
            "ServerAliveInterval=5",
            "ServerAliveCountMax=3",
            "LogLevel=ERROR",
        )
        return (
            *("ssh", "-F", "none", "-T"),
            *(word for option in options for word in ("-o", option)),
            *("-i", str(self._key), "-p", str(self._to.port), "-l", self._to.user),
            *("--", self._to.host, *request),
        )

    async def run(self, argv: Sequence[str], *, timeout: float, given: bytes = b"") -> Finished:
        """
        Send a request, and *given* for its standard input; return what mailward-host printed.

        Raises:
            TemporaryFailure: The host was not reached, or the answer took longer than *timeout* seconds.
            Refused: A word could mean something else at the other end.
        """
        finished = await self._runner.run(self.words(argv), timeout=timeout, given=given)
        if finished.status == _NO_CONNECTION:
            used = f"key {self._key}, host keys {self._known_hosts}"
            raise TemporaryFailure(f"{self._to.host} was not reached over ssh: {_reason(finished.errors)} ({used})")
        return finished


def _reason(errors: str) -> str:
    """What ssh says last, which is why it gave up and where; before that it draws banners of "@"."""
    lines = [one_line(line) for line in errors.splitlines() if line.strip() and not line.startswith("@")]
    return "; ".join(lines[-_LAST_LINES:]) or "no reason given"


def _quoted(path: Path) -> str:
    """As ssh_config(5) wants a file: quotes around it, for spaces, and no token of "%"."""
    return '"{}"'.format(str(path).replace("%", "%%"))
