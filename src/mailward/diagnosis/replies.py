"""
Why a server refused, from one reply.

The response code decides where it says something (RFC 9051 §7.1, RFC 5530); the vendor's words explain a code that
does not, or stand in for a missing one; a server nobody here has seen is placed by what the RFC says a NO, BAD or BYE
to that command means. Nothing here knows which vendor it talks to.
"""

from collections.abc import Mapping

from mailward.diagnosis.wording import SAYINGS, first_fitting
from mailward.model.probing import Cause, Phase

#: RFC 5321 §4.2.3.
_EXCEEDED_STORAGE, _FOR_GOOD = 552, 500
_MAILBOX = (Phase.SELECT, Phase.APPEND, Phase.FETCH, Phase.IDLE, Phase.EXPUNGE)

#: Codes that say the same in every phase (RFC 5530 §3, RFC 9051 §7.1, TOOBIG of RFC 4469).
_ANYWHERE: Mapping[str, Cause] = {
    "AUTHENTICATIONFAILED": Cause.AUTH_REJECTED,
    "AUTHORIZATIONFAILED": Cause.AUTH_REJECTED,
    "EXPIRED": Cause.AUTH_EXPIRED,
    "PRIVACYREQUIRED": Cause.LOGIN_DISABLED,
    "LIMIT": Cause.LIMIT,
    "INUSE": Cause.IN_USE,
    "OVERQUOTA": Cause.OVER_QUOTA,
    "CORRUPTION": Cause.STORE_ERROR,
    "NONEXISTENT": Cause.MAILBOX_MISSING,
    "TRYCREATE": Cause.MAILBOX_MISSING,
    "REFERRAL": Cause.MAILBOX_MISSING,  # RFC 2221: this user's mailbox is served elsewhere
    "READ-ONLY": Cause.STORE_READ_ONLY,
    "CLIENTBUG": Cause.COMMAND_REJECTED,
    "CANNOT": Cause.COMMAND_REJECTED,
    "BADCHARSET": Cause.COMMAND_REJECTED,
    "TOOBIG": Cause.COMMAND_REJECTED,
    "UNKNOWN-CTE": Cause.COMMAND_REJECTED,
}

#: NOPERM is about access rights, so it means what the right was wanted for.
_BY_PHASE: Mapping[tuple[str, Phase], Cause] = {
    ("NOPERM", Phase.AUTH): Cause.AUTH_REJECTED,
    ("NOPERM", Phase.SELECT): Cause.STORE_ERROR,
    ("NOPERM", Phase.FETCH): Cause.STORE_ERROR,
    ("NOPERM", Phase.APPEND): Cause.STORE_READ_ONLY,
    ("NOPERM", Phase.EXPUNGE): Cause.STORE_READ_ONLY,
}

#: Codes that only say "something of mine is broken": the words come first, then this.
_VAGUE: Mapping[tuple[str, Phase], Cause] = {
    **{("UNAVAILABLE", phase): Cause.STORE_ERROR for phase in _MAILBOX},
    **{("SERVERBUG", phase): Cause.STORE_ERROR for phase in _MAILBOX},
    ("UNAVAILABLE", Phase.AUTH): Cause.AUTH_UNAVAILABLE,
    ("SERVERBUG", Phase.AUTH): Cause.AUTH_UNAVAILABLE,
}

#: What a refusal without code and known words means, by the RFC's own description of the command.
_DEFAULT: Mapping[tuple[str, Phase], Cause] = {
    ("NO", Phase.TLS): Cause.STARTTLS_UNAVAILABLE,
    ("BAD", Phase.TLS): Cause.STARTTLS_UNAVAILABLE,
    ("NO", Phase.GREETING): Cause.PROTOCOL_VIOLATION,
    ("BAD", Phase.GREETING): Cause.PROTOCOL_VIOLATION,
    ("NO", Phase.AUTH): Cause.AUTH_REJECTED,  # RFC 9051 §6.2.3: "user name or password rejected"
    ("NO", Phase.IDLE): Cause.COMMAND_REJECTED,  # RFC 2177: it will not IDLE now
    **{("NO", phase): Cause.STORE_ERROR for phase in _MAILBOX if phase is not Phase.IDLE},
}


def cause_of_reply(phase: Phase, condition: str, code: str | None, text: str) -> Cause:
    """
    Why the server refused in *phase*.

    Args:
        phase: What was being done. For STARTTLS: Phase.TLS.
        condition: "NO", "BAD", "BYE", or "OK" where an OK is not what should have come.
        code: The response code's name without brackets, such as "UNAVAILABLE"; None when there was none.
        text: What followed it, for people.

    Returns:
        The cause. Never fails: the last resort is COMMAND_REJECTED (NO, BAD), BYE, or PROTOCOL_VIOLATION (OK, or
        a condition that IMAP does not have).
    """
    status, name = condition.upper(), (code or "").upper()
    if status not in ("NO", "BAD", "BYE"):
        return Cause.PROTOCOL_VIOLATION
    return (
        first_fitting((saying for saying in SAYINGS if saying.code and saying.code == name), phase, text)
        or _ANYWHERE.get(name)
        or _BY_PHASE.get((name, phase))
        or first_fitting((saying for saying in SAYINGS if saying.code is None), phase, text)
        or _cause_without_words(phase, status, name)
    )


def _cause_without_words(phase: Phase, status: str, code: str) -> Cause:
    if status == "BYE":  # a server that shuts down says UNAVAILABLE too, and means all of itself
        return Cause.BYE
    return _VAGUE.get((code, phase)) or _DEFAULT.get((status, phase)) or Cause.COMMAND_REJECTED


def cause_of_delivery(code: int, said: str) -> Cause:
    """
    Why a message was not taken for delivery, by the reply's code (RFC 5321 §4.2) and its enhanced one (RFC 3463).

    Dovecot's proxy says "451 4.4.0 Proxy failed" where the mailbox server does not answer (measured).
    """
    if any(f"{severity}.2.2" in said.split() for severity in (4, 5)) or code == _EXCEEDED_STORAGE:
        return Cause.OVER_QUOTA
    return Cause.BACKEND_UNAVAILABLE if code < _FOR_GOOD else Cause.COMMAND_REJECTED
