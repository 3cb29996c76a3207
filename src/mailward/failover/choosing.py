"""
The choice of the copy that becomes active, with the reason for every one rejected (design §4).

Eligible status, then the IMAP health of its server (all healthy before better than the source), least lag, room,
preference, name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from mailward.failover.settings import MoveSettings
from mailward.model.copies import CopyChoice, CopyKind, CopyState, DatabaseCopy
from mailward.model.durations import spoken
from mailward.model.monitoring import AlertValue


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A copy, and its server as a home for users."""

    copy: DatabaseCopy
    health: AlertValue | None
    """The worst of its server's own IMAP monitors and of this copy's; None: not known."""
    active_mailboxes: int = 0
    """How many mailboxes in active copies its server has already."""
    held_by: str | None = None
    """Who keeps the server out of service (maintenance, a component state); None: nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The copy to move to, and what was thought of each."""

    target: str | None
    because: str
    choices: tuple[CopyChoice, ...]


_TROUBLE = {AlertValue.UNHEALTHY: 3, AlertValue.DEGRADED: 2, AlertValue.REPAIRING: 2}


def choose(
    candidates: Sequence[Candidate],
    *,
    source_health: AlertValue | None,
    source_works: bool,
    mailboxes: int,
    settings: MoveSettings,
    wanted: str | None = None,
) -> Choice:
    """
    Choose the copy that becomes active.

    Args:
        candidates: Every copy but the active one.
        source_health: The worst of the source's monitors; a target must be better than it, or healthy.
        source_works: Whether the source can still be synchronised from: then nobody has to lose anything.
        mailboxes: How many mailboxes would come along.
        settings: What a copy may lack, and how much a server takes.
        wanted: The server a person names; the others are then no choice.
    """
    judged = [
        (candidate, _against(candidate, source_health, source_works, mailboxes, settings)) for candidate in candidates
    ]
    eligible = sorted((one for one, against in judged if against is None), key=_rank)
    if wanted is not None:
        eligible = [one for one in eligible if one.copy.server == wanted]
    best = eligible[0] if eligible else None
    told = [
        CopyChoice(server=one.copy.server, is_eligible=against is None, because=against or _for(one))
        for one, against in judged
    ]
    told.sort(key=lambda choice: (best is None or choice.server != best.copy.server, not choice.is_eligible))
    if best is not None:
        return Choice(target=best.copy.server, because=f"{best.copy.server}: {_for(best)}", choices=tuple(told))
    return Choice(target=None, because=_nowhere(told, wanted), choices=tuple(told))


def _against(
    candidate: Candidate,
    source_health: AlertValue | None,
    source_works: bool,
    mailboxes: int,
    settings: MoveSettings,
) -> str | None:
    """Why a copy cannot become active, or None."""
    copy = candidate.copy
    if copy.activation_blocked is not None:
        return f"its activation is blocked: {copy.activation_blocked}"
    if candidate.held_by is not None:
        return f"its server is out of service: {candidate.held_by}"
    catches_up = source_works and copy.state is CopyState.RESYNCHRONIZING  # a planned move synchronises it first
    if not (copy.state.may_become_active or catches_up):
        return f"it is {copy.state.value}: {copy.because}"
    return _unwell(candidate.health, source_health) or _full(candidate, mailboxes, settings)


def _unwell(health: AlertValue | None, source: AlertValue | None) -> str | None:
    if health is None:
        return "it is not known how its server is"
    if health is AlertValue.HEALTHY:
        return None
    trouble = _TROUBLE.get(health, 4)
    if trouble < _TROUBLE.get(source or AlertValue.HEALTHY, 0):
        return None
    return f"its server is {health.value}, no better than the source"


def _full(candidate: Candidate, mailboxes: int, settings: MoveSettings) -> str | None:
    if settings.capacity is None or candidate.active_mailboxes + mailboxes <= settings.capacity:
        return None
    return (
        f"it has no room: {candidate.active_mailboxes} mailboxes are active on its server,"
        f" {mailboxes} would come, {settings.capacity} are allowed"
    )


def _rank(candidate: Candidate) -> tuple[object, ...]:
    copy = candidate.copy
    return (
        candidate.health is not AlertValue.HEALTHY,
        copy.state is not CopyState.HEALTHY,
        copy.lag is None,
        copy.lag or timedelta(0),
        candidate.active_mailboxes,
        copy.preference,
        copy.server,
    )


def _for(candidate: Candidate) -> str:
    copy = candidate.copy
    health = candidate.health.value if candidate.health is not None else "not known"
    lag = "nothing to copy" if copy.kind is CopyKind.SHARED_STORAGE else _lag(copy.lag)
    return f"the copy is {copy.state.value} ({lag}), its server {health}, preference {copy.preference}"


def _lag(lag: timedelta | None) -> str:
    if lag is None:
        return "how much it lacks is not known"
    return "nothing is missing" if not lag else f"it may lack the last {spoken(lag)}"


def _nowhere(told: Sequence[CopyChoice], wanted: str | None) -> str:
    if not told:
        return "there is no second copy"
    if wanted is not None:
        found = next((choice for choice in told if choice.server == wanted), None)
        return f"{wanted}: {found.because}" if found is not None else f"{wanted} holds no copy"
    return "no copy can become active: " + "; ".join(f"{choice.server}: {choice.because}" for choice in told)
