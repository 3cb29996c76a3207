"""How long the conversations of one probe took, over time: what a chart of latencies shows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailward.model.probing import Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseShare:
    """What one phase adds to the average: its time, spread over all conversations."""

    phase: Phase
    took: timedelta = field(metadata={"wire": "ms"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyPoint:
    """One step of time."""

    start: datetime
    count: int
    """How many conversations began in it."""
    failures: int
    took: timedelta
    """A whole conversation, on average."""
    longest: timedelta
    phases: tuple[PhaseShare, ...]
    """As a user meets them; one that did not happen is absent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Latencies:
    """The conversations of one probe on one target of a server."""

    server: str
    probe: str
    target: str
    since: datetime
    step: timedelta
    """How much time a point stands for."""
    points: tuple[LatencyPoint, ...]
    """In order of time; a step in which nothing was measured has none."""
