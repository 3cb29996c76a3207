"""
Words that mean the same whoever says them: the last resort before the default of the phase.

Order matters: what points away from the password stands before what points at it, because an account wrongly called
rejected sends people to the wrong place.
"""

from mailward.diagnosis.wording.saying import LOGIN, MAILBOX, Saying
from mailward.model.probing import Cause

SAYINGS: tuple[Saying, ...] = (
    Saying("too many connections", Cause.LIMIT),
    Saying("connection limit", Cause.LIMIT),
    Saying("connections reached", Cause.LIMIT),
    Saying("too many login", Cause.LIMIT),
    Saying("too many failed", Cause.LIMIT),
    Saying("too many authentication", Cause.LIMIT),
    Saying("could not connect to server", Cause.BACKEND_UNAVAILABLE),
    Saying("cannot connect to server", Cause.BACKEND_UNAVAILABLE),
    Saying("backend", Cause.BACKEND_UNAVAILABLE, LOGIN),
    Saying("temporar", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("try again later", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("internal error", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("database error", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("password expired", Cause.AUTH_EXPIRED, LOGIN),
    Saying("password has expired", Cause.AUTH_EXPIRED, LOGIN),
    Saying("account expired", Cause.AUTH_EXPIRED, LOGIN),
    Saying("encryption required", Cause.LOGIN_DISABLED, LOGIN),
    Saying("cleartext logins disabled", Cause.LOGIN_DISABLED, LOGIN),
    Saying("starttls first", Cause.LOGIN_DISABLED, LOGIN),
    Saying("quota", Cause.OVER_QUOTA, MAILBOX),
    Saying("no space left", Cause.STORE_ERROR, MAILBOX),
    Saying("read-only", Cause.STORE_READ_ONLY, MAILBOX),
    Saying("read only", Cause.STORE_READ_ONLY, MAILBOX),
    Saying("mailbox is locked", Cause.IN_USE, MAILBOX),
    Saying("mailbox in use", Cause.IN_USE, MAILBOX),
    Saying("no such mailbox", Cause.MAILBOX_MISSING, MAILBOX),
    Saying("mailbox not found", Cause.MAILBOX_MISSING, MAILBOX),
    Saying("doesn't exist", Cause.MAILBOX_MISSING, MAILBOX),
    Saying("does not exist", Cause.MAILBOX_MISSING, MAILBOX),
)
