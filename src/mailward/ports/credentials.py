"""
Where users and tokens are kept.

Neither a password nor the secret of a token is ever handed in here: only what they can be checked against.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mailward.model.credentials import AccessToken, User
from mailward.model.event import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptUser:
    """A user with what a login is checked against."""

    user: User
    password_hash: str = field(repr=False)
    """As argon2 writes it, with salt and parameters."""
    generation: int = 1
    """
    Which of the user's sessions count: those of this number. It differs from every one before, also from those of a
    user of that name who was removed.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptToken:
    """A token with what it is recognised by."""

    token: AccessToken
    digest: str = field(repr=False)
    """SHA-256 of the secret in hexadecimal. A secret of 256 random bits needs no slower hash."""


class Credentials(Protocol):
    """
    Users and tokens, each by its name.

    A change and its events are stored in one transaction, and a change that was not made stores no event. A method that
    could not reach the database raises TemporaryFailure and has written nothing.
    """

    async def users(self) -> tuple[KeptUser, ...]:
        """Every user, by name."""
        ...

    async def tokens(self) -> tuple[KeptToken, ...]:
        """Every token, expired ones too, by name."""
        ...

    async def add_user(self, user: User, password_hash: str, events: Sequence[Event] = ()) -> bool:
        """Keep a user. False when there is one of that name."""
        ...

    async def set_password(self, name: str, password_hash: str, events: Sequence[Event] = ()) -> bool:
        """Change what a login is checked against, and end the user's sessions. False when there is none."""
        ...

    async def end_sessions(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Let no session of this user count that was begun before. False when there is none of that name."""
        ...

    async def remove_user(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Forget a user. False when there is none of that name."""
        ...

    async def add_token(self, token: AccessToken, digest: str, events: Sequence[Event] = ()) -> bool:
        """Keep a token. False when there is one of that name."""
        ...

    async def revoke_token(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Forget a token. False when there is none of that name."""
        ...

    async def note_login(self, name: str, at: datetime, events: Sequence[Event] = ()) -> None:
        """Remember when a user logged in; nothing where there is none of that name."""
        ...

    async def note_use(self, name: str, at: datetime) -> None:
        """Remember when a token was used; nothing where there is none of that name."""
        ...

    async def record(self, events: Sequence[Event]) -> None:
        """Store events of what came to nothing, such as a failed login."""
        ...
