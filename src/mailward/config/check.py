"""
Looking a configuration over before it is used: mistakes, doubtful things, and what probing will cost.

A mistake keeps a configuration from being used; a concern is only told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailward.config.concerns import Concern, concerns, concerns_in_words, gathered
from mailward.config.concerns_acting import concerns_about_acting, concerns_about_classes
from mailward.config.load import read
from mailward.config.mistakes import Mistake
from mailward.config.surroundings import advice, surroundings
from mailward.model.durations import write_duration
from mailward.monitors.cost import Cost, cost
from mailward.monitors.coverage import cover
from mailward.ports.settings import Snapshot

__all__ = ["Checked", "Concern", "check", "concerns_in_words", "cost_in_words"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a look at a configuration found."""

    snapshot: Snapshot | None
    """None when there are mistakes."""
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Concern, ...] = ()
    advice: tuple[Concern, ...] = ()
    """What to set up elsewhere so that probing does no harm: always worth printing."""
    cost: Cost | None = None


def check(paths: Path | Sequence[Path]) -> Checked:
    """Look a configuration over. Never raises for what is in it."""
    reading = read(paths)
    if reading.mistakes:
        return Checked(snapshot=None, mistakes=reading.mistakes)
    snapshot = reading.snapshot()
    organization = snapshot.organization
    costs = cost(cover(organization, snapshot.probing, snapshot.monitors), organization)
    return Checked(
        snapshot=snapshot,
        mistakes=(),
        warnings=gathered(
            (
                *concerns(snapshot, costs),
                *concerns_about_acting(snapshot),
                *concerns_about_classes(reading.configuration),
                *surroundings(snapshot),
            )
        ),
        advice=tuple(advice(organization)),
        cost=costs,
    )


def cost_in_words(costs: Cost) -> tuple[str, ...]:
    """What probing costs, one sentence a line."""
    return (
        *(
            f"{server.server}: {server.conversations:,} conversations and {server.log_lines:,} log lines a day"
            for server in costs.servers
        ),
        *(
            f"{account.account}: {account.conversations:,} conversations a day, at most {account.sessions_max} at once"
            for account in costs.accounts
        ),
        *(
            f"{lane.server}: {len(lane.members)} databases take turns every {write_duration(lane.interval)};"
            f" all are covered after {write_duration(lane.covering_time)}"
            for lane in costs.lanes
        ),
    )
