"""One thing an IMAP service is set to, as it is shown."""

from dataclasses import dataclass

NOT_AVAILABLE = "not available"
NOT_SET = "not set"
NOT_ON_THIS_PLATFORM = "not available on this platform"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapSetting:
    """One thing the service is set to."""

    server: str
    setting: str
    value: str | None
    """None: not known, and `origin` says why."""
    origin: str
    """The file and line, "default", or "doveconf" with the name it has there."""
    exchange: str = ""
    """The parameter of Set-ImapSettings that says the same; "" where Exchange has none."""
    unknown: str = NOT_AVAILABLE
    """What is shown where there is no value."""


def row(
    setting: str, value: str | None, origin: str, *, exchange: str = "", unknown: str = NOT_AVAILABLE
) -> ImapSetting:
    """A row whose server is named later."""
    return ImapSetting(server="", setting=setting, value=value, origin=origin, exchange=exchange, unknown=unknown)


def yes_or_no(value: bool) -> str:
    """As tables say it."""
    return "yes" if value else "no"
