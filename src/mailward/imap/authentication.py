"""
How to log in, chosen from what the server offers.

A password is never sent over an unencrypted connection unless that was allowed in so many words; nor where the server
says LOGINDISABLED. Over TLS the simplest way wins: PLAIN takes one round trip and no hashing. Without TLS only
SCRAM-SHA-256 keeps the password to ourselves.
"""

from collections.abc import Iterator
from enum import Enum

from mailward.imap.commands import Authenticate, Login
from mailward.imap.errors import LocalProtocolError
from mailward.imap.sasl import Credentials, Plain
from mailward.imap.scram import ScramSha256
from mailward.model.probing import Cause


class Obstacle(Enum):
    """Why there is no way to log in; the value is the phase's cause."""

    LOGIN_DISABLED = Cause.LOGIN_DISABLED
    NO_MECHANISM = Cause.NO_MECHANISM
    PLAINTEXT_FORBIDDEN = Cause.PROBER_FAULT

    @property
    def cause(self) -> Cause:
        """The cause to record."""
        return self.value


class CannotAuthenticate(LocalProtocolError):
    """The server offers no way to log in that we may use."""

    def __init__(self, reason: Obstacle, because: str) -> None:
        super().__init__(because)
        self.reason = reason


def choose_authentication(
    credentials: Credentials,
    capabilities: frozenset[str],
    *,
    encrypted: bool,
    allow_plaintext: bool,
    nonce: str,
    mechanism: str | None = None,
) -> Login | Authenticate:
    """
    Choose the command to log in with.

    Args:
        credentials: Who to log in as. A master user needs SASL; LOGIN cannot name two users.
        capabilities: What the server offers, upper case.
        encrypted: Whether the connection is protected by TLS.
        allow_plaintext: Whether the password may be sent without TLS.
        nonce: For SCRAM: unguessable, 16 or more printable characters without a comma.
        mechanism: PLAIN, LOGIN or SCRAM-SHA-256 to insist on one.

    Raises:
        CannotAuthenticate: There is no such command; its reason says which rule stands in the way.
    """
    may_send_password = encrypted or allow_plaintext
    wanted = mechanism.upper() if mechanism else None
    for way in _ways(capabilities, password_first=encrypted):
        if wanted not in (None, way):
            continue
        if way == "SCRAM-SHA-256":
            return Authenticate(ScramSha256(credentials, nonce))
        if way == "PLAIN" and may_send_password:
            return Authenticate(Plain(credentials))
        if way == "LOGIN" and may_send_password and credentials.login_as is None:
            return Login(credentials.user, credentials.password)
    raise _obstacle(credentials, capabilities, may_send_password=may_send_password, wanted=wanted)


def _ways(capabilities: frozenset[str], *, password_first: bool) -> Iterator[str]:
    """What the server offers of what we know, the preferred first."""
    order = ("PLAIN", "LOGIN", "SCRAM-SHA-256") if password_first else ("SCRAM-SHA-256", "PLAIN", "LOGIN")
    for way in order:
        if way == "LOGIN":
            if "LOGINDISABLED" not in capabilities:
                yield way
        elif f"AUTH={way}" in capabilities:
            yield way


def _obstacle(
    credentials: Credentials, capabilities: frozenset[str], *, may_send_password: bool, wanted: str | None
) -> CannotAuthenticate:
    offered = sorted(name for name in capabilities if name.startswith("AUTH="))
    offers = ", ".join(offered) or "no AUTH= at all"
    if not may_send_password:
        if "LOGINDISABLED" in capabilities:
            return CannotAuthenticate(
                Obstacle.LOGIN_DISABLED, "the server takes no password without TLS (LOGINDISABLED); use TLS or STARTTLS"
            )
        return CannotAuthenticate(
            Obstacle.PLAINTEXT_FORBIDDEN,
            f"the connection is not encrypted and the server offers {offers}: the password is not sent; "
            "use TLS or STARTTLS, or allow plaintext authentication in the configuration",
        )
    if wanted is not None:
        return CannotAuthenticate(Obstacle.NO_MECHANISM, f"{wanted} is asked for, but the server offers {offers}")
    if credentials.login_as is not None:
        return CannotAuthenticate(
            Obstacle.NO_MECHANISM, f"a master user needs AUTH=PLAIN or AUTH=SCRAM-SHA-256; the server offers {offers}"
        )
    return CannotAuthenticate(
        Obstacle.LOGIN_DISABLED, f"the server says LOGINDISABLED and offers {offers}, none of which mailward knows"
    )
