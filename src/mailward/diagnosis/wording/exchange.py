"""Exchange Server and Online: hardly any response codes; a number may end the text ("Server Unavailable. 15")."""

from mailward.diagnosis.wording.saying import LOGIN, MAILBOX, Saying
from mailward.model.probing import Cause

SAYINGS: tuple[Saying, ...] = (
    # The front end let the user in and could not reach the mailbox behind (or IMAP is off for that mailbox).
    Saying("user is authenticated but not connected", Cause.BACKEND_UNAVAILABLE),
    Saying("server unavailable", Cause.BACKEND_UNAVAILABLE),
    Saying("request is throttled", Cause.LIMIT),
    Saying("maximum number of connections", Cause.LIMIT),
    Saying("too many concurrent connections", Cause.LIMIT),
    Saying("authenticate failed", Cause.AUTH_REJECTED, LOGIN),
    Saying("login failed", Cause.AUTH_REJECTED, LOGIN),
    Saying("mailbox database is temporarily unavailable", Cause.STORE_ERROR, MAILBOX),
    Saying("folder size limit", Cause.OVER_QUOTA, MAILBOX),
)
