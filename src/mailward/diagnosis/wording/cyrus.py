"""Cyrus IMAP: the texts of its public error table (imap_err.et) and of SASL, mostly without response codes."""

from mailward.diagnosis.wording.saying import LOGIN, MAILBOX, Saying
from mailward.model.probing import Cause

SAYINGS: tuple[Saying, ...] = (
    Saying("login only available under a layer", Cause.LOGIN_DISABLED, LOGIN),
    Saying("login failed: authentication failure", Cause.AUTH_REJECTED, LOGIN),
    Saying("login failed: user not found", Cause.AUTH_REJECTED, LOGIN),
    # SASL's words for "saslauthd or the back end behind it could not be asked".
    Saying("login failed: generic failure", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("can't connect to saslauthd", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("authentication server is down", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("remote authentication server unavailable", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("no mechanism available", Cause.NO_MECHANISM, LOGIN),
    Saying("too many open connections", Cause.LIMIT),
    Saying("too many user connections", Cause.LIMIT),
    Saying("server(s) unavailable to complete operation", Cause.BACKEND_UNAVAILABLE),
    Saying("system i/o error", Cause.STORE_ERROR),
    Saying("mailbox format corruption", Cause.STORE_ERROR),
    Saying("mailbox has an invalid format", Cause.STORE_ERROR),
    Saying("unknown/invalid partition", Cause.STORE_ERROR),
    Saying("can't open/read mailbox list", Cause.STORE_ERROR),
    Saying("mailbox is locked", Cause.IN_USE, MAILBOX),
    Saying("over quota", Cause.OVER_QUOTA, MAILBOX),
    Saying("mailbox does not exist", Cause.MAILBOX_MISSING, MAILBOX),
    Saying("mailbox unknown", Cause.MAILBOX_MISSING, MAILBOX),
)
