"""How a copy stands, in Exchange's words, from what was seen of its server and of replication."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailward.failover.settings import MoveSettings
from mailward.model.copies import CopyKind, CopyState, DatabaseCopy, MailboxSync
from mailward.model.durations import spoken


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSeen:
    """One server, as far as its copies depend on it."""

    serves: bool | None
    """Whether its IMAP service answers; None: not known."""
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplicationSeen:
    """How well the passive copies of one database follow its active one."""

    unseen: str | None = None
    """Why it is not known; None: it is."""
    waiting: int = 0
    failed: int = 0
    never: int = 0
    lag: timedelta | None = None
    mailboxes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What bears on one copy."""

    kind: CopyKind | None
    is_active: bool
    preference: int
    server: ServerSeen
    """Its own server."""
    active: ServerSeen
    """The server of the active copy."""
    unread: str = ""
    """Why the active copy itself cannot be read although its server answers; "": it can be, or nobody knows."""
    readable_ago: timedelta | None = None
    """How long ago the active copy was last read; None: it is not known."""
    replication: ReplicationSeen
    followed: bool | None
    """Whether it followed the active copy when that was last seen; None: never seen."""
    canary: bool | None
    """Whether its own canary was read there lately; False: it is gone, or another one."""
    canary_because: str = ""
    blocked: str | None = None
    must_catch_up: str | None = None
    """Why it must be synchronised before it may become active."""


def copy_of(database: str, server: str, around: Around, *, settings: MoveSettings, now: datetime) -> DatabaseCopy:
    """The copy of *database* on *server*, as a row."""
    state, because = _active(around) if around.is_active else _passive(around, settings)
    seen = around.replication
    follows = not around.is_active and around.kind in (CopyKind.REPLICATOR, CopyKind.SYNC)
    lag = timedelta(0) if around.kind is CopyKind.SHARED_STORAGE and not around.is_active else None
    return DatabaseCopy(
        database=database,
        server=server,
        state=state,
        because=because,
        kind=around.kind or CopyKind.SINGLE,
        preference=around.preference,
        seen_at=now,
        lag=seen.lag if follows and seen.unseen is None else lag,
        waiting=seen.waiting + seen.failed if follows and seen.unseen is None else None,
        mailboxes=seen.mailboxes or None,
        activation_blocked=around.must_catch_up or around.blocked,
    )


def with_runs_of(
    syncs: Mapping[str, MailboxSync], others: Sequence[Mapping[str, MailboxSync]]
) -> Mapping[str, MailboxSync]:
    """
    What a replicator says, with the successes of its peers: a run of either server copies in both directions.

    A replicator counts only its own runs (measured): of a database that became active a moment ago it would say that it
    was never copied. What has yet to be copied, and what fails, only the server of the active copy knows.
    """
    return {
        name: _with_runs_of(sync, [other[name] for other in others if name in other]) for name, sync in syncs.items()
    }


def _with_runs_of(ours: MailboxSync, theirs: Sequence[MailboxSync]) -> MailboxSync:
    ages = [one.last_success for one in (ours, *theirs) if one.last_success is not None]
    return replace(ours, last_success=min(ages)) if ages else ours


@dataclass(frozen=True, kw_only=True, slots=True)
class Replicated:
    """What a replicator said, and since when each mailbox of which something is to be copied lacks it."""

    at: datetime
    syncs: Mapping[str, MailboxSync]
    lacking_since: Mapping[str, datetime]


def replicated(syncs: Mapping[str, MailboxSync], *, at: datetime, before: Replicated | None) -> Replicated:
    """
    What a replicator says now, beside what it said *before*.

    Its last success alone does not tell since when a mailbox lacks something: one that got its first mail for hours is
    behind by a moment. Where nothing was to be copied at the look before, nothing is missing from before that.
    """
    since: dict[str, datetime] = {}
    for name, sync in syncs.items():
        if not (sync.is_waiting or sync.has_failed):
            continue
        moments = [] if sync.last_success is None else [at - sync.last_success]
        if before is not None and name in before.syncs:
            moments.append(before.lacking_since.get(name, before.at))
        if moments:
            since[name] = max(moments)
    return Replicated(at=at, syncs=syncs, lacking_since=since)


def replication_of(mailboxes: Sequence[str], seen: Replicated) -> ReplicationSeen:
    """
    How well a database is replicated, by what the replicator says of each of its mailboxes.

    The lag is that of the mailbox that lacks most; one with nothing to copy and no failure lacks nothing.
    """
    known = [seen.syncs.get(mailbox) for mailbox in mailboxes]
    behind = [one for one in known if one is not None and (one.is_waiting or one.has_failed)]
    lags = [seen.at - seen.lacking_since[one.mailbox] for one in behind if one.mailbox in seen.lacking_since]
    return ReplicationSeen(
        waiting=sum(one.is_waiting and not one.has_failed for one in behind),
        failed=sum(one.has_failed for one in behind),
        never=sum(one is None or one.last_success is None for one in known),
        lag=max(lags, default=timedelta(0)),
        mailboxes=len(mailboxes),
    )


def _active(around: Around) -> tuple[CopyState, str]:
    if around.server.serves is False:
        return CopyState.DISMOUNTED, around.server.because
    if around.canary is False:
        return CopyState.DISMOUNTED, around.canary_because
    if around.server.serves is None:
        return CopyState.MOUNTED, f"users are sent there; how it is is not known: {around.server.because}"
    return CopyState.MOUNTED, "users are sent there, and it answers"


def _passive(around: Around, settings: MoveSettings) -> tuple[CopyState, str]:
    hindered = _hindered(around)
    if hindered is not None:
        return hindered
    if around.kind is CopyKind.SHARED_STORAGE:
        return CopyState.HEALTHY, "it is the same store"
    # what is copied every few minutes lags by as much as that
    limit = settings.lag_limit + (settings.sync_every if around.kind is CopyKind.SYNC else timedelta(0))
    if around.replication.unseen is not None or around.active.serves is False:
        why = around.active.because if around.active.serves is False else around.replication.unseen or ""
        return _apart(around.followed, why)
    if around.unread:
        return _apart(_followed_until_unread(around, limit), around.unread)
    return _following(around.replication, limit)


def _hindered(around: Around) -> tuple[CopyState, str] | None:
    """What speaks against a copy whatever replication says."""
    if around.kind is None:
        return CopyState.UNKNOWN, "the configuration does not say how copies come to be alike: set replication.kind"
    if around.server.serves is False:
        return CopyState.SERVICE_DOWN, around.server.because
    if around.canary is False:
        return CopyState.FAILED, around.canary_because
    if around.must_catch_up is not None:
        return CopyState.RESYNCHRONIZING, around.must_catch_up
    return None


def _followed_until_unread(around: Around, limit: timedelta) -> bool | None:
    """
    Whether it followed when the active copy was last read.

    From one that cannot be read nothing can be copied: how long that lasts makes the other copy no worse.
    """
    seen = around.replication
    if seen.never:
        return False
    if around.readable_ago is None or seen.lag is None:
        return around.followed
    return seen.lag - around.readable_ago <= limit


def _apart(followed: bool | None, why: str) -> tuple[CopyState, str]:
    """The active copy cannot be asked: what counts is how it was before."""
    if followed is None:
        return CopyState.UNKNOWN, f"it was never seen how it follows the active copy: {why}"
    if followed:
        return CopyState.DISCONNECTED_AND_HEALTHY, f"it followed until the active copy could not be asked: {why}"
    return CopyState.DISCONNECTED_AND_RESYNCHRONIZING, f"it lagged behind when the active copy was last asked: {why}"


def _following(seen: ReplicationSeen, limit: timedelta) -> tuple[CopyState, str]:
    if seen.never:
        return CopyState.INITIALIZING, f"{seen.never} of {seen.mailboxes} mailboxes were never synchronised"
    if seen.lag is not None and seen.lag > limit:
        state = CopyState.FAILED if seen.failed else CopyState.RESYNCHRONIZING
        what = f"{seen.failed} mailboxes cannot be synchronised" if seen.failed else "it was not synchronised"
        return state, f"{what} for {spoken(seen.lag)}"
    if seen.failed or seen.waiting:
        return CopyState.HEALTHY, f"{seen.failed + seen.waiting} mailboxes are about to be synchronised"
    return CopyState.HEALTHY, "nothing is missing"
