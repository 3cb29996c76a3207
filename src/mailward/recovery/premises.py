"""
The premises of stages: whether a stage makes sense, by what is known now.

True goes on to the gates, False skips the stage with the reason. What is not known is left to the gates, which refuse
with their own words, unless nothing at all can be seen: then it is skipped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from mailward.model.monitoring import AlertValue
from mailward.model.verdict import Tier
from mailward.recovery.circumstances import Circumstances


class Premise(Enum):
    """What a stage takes for granted."""

    ALWAYS = "always"
    SERVICE_NOT_RUNNING = "the service does not run"
    SERVICE_AT_FAULT = "the service runs, and is at fault"
    CERTIFICATE_STALE = "the certificate on disk is newer than the one served"
    HOLDS_ACTIVE_COPIES = "the server holds active copies"
    WHOLE_SERVER = "the whole server is at fault"
    MAILBOX_SERVER_UNHEALTHY = "the mailbox server that serves it is not healthy"
    PROXY_AT_FAULT = "the proxy is at fault"
    MOVES_BEGUN = "moves were begun"
    SOURCE_CAN_BE_READ = "a copy was chosen, and the source can be read"
    SOURCE_MAY_STILL_WRITE = "a copy was chosen, and the source does not answer"
    READY_TO_SWITCH = "a copy was chosen, and nothing more can be saved"
    SWITCHED = "users are sent to the other copy"
    PROXY_TO_TAKE_OUT = "the proxy is at fault, and clients are sent to it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Holds:
    """Whether a premise holds, and why."""

    holds: bool
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What premises look at beside the server that would be touched."""

    database: str | None = None
    """The one database whose store is at fault; None: the operation is about a whole server."""
    mailbox_server: str | None = None
    """The mailbox server that serves, for a customer touch point."""
    mailbox_server_alert: AlertValue | None = None
    """The worst of its own IMAP monitors."""
    moves: tuple[int, ...] = ()
    """The moves this operation began."""
    move: "MoveSoFar | None" = None
    """For the move of one database."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveSoFar:
    """What the steps of a move have found and done."""

    source: str
    target: str | None
    is_planned: bool
    """Whether the source works, so that everything is synchronised before the switch."""
    must_be_fenced: bool
    because: str
    """How the source is, and why."""
    synchronised: bool = False
    not_synchronised: str = ""
    """Why not."""
    switched: bool = False


def judge(premise: Premise, seen: Circumstances, around: Around) -> Holds:
    """Whether *premise* holds for the server *seen* is about."""
    return _JUDGES[premise](seen, around)


def _always(_seen: Circumstances, _around: Around) -> Holds:
    return Holds(holds=True, because="")


def _service_not_running(seen: Circumstances, around: Around) -> Holds:
    if around.database is not None:
        return Holds(holds=False, because=f"only the store of {around.database} is at fault")
    if seen.service is None:
        return Holds(holds=False, because=f"its host says nothing of the service: {seen.service_unseen}")
    ended = seen.service.state.has_ended
    return Holds(holds=ended, because=f"the host says {seen.service.state.value}: {seen.service.because}")


def _service_at_fault(seen: Circumstances, around: Around) -> Holds:
    if around.database is not None:
        return Holds(holds=False, because=f"only the store of {around.database} is at fault; nothing is restarted")
    if seen.service is None:
        return Holds(holds=False, because=f"its host says nothing of the service: {seen.service_unseen}")
    if seen.service.state.has_ended:
        return Holds(holds=False, because=f"it does not run: {seen.service.because}")
    verdict = seen.verdict
    if verdict is not None and verdict.tier is Tier.STORE:
        return Holds(holds=False, because=f"its store is at fault, not its service: {verdict.because}")
    return Holds(holds=True, because=f"the host says {seen.service.state.value}: {seen.service.because}")


def _certificate_stale(seen: Circumstances, _around: Around) -> Holds:
    if seen.certificate_is_stale is True:
        return Holds(holds=True, because="the certificate on disk is another one than the one served")
    known = "is the one on disk" if seen.certificate_is_stale is False else "cannot be compared with the one on disk"
    return Holds(holds=False, because=f"the certificate served {known}")


def _holds_active_copies(seen: Circumstances, around: Around) -> Holds:
    if around.database is not None:
        return Holds(holds=True, because=f"the store of {around.database} is at fault here")
    if not seen.active_copies:
        known = "it holds no active copy" if seen.active_copies is not None else "its active copies are not known"
        return Holds(holds=False, because=known)
    return Holds(holds=True, because=f"it holds the active copies of {', '.join(seen.active_copies)}")


def _whole_server(_seen: Circumstances, around: Around) -> Holds:
    if around.database is not None:
        return Holds(holds=False, because=f"only {around.database} is at fault; nothing is restarted for it")
    return Holds(holds=True, because="the server itself is at fault")


def _mailbox_server_unhealthy(_seen: Circumstances, around: Around) -> Holds:
    if around.mailbox_server is None:
        return Holds(holds=False, because="it is not known which mailbox server serves it")
    alert = around.mailbox_server_alert
    said = alert.value if alert is not None else "not known"
    is_broken = alert is not None and alert.is_broken
    return Holds(holds=is_broken, because=f"the IMAP monitors of {around.mailbox_server} say {said}")


def _proxy_at_fault(seen: Circumstances, around: Around) -> Holds:
    """The healthy mailbox server, and only it, puts the fault on the proxy (reference §8.1)."""
    alert = around.mailbox_server_alert
    if alert is not None and alert.is_broken:
        return Holds(holds=False, because=f"{around.mailbox_server} is not healthy: it is recovered first")
    verdict = seen.verdict
    if verdict is None or verdict.server != seen.place.server or verdict.tier is not Tier.PROXY:
        said = verdict.because if verdict is not None else "there is no verdict"
        return Holds(holds=False, because=f"the verdict does not name the proxy: {said}")
    return Holds(holds=True, because=verdict.because)


def _moves_begun(_seen: Circumstances, around: Around) -> Holds:
    if not around.moves:
        return Holds(holds=False, because="no move was begun")
    return Holds(holds=True, because=f"moves {', '.join(str(number) for number in around.moves)} were begun")


def _source_can_be_read(_seen: Circumstances, around: Around) -> Holds:
    move = around.move
    if move is None or move.target is None:
        return Holds(holds=False, because="no copy was chosen")
    return Holds(holds=move.is_planned, because=move.because)


def _source_may_still_write(_seen: Circumstances, around: Around) -> Holds:
    move = around.move
    if move is None or move.target is None:
        return Holds(holds=False, because="no copy was chosen")
    return Holds(holds=move.must_be_fenced, because=move.because)


def _ready_to_switch(_seen: Circumstances, around: Around) -> Holds:
    """A source that works is not left before everything on it is synchronised; from another one nothing more comes."""
    move = around.move
    if move is None or move.target is None:
        return Holds(holds=False, because="no copy was chosen")
    if move.is_planned and not move.synchronised:
        return Holds(holds=False, because=f"{move.source} works and was not synchronised: {move.not_synchronised}")
    return Holds(holds=True, because=f"to {move.target}; {move.because}")


def _switched(_seen: Circumstances, around: Around) -> Holds:
    switched = around.move is not None and around.move.switched
    return Holds(holds=switched, because="users are sent there" if switched else "it did not come to its end")


def _proxy_to_take_out(seen: Circumstances, around: Around) -> Holds:
    at_fault = _proxy_at_fault(seen, around)
    if at_fault.holds and seen.in_access_point is False:
        return Holds(holds=False, because="it is out of the access point already")
    return at_fault


_JUDGES: Mapping[Premise, Callable[[Circumstances, Around], Holds]] = {
    Premise.ALWAYS: _always,
    Premise.SERVICE_NOT_RUNNING: _service_not_running,
    Premise.SERVICE_AT_FAULT: _service_at_fault,
    Premise.CERTIFICATE_STALE: _certificate_stale,
    Premise.HOLDS_ACTIVE_COPIES: _holds_active_copies,
    Premise.WHOLE_SERVER: _whole_server,
    Premise.MAILBOX_SERVER_UNHEALTHY: _mailbox_server_unhealthy,
    Premise.PROXY_AT_FAULT: _proxy_at_fault,
    Premise.PROXY_TO_TAKE_OUT: _proxy_to_take_out,
    Premise.MOVES_BEGUN: _moves_begun,
    Premise.SOURCE_CAN_BE_READ: _source_can_be_read,
    Premise.SOURCE_MAY_STILL_WRITE: _source_may_still_write,
    Premise.READY_TO_SWITCH: _ready_to_switch,
    Premise.SWITCHED: _switched,
}
