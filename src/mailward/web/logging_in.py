"""Logging in: a name and a password become a session, or a refusal that tells nothing about either."""

import logging
from dataclasses import dataclass, field

from mailward.model.event import Event, EventKind
from mailward.ports.credentials import KeptUser
from mailward.web.keyring import Keyring
from mailward.web.problems import Code, Problem
from mailward.web.sessions import Session
from mailward.web.throttling import Throttle, Told, seconds_of

REFUSED = "this name and this password do not belong together"
_log = logging.getLogger("mailward.web")


@dataclass(frozen=True, kw_only=True, slots=True)
class Logins:
    """Lets people log in, slower the more often they fail."""

    keyring: Keyring
    throttle: Throttle = field(default_factory=Throttle)
    told: Told = field(default_factory=Told)

    async def log_in(self, name: str, password: str, *, address: str) -> Session:
        """
        Return a new session.

        Args:
            name: Who it is said to be, without regard to case.
            password: What is said to prove it.
            address: Where the attempt comes from.

        Raises:
            Problem: UNAUTHENTICATED, in the same words and after the same time whether the user or the password is
                wrong; TOO_MANY_ATTEMPTS before another attempt is looked at.
        """
        name, now = name.lower(), self.keyring.now
        wait = self.throttle.begin(name, address, now=now)
        if wait:
            seconds = seconds_of(wait)
            raise Problem(
                Code.TOO_MANY_ATTEMPTS,
                f"too many attempts failed; the next is looked at in {seconds} s",
                retry_after=seconds,
            )
        kept = (await self.keyring.known()).users.get(name)
        fits = await self.keyring.passwords.fits(password, kept.password_hash if kept else None)
        if kept is None or not fits:
            self._record_failure(kept, address)
            raise Problem(Code.UNAUTHENTICATED, REFUSED)
        self.throttle.succeeded(name, address)
        self.keyring.note_login(name, address)
        _log.info("%s logged in from %s", name, address)
        return Session(user=name, generation=kept.generation, begun_at=now, seen_at=now)

    def _record_failure(self, kept: KeptUser | None, address: str) -> None:
        """A name nobody has is not repeated: people type their password there."""
        now = self.keyring.now
        left_out = self.told.next(now=now)
        if left_out is None:
            return
        who = f"as {kept.user.name}" if kept else "as somebody there is not"
        more = f"; {left_out} more failed before" if left_out else ""
        because = f"an attempt to log in {who} from {address} failed{more}"
        _log.warning("%s", because)
        self.keyring.note_failure(
            Event(
                at=now,
                kind=EventKind.LOGIN_FAILED,
                subject=f"user {kept.user.name}" if kept else "login",
                because=because,
                actor=address,
                data={"address": address},
            )
        )
