"""Arithmetic over spans of time: where they overlap, and what is left without them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From a moment up to, and without, another."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it is; nothing where it ends before it begins."""
        return max(self.until - self.since, timedelta(0))

    def within(self, other: "Span") -> "Span":
        """The part of it that lies in *other*; it may be empty."""
        return Span(max(self.since, other.since), min(self.until, other.until))


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time, in order and without overlaps."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.since <= found[-1].until:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        elif span.length:
            found.append(span)
    return tuple(found)


def without(span: Span, taken: Sequence[Span]) -> tuple[Span, ...]:
    """What is left of *span* when *taken*, in order and without overlaps, is taken out of it."""
    left: list[Span] = []
    since = span.since
    for one in taken:
        if one.until <= since or one.since >= span.until:
            continue
        if one.since > since:
            left.append(Span(since, one.since))
        since = max(since, one.until)
    if since < span.until:
        left.append(Span(since, span.until))
    return tuple(left)


def total(spans: Iterable[Span]) -> timedelta:
    """How long they are together."""
    return sum((span.length for span in spans), timedelta(0))
