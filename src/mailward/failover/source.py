"""How the source of a move is, and what follows from it: planned or forced, and whether it must be fenced first."""

from dataclasses import dataclass
from enum import Enum

from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.probing import ProbeResult
from mailward.model.verdict import Tier


class SourceState(Enum):
    """How the server of the active copy is, for a move away from it."""

    WORKS = "works"
    """It answers and its store can be read: everything is synchronised first, and nothing is lost."""
    CUT_OFF = "cut off from the proxies"
    """It answers us, and some proxy does not reach it: everything is synchronised first, and no session is ended."""
    STORE_BROKEN = "its store is broken"
    """It answers, but this database cannot be read there, or is another one than it was: nothing comes from it."""
    GONE = "gone"
    """Its service does not run. Sessions may live on without it (field notes §E)."""
    HUNG = "hung"
    """Its service exists and does not answer: it may wake up and write."""
    UNREACHABLE = "unreachable"
    """It does not answer, and its host cannot be asked."""
    UNKNOWN = "unknown"
    """Its host says that it runs, and it could not be tested whether it answers: nothing is done to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """How the source is, and why it is said to be so."""

    state: SourceState
    because: str

    @property
    def is_planned(self) -> bool:
        """Whether the move waits for the last mail: nobody loses any."""
        return self.state in (SourceState.WORKS, SourceState.CUT_OFF)

    @property
    def is_silent(self) -> bool:
        """Whether nobody says anything of it: only that no proxy holds a session to it tells that nobody is there."""
        return self.state is SourceState.UNREACHABLE

    @property
    def must_be_fenced(self) -> bool:
        """Whether something there may still write although nobody can tell it not to."""
        return self.state in (SourceState.GONE, SourceState.HUNG, SourceState.UNREACHABLE)

    @property
    def answers(self) -> bool:
        """Whether sessions to it may be ended: ending one while a login waits for a dead server crashes the proxy."""
        return self.state in (SourceState.WORKS, SourceState.STORE_BROKEN)


def source_of(
    service: ServiceStatus | None,
    *,
    unseen: str,
    own_test_fails: bool | None,
    database_fails: bool | None,
    database_because: str = "",
    out_of_reach: str = "",
) -> Source:
    """
    How a source is.

    Args:
        service: What its host says of the service; None where the host was not asked, or did not answer.
        unseen: Why not.
        own_test_fails: Whether its self test failed just now; None: it could not be run.
        database_fails: Whether the database could not be read there just now, with the canary it always had.
        database_because: What its deep test said.
        out_of_reach: Why users of the database do not reach it by some proxy; "": they do, or nobody looked.
    """
    state = service.state if service is not None else ServiceState.UNKNOWN
    said = service.because if service is not None else unseen or "its host is not asked"
    if state.has_ended:
        return Source(state=SourceState.GONE, because=f"its service does not run: {said}")
    if state is ServiceState.HUNG:
        return Source(state=SourceState.HUNG, because=f"its service hangs: {said}")
    if own_test_fails is False and database_fails is False:
        return _that_works(out_of_reach)
    if own_test_fails is False and database_fails:
        return Source(state=SourceState.STORE_BROKEN, because=f"the database cannot be read there: {database_because}")
    return _that_does_not_answer(state, said, own_test_fails=own_test_fails, database_fails=database_fails)


def _that_does_not_answer(
    state: ServiceState, said: str, *, own_test_fails: bool | None, database_fails: bool | None
) -> Source:
    """Only what fails in every test that could be made hangs; what was not tested is not known."""
    fails = own_test_fails is True and database_fails is not False
    if state is ServiceState.RUNNING and fails:
        return Source(state=SourceState.HUNG, because=f"its host says that it runs, and it does not answer: {said}")
    if fails:
        return Source(state=SourceState.UNREACHABLE, because=f"it does not answer, and nobody says how it is: {said}")
    return Source(state=SourceState.UNKNOWN, because=f"it is not known how it is: {said}")


def _that_works(out_of_reach: str) -> Source:
    if out_of_reach:
        return Source(state=SourceState.CUT_OFF, because=f"it answers us, but not every proxy: {out_of_reach}")
    return Source(state=SourceState.WORKS, because="it answers, and the database can be read there")


def fails(result: ProbeResult | None) -> bool | None:
    """Whether a test failed; None: it could not be run, or says nothing."""
    if result is None:
        return None
    if result.result.is_failure:
        return True
    return False if result.is_healthy else None


def store_fails(result: ProbeResult | None) -> bool | None:
    """Whether a database could not be read by its deep test; a fault of our own account or of the directory is none."""
    failed = fails(result)
    tier = result.verdict.tier if result is not None and result.verdict is not None else None
    return None if failed and tier in (Tier.MONITORING, Tier.DIRECTORY) else failed


def why_of(result: ProbeResult | None) -> str:
    """What a test said."""
    if result is None:
        return "it could not be probed"
    return result.why or result.result.value
