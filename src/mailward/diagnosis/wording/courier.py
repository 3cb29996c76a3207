"""Courier IMAP: no response codes but [ALERT]; a broken Maildir ends the conversation with BYE right after login."""

from mailward.diagnosis.wording.saying import MAILBOX, Saying
from mailward.model.probing import Cause

SAYINGS: tuple[Saying, ...] = (
    Saying("temporary problem, please try again later", Cause.AUTH_UNAVAILABLE),
    Saying("account's mailbox directory is not owned by", Cause.STORE_ERROR),
    Saying("fatal error: no such file or directory", Cause.STORE_ERROR),
    Saying("fatal error: permission denied", Cause.STORE_ERROR),
    Saying("unable to open this mailbox", Cause.STORE_ERROR, MAILBOX),
    Saying("maximum connection limit reached", Cause.LIMIT),
    Saying("you exceeded your mail quota", Cause.OVER_QUOTA, MAILBOX),
    Saying("mail quota exceeded", Cause.OVER_QUOTA, MAILBOX),
)
