"""Users and tokens in memory; they pass the same contract as SQLite's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from mailward.model.credentials import AccessToken, User
from mailward.model.event import Event
from mailward.ports.credentials import KeptToken, KeptUser
from mailward.testing.memory_store import MemoryStore


class MemoryCredentials:
    """Users and tokens kept in a `MemoryStore`; another one on the same store is a restarted manager."""

    def __init__(self, store: MemoryStore, *, stored: Callable[[], None] = lambda: None) -> None:
        """Share the store; *stored* is called when events were stored."""
        self._store = store
        self._stored = stored

    async def users(self) -> tuple[KeptUser, ...]:
        """Every user, by name."""
        self._store.reach()
        return tuple(self._store.users[name] for name in sorted(self._store.users))

    async def tokens(self) -> tuple[KeptToken, ...]:
        """Every token, by name."""
        self._store.reach()
        return tuple(self._store.tokens[name] for name in sorted(self._store.tokens))

    async def add_user(self, user: User, password_hash: str, events: Sequence[Event] = ()) -> bool:
        """Keep a user; False when there is one of that name."""
        self._store.reach()
        if user.name in self._store.users:
            return False
        kept = KeptUser(user=user, password_hash=password_hash, generation=self._store.next_number())
        self._store.users[user.name] = kept
        return self._done(events)

    async def set_password(self, name: str, password_hash: str, events: Sequence[Event] = ()) -> bool:
        """Change what a login is checked against, and end the user's sessions."""
        self._store.reach()
        if (known := self._store.users.get(name)) is None:
            return False
        renewed = replace(known, password_hash=password_hash, generation=self._store.next_number())
        self._store.users[name] = renewed
        return self._done(events)

    async def end_sessions(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Let no session of this user count that was begun before."""
        self._store.reach()
        if (known := self._store.users.get(name)) is None:
            return False
        self._store.users[name] = replace(known, generation=self._store.next_number())
        return self._done(events)

    async def remove_user(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Forget a user."""
        self._store.reach()
        return self._store.users.pop(name, None) is not None and self._done(events)

    async def add_token(self, token: AccessToken, digest: str, events: Sequence[Event] = ()) -> bool:
        """Keep a token; False when there is one of that name."""
        self._store.reach()
        if token.name in self._store.tokens:
            return False
        self._store.tokens[token.name] = KeptToken(token=token, digest=digest)
        return self._done(events)

    async def revoke_token(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Forget a token."""
        self._store.reach()
        return self._store.tokens.pop(name, None) is not None and self._done(events)

    async def note_login(self, name: str, at: datetime, events: Sequence[Event] = ()) -> None:
        """Remember when a user logged in."""
        self._store.reach()
        if (known := self._store.users.get(name)) is not None:
            self._store.users[name] = replace(known, user=replace(known.user, last_login_at=at))
            self._done(events)

    async def note_use(self, name: str, at: datetime) -> None:
        """Remember when a token was used."""
        self._store.reach()
        if (known := self._store.tokens.get(name)) is not None:
            self._store.tokens[name] = replace(known, token=replace(known.token, last_used_at=at))

    async def record(self, events: Sequence[Event]) -> None:
        """Store events of what came to nothing."""
        self._store.reach()
        self._done(events)

    def _done(self, events: Sequence[Event]) -> bool:
        self._store.append(events)
        if events:
            self._stored()
        return True
