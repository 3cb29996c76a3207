"""
What a line of a server's log says about one session: whose, by which id and process, and where a proxy sent it.

Dovecot's words, of 2.3 ("Login:", "Started proxying to <ADDRESS>") and 2.4 ("Logged in:", "Started proxying to remote
host"), in its own log or behind syslog's beginning. Measured with 2.3.19:

- A mailbox server that trusts its proxies (`login_trusted_networks`) logs the proxy's session id, unchanged and without
  a suffix, and the client's own address as `rip`; `lip` is the proxy's address.
- One that does not gives the session an id of its own, and `rip` is the address the proxy connected from, which the
  proxy's line names after "from".
- `mpid` of a mailbox server's login is the process in the name of its protocol log's files.
"""

import re
from dataclasses import dataclass

from mailward.model.evidence import LogLine

#: Only what speaks of sessions: other services' lines may show what is nobody's business (auth_debug_passwords).
_SPEAKS = re.compile(r"\b(?:imap-login: |imap\([^()]{1,200}\)<)")
_DEBUG = ": Debug: "
_SESSION = re.compile(r"\bsession=<([^<>\s]{1,64})>")
_PREFIX = re.compile(r"\bimap\(([^()<>]{1,200})\)<(\d{1,10})><([^<>\s]{1,64})>")
_USER = re.compile(r"\buser=<([^<>]{1,200})>")
_PROXY = re.compile(r"\bproxy\([^(),]{1,200},([^()\s]{1,255}):\d{1,5}\)")
_PROCESS = re.compile(r"\bmpid=(\d{1,10})\b")
_ADDRESS = re.compile(r"\brip=([0-9A-Fa-f.:]{2,45})")
_FROM = re.compile(r"\bStarted proxying to .{1,255}? from ([0-9A-Fa-f.:]{2,45})")
_OPENS = ("Login: ", "Logged in: ", "Started proxying to ")


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionLine:
    """One line of a log that is about one session."""

    line: LogLine
    session: str
    user: str
    process: int | None = None
    """The process that serves it, on a mailbox server."""
    sent_to: str | None = None
    """On a proxy: the host it sends the session to, by address or name."""
    sent_from: str | None = None
    """On a proxy: the address it connects from."""
    client: str | None = None
    """The address the server takes for the client's."""
    opens: bool = False
    """Whether the session begins with it."""


def session_line(line: LogLine) -> SessionLine | None:
    """Read one line; None when it is not about a session of a user."""
    text = line.text
    if _SPEAKS.search(text) is None or _DEBUG in text:
        return None
    if (prefix := _PREFIX.search(text)) is not None:
        return SessionLine(line=line, user=prefix[1], process=int(prefix[2]), session=prefix[3])
    session, user = _SESSION.search(text), _USER.search(text)
    if session is None or user is None:
        return None
    process, proxy, address, origin = (one.search(text) for one in (_PROCESS, _PROXY, _ADDRESS, _FROM))
    return SessionLine(
        line=line,
        session=session[1],
        user=user[1],
        process=int(process[1]) if process else None,
        sent_to=proxy[1].strip("[]").lower() if proxy else None,
        sent_from=origin[1] if origin else None,
        client=address[1] if address else None,
        opens=any(words in text for words in _OPENS),
    )
