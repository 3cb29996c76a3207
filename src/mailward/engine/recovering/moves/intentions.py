"""What an order to move databases would do, as values and in words: all of it pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mailward.failover.source import Source, SourceState
from mailward.model.copies import CopyKind, PlannedMove
from mailward.model.organization import Database
from mailward.model.recovery import Step, StepName, StepOutcome
from mailward.ports.manager import MoveIntention
from mailward.recovery.deciding import Decision

ANY_MOVE = {"database": "", "source": "", "target": "", "kind": "replicator"}


def as_step(evidence: dict[str, object]) -> Step:
    """A choice in the form in which a move keeps it."""
    moment = datetime.min.replace(tzinfo=UTC)
    return Step(
        operation=0,
        seq=1,
        place=0,
        name=StepName.CHOOSE_COPY,
        server="",
        started=moment,
        ended=moment,
        outcome=StepOutcome.DONE,
        evidence=evidence,
    )


def how_it_is_left(database: Database, source: Source) -> str:
    """How the server that is left is, and what a person agrees to when that is not well."""
    if source.is_planned:
        return source.because
    if source.state is SourceState.UNKNOWN:
        return f"{source.because}; while that is so, nothing is moved"
    is_synchronised = database.replication in (CopyKind.REPLICATOR, CopyKind.SYNC)
    without = ", without a last synchronisation" if is_synchronised else ""
    fenced = f"; {database.active} is fenced first" if source.must_be_fenced else ""
    return f"{source.because}; the move is forced{without}{fenced}"


def is_under_way(database: str) -> str:
    """Why a second move of it is not begun."""
    return f"another move of {database} is under way; see: mailward recoveries --unfinished"


def is_being_emptied(server: str) -> str:
    """Why a second order to empty it is not taken."""
    return f"{server} is being emptied already; see: mailward recoveries --unfinished"


def overtaken_by_another(move: PlannedMove) -> PlannedMove:
    """What another move of the same database leaves of it."""
    return replace(move, target=None, because=is_under_way(move.database), choices=(), command=())


def why_staying(moves: Sequence[PlannedMove]) -> tuple[str, ...]:
    """Why each of the databases stays that can go nowhere."""
    return tuple(f"{move.database}: {move.because}" for move in moves if move.target is None)


def intention_of(server: str, moves: tuple[PlannedMove, ...], decision: Decision) -> MoveIntention:
    """What a gate forbids comes first: a database that stays, stays for that reason too."""
    staying = why_staying(moves)
    because = "; ".join((*(() if decision.may else (decision.because,)), *staying)) or decision.because
    return MoveIntention(
        server=server,
        moves=moves,
        answers=decision.answers,
        allowed=decision.may and not staying,
        because=because,
    )
