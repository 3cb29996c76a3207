"""
Who can log in, as this manager knows it now; every change goes through here and is in force at once.

What is known is kept in memory, because who may look must not depend on a store that is gone: that is when people look.
While it was never read nobody comes in.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from mailward.model.credentials import NAME, AccessToken, IssuedToken, Role, User
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.ports.clock import Clock
from mailward.ports.credentials import Credentials, KeptToken, KeptUser
from mailward.web.passwords import Passwords, refuse_weak

TOKEN_PREFIX = "mailward_"  # noqa: S105 - by which a secret that got lost in a file can be recognised
_TOKEN_BYTES = 32
_NOTED_EVERY = timedelta(minutes=1)
_log = logging.getLogger("mailward.web")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Everybody who can come in over the network."""

    users: Mapping[str, KeptUser]
    tokens: Mapping[str, KeptToken]
    """By digest."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody can log in at all: then no login is asked for. An expired token still asks for one."""
        return not self.users and not self.tokens


class Keyring:
    """Users and tokens, for the doors that ask who somebody is and for those who change them."""

    def __init__(self, credentials: Credentials, *, clock: Clock, passwords: Passwords | None = None) -> None:
        """Nothing is read yet."""
        self._credentials = credentials
        self._clock = clock
        self._known: Known | None = None
        self._changing = asyncio.Lock()
        self._noted: dict[str, datetime] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self.passwords = passwords or Passwords()

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self._clock.now()

    async def known(self) -> Known:
        """
        Everybody there is.

        Raises:
            TemporaryFailure: It was never read, and cannot be now.
        """
        return self._known or await self._read()

    async def add_user(self, name: str, role: Role, password: str, *, actor: str) -> User:
        """
        Let somebody log in from now on.

        Raises:
            Refused: The name or password cannot be, or there is such a user.
        """
        name = _name(name, "user")
        refuse_weak(password, name=name)
        user = User(name=name, role=role, created_at=self.now, created_by=actor)
        hashed = await self.passwords.hash(password)
        event = self._changed(f"user {name}", f"{actor} added the {role.value} {name}", actor, after=role.value)
        if not await self._change(self._credentials.add_user(user, hashed, [event])):
            raise Refused(f"there is a user {name} already; `mailward users password {name}` changes the password")
        return user

    async def set_password(self, name: str, password: str, *, actor: str) -> User:
        """
        Change a password, which ends the user's sessions.

        Raises:
            NotFound: There is no such user.
            Refused: The password cannot be.
        """
        kept = await self._user(name)
        refuse_weak(password, name=kept.user.name)
        hashed = await self.passwords.hash(password)
        event = self._changed(f"user {kept.user.name}", f"{actor} changed the password of {kept.user.name}", actor)
        if not await self._change(self._credentials.set_password(kept.user.name, hashed, [event])):
            raise _not_found("user", name, ())
        return kept.user

    async def remove_user(self, name: str, *, actor: str) -> User:
        """
        Let somebody log in no more, and end their sessions.

        Raises:
            NotFound: There is no such user.
        """
        kept = await self._user(name)
        about = f"{actor} removed the {kept.user.role.value} {kept.user.name}"
        event = self._changed(f"user {kept.user.name}", about, actor, before=kept.user.role.value)
        if not await self._change(self._credentials.remove_user(kept.user.name, [event])):
            raise _not_found("user", name, ())
        return kept.user

    async def end_sessions(self, name: str) -> None:
        """End every session of a user; nothing where there is none of that name."""
        event = self._changed(f"user {name}", f"{name} logged out, everywhere", name)
        await self._change(self._credentials.end_sessions(name, [event]))

    async def add_token(self, name: str, role: Role, *, lasting: timedelta | None, actor: str) -> IssuedToken:
        """
        Make a token and return it with its secret, which is not kept.

        Raises:
            Refused: The name cannot be, or there is such a token.
        """
        name, now = _name(name, "token"), self.now
        try:
            expires = None if lasting is None else now + lasting
        except OverflowError:
            raise Refused("a token does not last that long; without an end it lasts until it is revoked") from None
        token = AccessToken(name=name, role=role, created_at=now, created_by=actor, expires_at=expires)
        secret = TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        until = "that does not expire" if expires is None else f"that expires at {expires:%Y-%m-%d %H:%M} UTC"
        about = f"{actor} made the {role.value} token {name} {until}"
        event = self._changed(f"token {name}", about, actor, after=role.value)
        if not await self._change(self._credentials.add_token(token, digest_of(secret), [event])):
            raise Refused(f"there is a token {name} already; revoke it first, or give another name")
        return IssuedToken(token=token, secret=secret)

    async def revoke_token(self, name: str, *, actor: str) -> AccessToken:
        """
        Let a token let nobody in any more.

        Raises:
            NotFound: There is no such token.
        """
        tokens = {kept.token.name: kept.token for kept in (await self.known()).tokens.values()}
        token = tokens.get(name.lower())
        if token is None:
            raise _not_found("token", name, tokens)
        event = self._changed(f"token {token.name}", f"{actor} revoked the token {token.name}", actor)
        if not await self._change(self._credentials.revoke_token(token.name, [event])):
            raise _not_found("token", name, ())
        return token

    async def users(self) -> tuple[User, ...]:
        """Every user, by name, as stored."""
        return tuple(kept.user for kept in (await self._read()).users.values())

    async def tokens(self) -> tuple[AccessToken, ...]:
        """Every token, by name, as stored."""
        return tuple(kept.token for kept in (await self._read()).tokens.values())

    def note_login(self, name: str, address: str) -> None:
        """Remember that somebody logged in. That it cannot be stored keeps nobody out."""
        now = self.now
        event = Event(
            at=now,
            kind=EventKind.LOGGED_IN,
            subject=f"user {name}",
            because=f"{name} logged in from {address}",
            actor=name,
            data={"address": address},
        )
        self._later(self._credentials.note_login(name, now, [event]))

    def note_failure(self, event: Event) -> None:
        """Record an attempt that failed."""
        self._later(self._credentials.record([event]))

    def note_use(self, token: AccessToken) -> None:
        """Remember, to the minute, that a token was used."""
        now, before = self.now, self._noted.get(token.name)
        if before is None or not timedelta(0) <= now - before < _NOTED_EVERY:
            self._noted[token.name] = now
            self._later(self._credentials.note_use(token.name, now))

    async def close(self) -> None:
        """Wait for what is still to be noted."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _user(self, name: str) -> KeptUser:
        users = (await self.known()).users
        kept = users.get(name.lower())
        if kept is None:
            raise _not_found("user", name, users)
        return kept

    async def _change(self, change: Coroutine[None, None, bool]) -> bool:
        """Make a change and know of it before anybody is answered; if that fails nobody comes in until it is read."""
        async with self._changing:
            try:
                return await change
            finally:
                self._known = None
                with suppress(TemporaryFailure):
                    await self._read()

    async def _read(self) -> Known:
        users, tokens = await self._credentials.users(), await self._credentials.tokens()
        self._known = Known(
            users={kept.user.name: kept for kept in users}, tokens={kept.digest: kept for kept in tokens}
        )
        return self._known

    def _changed(
        self, subject: str, because: str, actor: str, *, before: str | None = None, after: str | None = None
    ) -> Event:
        _log.info("%s", because)
        return Event(
            at=self.now,
            kind=EventKind.ACCESS_CHANGED,
            subject=subject,
            because=because,
            before=before,
            after=after,
            actor=actor,
        )

    def _later(self, noting: Coroutine[None, None, None]) -> None:
        async def note() -> None:
            try:
                await noting
            except TemporaryFailure as failure:
                _log.warning("a login or the use of a token is not recorded: %s", failure)

        task = asyncio.get_running_loop().create_task(note())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


def digest_of(secret: str) -> str:
    """By what a token is recognised."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _name(name: str, what: str) -> str:
    found = name.lower()
    if not NAME.fullmatch(found):
        raise Refused(
            f"{name[:100]!r} cannot be the name of a {what}: letters, digits and . _ @ - are possible, 64 at most, the"
            " first a letter or digit"
        )
    return found


def _not_found(what: str, name: str, known: Iterable[str]) -> NotFound:
    nearest = get_close_matches(name.lower(), list(known), n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return NotFound(f"there is no {what} {name[:100]!r}{hint}")
