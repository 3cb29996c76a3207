"""Saying what was seen, in words an administrator understands at three in the morning."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mailward.diagnosis.case import Case, Sighting
from mailward.model.evidence import LogLine
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType

_DETAIL_MAX = 160
#: What Dovecot appends to each reply: how long it took.
_SERVER_TIME = re.compile(r" \(\d+\.\d+(?: \+ \d+\.\d+)* secs\)\.?$")
_STAMP = re.compile(r"^(?:[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\S+) ")

_DOING: Mapping[Phase, str] = {
    Phase.DNS: "the look-up of its name",
    Phase.CONNECT: "the connection",
    Phase.TLS: "the TLS handshake",
    Phase.GREETING: "the greeting",
    Phase.CAPABILITY: "CAPABILITY",
    Phase.AUTH: "the login",
    Phase.SELECT: "SELECT",
    Phase.DELIVERY: "the delivery by LMTP",
    Phase.APPEND: "APPEND",
    Phase.FETCH: "FETCH",
    Phase.IDLE: "IDLE",
    Phase.EXPUNGE: "EXPUNGE",
    Phase.LOGOUT: "LOGOUT",
}

_PLAINLY: Mapping[Cause, str] = {
    Cause.REFUSED: "refuses connections",
    Cause.UNREACHABLE: "cannot be reached",
    Cause.TLS_EXPIRED: "serves an expired certificate",
    Cause.TLS_NOT_YET_VALID: "serves a certificate that is not yet valid",
    Cause.TLS_UNTRUSTED: "serves a certificate from an authority that is not trusted",
    Cause.TLS_NAME: "serves a certificate for another name",
    Cause.STARTTLS_UNAVAILABLE: "does not offer STARTTLS",
    Cause.PROTOCOL_VIOLATION: "does not speak IMAP",
    Cause.NAME_UNKNOWN: "has a name that does not exist",
    Cause.PUSH_MISSED: "did not tell a waiting client of new mail",
}


def what_happened(result: ProbeResult) -> str:
    """How the conversation failed, as a predicate: "refuses connections"."""
    cause, doing = result.cause, _DOING.get(result.failed_phase or Phase.LOGOUT, "a command")
    if cause is not None and cause in _PLAINLY:
        return _PLAINLY[cause]
    if cause is Cause.TIMEOUT or (cause is None and result.result is ResultType.TIMED_OUT):
        if result.failed_phase is Phase.CONNECT:
            return f"did not take a connection within {seconds(result)}"
        return f"left {doing} unanswered for {seconds(result)}"
    if cause is Cause.CLOSED:
        return f"closed the connection instead of answering {doing}"
    said = shorten(result.detail)
    return f"answered {doing} with “{said}”" if said else f"failed at {doing}"


def seconds(result: ProbeResult) -> str:
    """How long the conversation took."""
    return f"{result.took.total_seconds():.1f} s"


def shorten(text: str) -> str:
    """One line, no longer than a person reads."""
    line = _SERVER_TIME.sub("", " ".join(text.split()))
    return line if len(line) <= _DETAIL_MAX else line[: _DETAIL_MAX - 1] + "…"


def log_says(server: str | None, line: LogLine) -> str:
    """Quoting a log line, without the time stamp it begins with."""
    return f"the log of {server} says “{shorten(_STAMP.sub('', line.text))}”"


def at_time(moment: datetime, now: datetime) -> str:
    """A moment as short as it can be told, in UTC."""
    moment, now = moment.astimezone(UTC), now.astimezone(UTC)
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M} UTC"


def listed(names: Sequence[str]) -> str:
    """ "DB1, DB2 and DB3"; from six names on "DB1, DB2, DB3 and 4 more"."""
    unique = list(dict.fromkeys(names))
    if len(unique) > 5:
        return f"{', '.join(unique[:3])} and {len(unique) - 3} more"
    return " and ".join(filter(None, [", ".join(unique[:-1]), *unique[-1:]]))


def affected(case: Case, server: str | None) -> str:
    """Which databases suffer, as the end of a sentence; empty when none is known."""
    names = [database.name for database in case.organization.active_on(server)] if server else []
    if not names:
        return ""
    return f"; {listed(names)} {'is' if len(names) == 1 else 'are'} affected"


def passed(sighting: Sighting, now: datetime) -> str:
    """A neighbour that is well: "the ImapSelfTestProbe of be1 succeeded 4 s ago"."""
    result = sighting.result
    ago = max(0, round((now - result.at - result.took).total_seconds()))
    target = "" if result.target == result.server else f" for {result.target}"
    return f"the {result.probe} of {result.server}{target} succeeded {ago} s ago"
