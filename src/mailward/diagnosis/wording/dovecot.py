"""
Dovecot 2.3 and 2.4, as measured (field notes §A, rootless notes §B) and as its public sources word it.

The two releases differ in one word only: 2.3 forbids "Plaintext", 2.4 "Cleartext" authentication.
"""

from mailward.diagnosis.wording.saying import LOGIN, MAILBOX, Saying
from mailward.model.probing import Cause

SAYINGS: tuple[Saying, ...] = (
    Saying("temporary authentication failure", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("account is temporarily unavailable", Cause.BACKEND_UNAVAILABLE, LOGIN),
    Saying("auth process broken", Cause.AUTH_UNAVAILABLE),
    Saying("timeout waiting for handshake from auth server", Cause.AUTH_UNAVAILABLE),
    Saying("authentication process to respond", Cause.AUTH_UNAVAILABLE),
    Saying("authentication master process to respond", Cause.AUTH_UNAVAILABLE),
    Saying("maximum number of connections from user+ip", Cause.LIMIT),
    Saying("maximum number of connections from user+ip", Cause.LIMIT, code="UNAVAILABLE"),
    Saying("login process is busy", Cause.LIMIT),
    Saying("internal login failure", Cause.AUTH_UNAVAILABLE),
    Saying("plaintext authentication disallowed", Cause.LOGIN_DISABLED),
    Saying("cleartext authentication disallowed", Cause.LOGIN_DISABLED),
    Saying("unsupported authentication mechanism", Cause.NO_MECHANISM, LOGIN),
    Saying("authentication mechanism not supported", Cause.NO_MECHANISM, LOGIN),
    Saying("authentication failed", Cause.AUTH_REJECTED, LOGIN),
    Saying("too many invalid imap commands", Cause.COMMAND_REJECTED),
    # A full disk is told as a full mailbox, but the mailbox is not what is full.
    Saying("not enough disk space", Cause.STORE_ERROR, MAILBOX, code="OVERQUOTA"),
    Saying("not enough disk space", Cause.STORE_ERROR, MAILBOX),
    Saying("quota exceeded", Cause.OVER_QUOTA, MAILBOX),
    Saying("timeout while waiting for lock", Cause.IN_USE, MAILBOX),
    Saying("mailbox is read-only", Cause.STORE_READ_ONLY, MAILBOX),
    Saying("read-only mailbox", Cause.STORE_READ_ONLY, MAILBOX),
    Saying("mailbox doesn't exist", Cause.MAILBOX_MISSING, MAILBOX),
    Saying("internal error occurred", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("internal error occurred", Cause.STORE_ERROR, MAILBOX),
)
