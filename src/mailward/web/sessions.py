"""
Sessions: the signed cookie somebody carries after logging in.

The cookie says who and since when; what it says counts only while the user's generation is the same, so that logging
out, a new password and removal end it at once. Nothing in it is secret, and nothing in it can be changed without our
key.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from mailward.model.errors import ConfigError

_RENEWED_EVERY = timedelta(minutes=1)
_KEY_BYTES = 32
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Somebody who logged in."""

    user: str
    generation: int
    begun_at: datetime
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRule:
    """How long sessions last, and how they are written."""

    key: bytes = field(repr=False)
    lasts: timedelta
    """From logging in on, whatever happens."""
    idle: timedelta
    """From the last page somebody asked for on."""
    is_secure: bool
    """Whether people reach us by https: then the cookie goes no other way."""

    @property
    def cookie_name(self) -> str:
        """The prefix has browsers take it from https and for this very host alone (RFC 6265bis, section 4.1.3)."""
        return "__Host-mailward" if self.is_secure else "mailward"

    def is_valid(self, session: Session, *, now: datetime) -> bool:
        """Whether it has not run out; one from the future was stamped by a clock that was set back, and counts."""
        return now < session.begun_at + self.lasts and now < session.seen_at + self.idle

    def renewed(self, session: Session, *, now: datetime) -> Session | None:
        """The session as seen now; None when it was seen so lately that it need not be written anew."""
        return replace(session, seen_at=now) if now - session.seen_at >= _RENEWED_EVERY else None

    def read(self, cookie: str) -> Session | None:
        """The session a cookie tells of; None when we never wrote it so."""
        try:
            said: Any = self._serializer().loads(cookie)
            user, generation, begun, seen = said
            return Session(
                user=str(user),
                generation=int(generation),
                begun_at=_EPOCH + int(begun) * _MS,
                seen_at=_EPOCH + int(seen) * _MS,
            )
        except (BadData, TypeError, ValueError, OverflowError):
            return None

    def written(self, session: Session) -> str:
        """The value of `Set-Cookie`."""
        said = [
            session.user,
            session.generation,
            (session.begun_at - _EPOCH) // _MS,
            (session.seen_at - _EPOCH) // _MS,
        ]
        return self._set(self._serializer().dumps(said), self.lasts)

    def taken_away(self) -> str:
        """The value of `Set-Cookie` that makes a browser forget it."""
        return self._set("", timedelta(0))

    def _set(self, value: str, age: timedelta) -> str:
        secure = "; Secure" if self.is_secure else ""
        seconds = age // timedelta(seconds=1)
        return f"{self.cookie_name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"

    def _serializer(self) -> URLSafeSerializer:
        signing = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        return URLSafeSerializer(self.key, salt="mailward session", signer_kwargs=signing)


def signing_key(path: Path) -> bytes:
    """
    Return the key in a file, which is made for its owner alone when there is none. Removing it ends every session.

    Raises:
        ConfigError: It cannot be read or made, or others may read it.
    """
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return _read_key(path)
        with os.fdopen(descriptor, "wb") as file:
            key = secrets.token_bytes(_KEY_BYTES)
            file.write(key)
            os.fsync(file.fileno())
        return key
    except OSError as error:
        raise ConfigError(f"the key of sessions {path} cannot be read or made: {error.strerror}") from error


def _read_key(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise ConfigError(f"the key of sessions {path} can be read by others: remove it, and everybody logs in anew")
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        raise ConfigError(f"the key of sessions {path} is no key: remove it, and everybody logs in anew")
    return key
