"""
SCRAM-SHA-256 (RFC 5802, RFC 7677): proves the password without sending it, and makes the server prove it knows it.

A server may ask for as many rounds of hashing as it likes, and hashing blocks the whole prober, so there is an upper
bound as well as the lower one of RFC 7677 §4.
"""

import hashlib
import hmac
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from mailward.imap.errors import LocalProtocolError, RemoteProtocolError, Violation
from mailward.imap.sasl import Credentials, Exchange, shown_user

FEWEST_ROUNDS = 4_096
MOST_ROUNDS = 200_000


@dataclass(frozen=True, slots=True)
class ScramSha256:
    """SCRAM-SHA-256 without channel binding."""

    credentials: Credentials
    nonce: str = field(repr=False)
    """Unguessable, printable, without a comma."""
    name: str = field(default="SCRAM-SHA-256", init=False)
    sends_password: bool = field(default=False, init=False)

    @property
    def user(self) -> str:
        """Who is shown to log in."""
        return shown_user(self.credentials)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password: it is not sent, but the server may know it."""
        return (self.credentials.password,)

    def begin(self) -> Exchange:
        """
        Start a run.

        Raises:
            LocalProtocolError: The nonce is unfit, or a name or password holds characters SASLprep forbids.
        """
        if len(self.nonce) < 16 or "," in self.nonce or not (self.nonce.isascii() and self.nonce.isprintable()):
            raise LocalProtocolError("SCRAM needs a nonce of 16 or more printable characters without a comma")
        return _ScramExchange(self.credentials, self.nonce)


class _ScramExchange:
    def __init__(self, credentials: Credentials, nonce: str) -> None:
        authentication_id = credentials.login_as or credentials.user
        self._nonce = nonce
        self._password = prepared(credentials.password).encode()
        self._header = f"n,{f'a={_escaped(credentials.user)}' if credentials.login_as else ''},"
        self._first = f"n={_escaped(authentication_id)},r={nonce}"
        self._expected: bytes | None = None
        self._proven = False

    def initial(self) -> bytes:
        return (self._header + self._first).encode()

    def answer(self, challenge: bytes) -> bytes:
        if self._proven:
            raise _bad("the server sent a challenge after its last one")
        attributes = _attributes(challenge)
        if self._expected is None:
            return self._final(challenge, attributes)
        if "e" in attributes:
            return b""  # the tagged NO that follows says what is wrong
        if not hmac.compare_digest(_decoded(attributes.get("v", "")), self._expected):
            raise RemoteProtocolError(
                Violation.SERVER_NOT_PROVEN, "the server's SCRAM signature is wrong: it does not know this password"
            )
        self._proven = True
        return b""

    def finish(self) -> None:
        if not self._proven:
            raise RemoteProtocolError(
                Violation.SERVER_NOT_PROVEN, "the server accepted the login without proving that it knows the password"
            )

    def _final(self, challenge: bytes, attributes: dict[str, str]) -> bytes:
        nonce, salt, rounds = (attributes.get(key, "") for key in "rsi")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise _bad("the server's SCRAM nonce does not continue ours")
        if not (rounds.isascii() and rounds.isdigit() and len(rounds) < 8):
            raise _bad("the server's SCRAM iteration count is no number")
        if not FEWEST_ROUNDS <= int(rounds) <= MOST_ROUNDS:
            raise _bad(f"the server asks for {rounds} rounds of SCRAM; {FEWEST_ROUNDS} to {MOST_ROUNDS} are taken")
        final = f"c={b64encode(self._header.encode()).decode('ascii')},r={nonce}"
        signed = b",".join((self._first.encode(), challenge, final.encode()))
        salted = hashlib.pbkdf2_hmac("sha256", self._password, _decoded(salt), int(rounds))
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._expected = _hmac(_hmac(salted, b"Server Key"), signed)
        return f"{final},p={b64encode(proof).decode('ascii')}".encode()


def prepared(text: str) -> str:
    """
    Prepare a name or password as SASLprep (RFC 4013) asks, so that both sides hash the same bytes.

    Raises:
        LocalProtocolError: It holds a character SASLprep forbids.
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    normal = unicodedata.normalize("NFKC", mapped)
    if any(table(c) for c in normal for table in _FORBIDDEN) or not _one_direction(normal):
        raise LocalProtocolError("the user name or password holds a character that SASLprep (RFC 4013) forbids")
    return normal


_FORBIDDEN = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def _one_direction(text: str) -> bool:
    """RFC 3454 §6: right-to-left text neither mixes with left-to-right nor begins or ends with anything else."""
    if not any(map(stringprep.in_table_d1, text)):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(map(stringprep.in_table_d2, text))


def _escaped(name: str) -> str:
    return prepared(name).replace("=", "=3D").replace(",", "=2C")


def _attributes(message: bytes) -> dict[str, str]:
    try:
        text = message.decode()
    except UnicodeDecodeError:
        raise _bad("the server's SCRAM message is not text") from None
    return {part[0]: part[2:] for part in text.split(",") if part[1:2] == "="}


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise _bad("the server's SCRAM message holds what is not base64") from None


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _bad(because: str) -> RemoteProtocolError:
    return RemoteProtocolError(Violation.BAD_CHALLENGE, because)
