"""Arithmetic over spans of time: where they overlap, and what is left without them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From a moment up to, and without, another."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; nothing where it ends before it begins."""
        return max(self.until - self.since, _NOTHING)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time, in order and without overlaps."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.since <= found[-1].until:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        elif span.length:
            found.append(span)
    return tuple(found)


def covered(taken: Sequence[Span], since: datetime, until: datetime) -> timedelta:
    """How much of the time from *since* to *until* lies in *taken*, which is in order and without overlaps."""
    found = _NOTHING
    for one in taken:
        if one.since >= until:
            break
        if one.until > since:
            found += min(one.until, until) - max(one.since, since)
    return found
