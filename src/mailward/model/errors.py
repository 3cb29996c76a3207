"""
What can go wrong inside mailward itself, split by who must act.

A probed service that is down is not an error here: it is a `ProbeResult`.
"""


class MailwardError(Exception):
    """The root of all errors mailward raises on purpose; its text is fit for a person."""


class ConfigError(MailwardError):
    """The configuration is wrong; an operator mends it before anything starts."""


class TemporaryFailure(MailwardError):
    """Something mailward needs did not answer; trying again later may help."""


class PermanentFailure(MailwardError):
    """Something mailward needs answered with a no that trying again will not change."""


class Refused(MailwardError):
    """The caller asked for what cannot be; nothing was changed."""


class LeaseLost(Refused):
    """Whoever asked no longer holds the lease that allows it to act; nothing was written."""


class NotFound(Refused):
    """The caller named something that does not exist; the text names the nearest."""
