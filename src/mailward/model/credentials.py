"""Who may come in over the network: people with a password, and programs with a token."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
"""What a user or a token can be called; capital letters count as small ones."""


class Role(Enum):
    """What a user or a token may do; an operator may all that a viewer may."""

    VIEWER = "viewer"
    """Look at everything, change nothing."""
    OPERATOR = "operator"
    """Change what there is to change, and say who else may come in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody who logs in with a password. The password is not here."""

    name: str
    role: Role
    created_at: datetime
    created_by: str
    last_login_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessToken:
    """What a program shows instead of a password (RFC 6750). The secret is not here."""

    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    """None: never."""
    last_used_at: datetime | None = None
    """To the minute."""

    def is_expired(self, now: datetime) -> bool:
        """Whether it lets nobody in any more."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedToken:
    """A token just made, with its secret: nobody can show that again."""

    token: AccessToken
    secret: str = field(repr=False)
