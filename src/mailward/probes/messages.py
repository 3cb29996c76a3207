"""
The messages mailward stores in health mailboxes, and how it knows them again.

Two kinds, told apart by their own header: the **canary**, which stays and whose bytes follow from the organization's
identity and the account alone; and **tokens**, one for each writing turn, which are removed at once. A message without
one of these headers, with our identity in it, is somebody else's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

TOKEN_HEADER = "X-Mailward-Token"  # noqa: S105 - the name of a header, no secret
CANARY_HEADER = "X-Mailward-Canary"
_SENT_HEADER = "X-Mailward-Sent"

#: What is fetched of a message to see whether it is ours: never its body.
OWN_HEADERS = f"BODY.PEEK[HEADER.FIELDS ({TOKEN_HEADER} {CANARY_HEADER} {_SENT_HEADER})]"

_DOMAIN = "mailward.invalid"


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One message of a writing turn."""

    identity: str
    random: str
    sent: datetime

    @property
    def text(self) -> str:
        """The value of the token's header."""
        return f"{token_prefix(self.identity)}{self.random}"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnMark:
    """What the headers of one of our messages say."""

    canary: str | None
    """The value of the canary's header."""
    token: str | None
    """The value of the token's header."""
    sent: datetime | None
    """When a token was sent, by its own header."""


def token_prefix(identity: str) -> str:
    """What the headers of all tokens of this organization begin with."""
    return f"{quote(identity, safe='')}/"


def canary_mark(identity: str, user: str) -> str:
    """The value of the canary's header in this user's mailbox."""
    return f"{token_prefix(identity)}{quote(user, safe='')}"


def canary_message(identity: str, user: str) -> bytes:
    """The canary's bytes: the same whenever and wherever they are written."""
    mark = canary_mark(identity, user)
    return _message(
        f"From: mailward <canary@{_DOMAIN}>",
        f"To: <{quote(user, safe='')}@{_DOMAIN}>",
        "Subject: Please keep this message: monitoring recognises this mailbox by it",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
        f"Message-ID: <canary.{mark.replace('/', '.')}@{_DOMAIN}>",
        f"{CANARY_HEADER}: {mark}",
        body=(
            "This mailbox is used by mailward, which watches this mail service.",
            "The message is read every minute and compared byte for byte: if it is gone or",
            "different, the mailbox no longer stands on the storage it used to stand on.",
        ),
    )


def token_message(token: Token, user: str) -> bytes:
    """The bytes of a token's message. Its last line repeats the token, so that a truncated message shows."""
    sent = token.sent.astimezone(UTC)
    return _message(
        f"From: mailward <probe@{_DOMAIN}>",
        f"To: <{quote(user, safe='')}@{_DOMAIN}>",
        "Subject: Test message of the monitoring, removed at once",
        f"Date: {format_datetime(sent)}",
        f"Message-ID: <{token.random}@{_DOMAIN}>",
        f"{TOKEN_HEADER}: {token.text}",
        f"{_SENT_HEADER}: {sent.isoformat(timespec='seconds')}",
        body=("This message shows that mail can be stored, seen and removed here.", token.text),
    )


def own_mark(headers: bytes, identity: str) -> OwnMark | None:
    """
    What *headers*, as fetched with `OWN_HEADERS`, say; None when the message is not one of this organization's.

    A header that occurs twice is not one we wrote.
    """
    fields: dict[str, str] = {}
    for line in headers.decode("ascii", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            if key in fields:
                return None
            fields[key] = value.strip()
    token, canary = fields.get(TOKEN_HEADER.lower()), fields.get(CANARY_HEADER.lower())
    prefix = token_prefix(identity)
    if (token is None) == (canary is None):
        return None
    if not (token or canary or "").startswith(prefix):
        return None
    return OwnMark(canary=canary, token=token, sent=_moment(fields.get(_SENT_HEADER.lower())))


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _message(*headers: str, body: tuple[str, ...]) -> bytes:
    common = (
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "Content-Transfer-Encoding: 7bit",
    )
    return "\r\n".join((*headers, *common, "", *body, "")).encode("ascii")
