"""
An alert as a mail: plain text, marked as sent by a program, the same bytes for a repeated attempt.

Nothing an alert carries can become a header: control characters are taken out, and the mail library refuses the rest.
"""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from mailward.model.alerting import Alert, Urgency
from mailward.model.channels import Channel
from mailward.model.errors import PermanentFailure
from mailward.notify.words import recognisable, said

_IMPORTANCE = {Urgency.CRITICAL: "high", Urgency.WARNING: "normal", Urgency.INFO: "low"}


def message_of(alert: Alert, channel: Channel, *, identity: str) -> EmailMessage:
    """
    The mail of one alert to all recipients of a channel.

    Raises:
        PermanentFailure: The sender or a recipient is no mail address.
    """
    sender = _address(channel.sender, channel)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = [_address(recipient, channel) for recipient in channel.recipients]
    message["Subject"] = said(alert.title)
    message["Date"] = alert.ends_at or alert.turns.last_at or alert.starts_at
    message["Message-ID"] = f"<{recognisable(identity)}.mailward@{sender.domain}>"
    # all notices of one alert are one thread, also where the first was never delivered
    message["References"] = f"<{recognisable(f'{alert.key}|{alert.starts_at}')}.mailward@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody answers it automatically
    message["Importance"] = _IMPORTANCE[alert.urgency]
    message.set_content(alert.text, charset="utf-8", cte="quoted-printable")
    return message


def _address(text: str, channel: Channel) -> Address:
    """Only ASCII: not every relay speaks SMTPUTF8, and an alert must arrive."""
    try:
        address = Address(addr_spec=text)
        if text.isascii() and text.isprintable() and address.username and address.domain:
            return address
    except (ValueError, IndexError):  # the parser of the standard library raises both
        pass
    raise PermanentFailure(f"channel {channel.name}: {said(text)!r} is no mail address; mend sender or recipients")
