"""
Passwords: which may be chosen, and whether one is right.

Checking takes a thread, one at a time: it costs 64 MiB and a tenth of a second on purpose, and no probe may wait for
it.
"""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mailward.model.errors import Refused
from mailward.web.problems import Code, Problem

SHORTEST = 12
LONGEST = 500
_WAITING_MOST = 16


class Passwords:
    """Makes hashes (argon2id, RFC 9106) and checks passwords against them."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Use *hasher*; by default with the library's parameters."""
        self._hasher = hasher or PasswordHasher()
        self._at_work = asyncio.Semaphore(1)
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """What *password* can be checked against."""
        async with self._at_work:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def are_ready(self) -> None:
        """Make what unknown users are checked against, before anybody asks, so that the first takes no longer."""
        if self._nobodys is None:
            self._nobodys = await self.hash(secrets.token_urlsafe())

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """
        Whether *password* is the one. None, for a user there is not, takes as long as any other and is always False.

        Raises:
            Problem: TOO_MANY_ATTEMPTS: so many wait already that this one would wait for long.
        """
        await self.are_ready()
        if self._waiting >= _WAITING_MOST:
            raise Problem(Code.TOO_MANY_ATTEMPTS, "too many people log in at this moment; try again", retry_after=2)
        self._waiting += 1
        try:
            async with self._at_work:
                against = password_hash or self._nobodys or ""
                fits = await asyncio.to_thread(_verified, self._hasher, against, password)
        finally:
            self._waiting -= 1
        return fits and password_hash is not None


def refuse_weak(password: str, *, name: str) -> None:
    """
    Pass only what may become a password: long, and not made of the user's name.

    No kinds of letters are asked for: length is what makes guessing hopeless (NIST SP 800-63B, section 3.1.1).

    Raises:
        Refused: The text says what is asked for, and never repeats it.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(f"a password has from {SHORTEST} to {LONGEST} characters; a few words make a good one")
    if len(set(password.lower())) < 5 or password.lower().replace(name.lower(), "") == "":
        raise Refused("this password is too easy to guess; a few words make a good one")


def _verified(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
