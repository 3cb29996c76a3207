"""
How long somebody has to wait before they may try another password.

A few attempts are free, then the wait doubles; it has an upper end, and every few quiet minutes one failure is
forgiven. So guessing becomes slow and nobody is ever locked out for good.

Failures are counted for the address they come from and for the user they name. Where a user has logged in before from
that very address only the failures of the two together count: whoever guesses from elsewhere does not keep them out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

FREE_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=1)
"""For a user: long enough to make guessing hopeless, short enough to sit out."""
LONGEST_WAIT_OF_ADDRESS = timedelta(minutes=5)
FORGIVEN_EVERY = timedelta(minutes=5)
COUNTED_AT_MOST = 10_000
"""Users and addresses remembered at a time; those that have been quiet for longest are forgotten first."""
TOLD_AT_MOST = 60
TOLD_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failures:
    """How often somebody failed lately, and when last."""

    count: int
    last_at: datetime


def forgiven(failures: Failures, *, now: datetime) -> Failures | None:
    """What still counts of *failures* at *now*; None when nothing does."""
    left = failures.count - max(0, (now - failures.last_at) // FORGIVEN_EVERY)
    return replace(failures, count=left) if left > 0 else None


def one_more(failures: Failures | None, *, now: datetime) -> Failures:
    """Another failure at *now*."""
    still = forgiven(failures, now=now) if failures is not None else None
    return Failures(count=1 + (still.count if still else 0), last_at=now)


def wait_left(failures: Failures | None, *, longest: timedelta, now: datetime) -> timedelta:
    """How long until the next attempt is looked at; zero when it is at once."""
    if failures is None or failures.count < FREE_ATTEMPTS:
        return timedelta(0)
    doublings = min(failures.count - FREE_ATTEMPTS, 30)
    wait: timedelta = min(FIRST_WAIT * 2**doublings, longest)
    # A clock that was set back must not make anybody wait for longer than the wait.
    return max(timedelta(0), min(wait, failures.last_at + wait - now))


class Throttle:
    """Counts failures; what they mean is decided above."""

    def __init__(self) -> None:
        """Nobody has failed yet."""
        self._failures: dict[str, Failures] = {}
        self._together: dict[tuple[str, str], None] = {}

    def begin(self, user: str, address: str, *, now: datetime) -> timedelta:
        """
        Ask for an attempt. Zero: it may be made, and counts as failed until `succeeded` is called, so that many at the
        same time are no way around the wait. Otherwise how long to wait; then nothing is counted.
        """
        keys = self._keys(user, address)
        wait = max(wait_left(self._failures.get(key), longest=longest, now=now) for key, longest in keys)
        if wait:
            return wait
        for key, _ in keys:
            self._count(key, one_more(self._failures.get(key), now=now))
        return timedelta(0)

    def succeeded(self, user: str, address: str) -> None:
        """The attempt was no failure: the user's are forgotten, of the address only this one."""
        for key, longest in self._keys(user, address):
            known = self._failures.pop(key, None)
            if known is not None and longest is LONGEST_WAIT_OF_ADDRESS and known.count > 1:
                self._count(key, replace(known, count=known.count - 1))
        self._together.pop((user, network_of(address)), None)
        self._together[(user, network_of(address))] = None
        _keep_newest(self._together)

    def _keys(self, user: str, address: str) -> tuple[tuple[str, timedelta], ...]:
        network = network_of(address)
        if (user, network) in self._together:
            return ((f"{user} at {network}", LONGEST_WAIT),)
        return ((f"user {user}", LONGEST_WAIT), (f"address {network}", LONGEST_WAIT_OF_ADDRESS))

    def _count(self, key: str, failures: Failures) -> None:
        self._failures.pop(key, None)
        self._failures[key] = failures
        _keep_newest(self._failures)


class Told:
    """Bounds how many failed attempts are recorded; those left out are counted and told with the next."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._at: list[datetime] = []
        self._left_out = 0

    def next(self, *, now: datetime) -> int | None:
        """How many were left out before one that is to be recorded; None when this one is left out too."""
        self._at = [at for at in self._at if timedelta(0) <= now - at < TOLD_WITHIN]
        if len(self._at) >= TOLD_AT_MOST:
            self._left_out += 1
            return None
        self._at.append(now)
        left_out, self._left_out = self._left_out, 0
        return left_out


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64, because whoever has one address there has them all (RFC 6177)."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ip_network((int(known), 64), strict=False))


def seconds_of(wait: timedelta) -> int:
    """Whole seconds, rounded up, as `Retry-After` has them."""
    return -(-wait // timedelta(seconds=1))


def _keep_newest(known: dict[str, Failures] | dict[tuple[str, str], None]) -> None:
    surplus: Iterable[object] = list(known)[: max(0, len(known) - COUNTED_AT_MOST)]
    for key in surplus:
        del known[key]  # type: ignore[arg-type]
