"""Large hosters (Gmail, Yahoo): response codes used for limits of their own, explained in the text."""

from mailward.diagnosis.wording.saying import LOGIN, Saying
from mailward.model.probing import Cause

SAYINGS: tuple[Saying, ...] = (
    # Gmail calls a used-up bandwidth allowance OVERQUOTA; the mailbox has room.
    Saying("exceeded command or bandwidth limits", Cause.LIMIT, code="OVERQUOTA"),
    Saying("exceeded command or bandwidth limits", Cause.LIMIT),
    Saying("too many simultaneous connections", Cause.LIMIT),
    Saying("rate limit hit", Cause.LIMIT, code="AUTHENTICATIONFAILED"),
    Saying("rate limit", Cause.LIMIT),
    Saying("temporary system error", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("server error logging in", Cause.AUTH_UNAVAILABLE, LOGIN),
    Saying("application-specific password required", Cause.AUTH_REJECTED, LOGIN),
    Saying("not enabled for imap use", Cause.AUTH_REJECTED, LOGIN),
)
