"""Which recoveries deal with a root cause."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from mailward.alerts.matter import Cause, Recovery
from mailward.model.monitoring import MonitorStatus
from mailward.model.verdict import Tier

_HAS_SERVICE = frozenset({Tier.MAILBOX_SERVER, Tier.PROXY, Tier.STORE, Tier.ACCESS_POINT, Tier.PATH, Tier.UNKNOWN})


def recoveries_of(
    cause: Cause, statuses: Sequence[MonitorStatus], recoveries: Iterable[Recovery], *, since: datetime
) -> tuple[Recovery, ...]:
    """
    The recoveries that deal with *cause*: begun by one of its monitors, joined to one that was, or at work on its
    server. First those of what is at fault, which know best what is to be done; then those of whoever meets the fault;
    of each the newest first. Those that ended before *since* belong to an older outbreak.
    """
    keys = {status.key for status in statuses}
    current = [one for one in recoveries if one.operation.ended_at is None or one.operation.ended_at >= since]
    chosen = {one.operation.id for one in current if one.operation.cause in keys or _is_about(cause, one)}
    joined = {one.operation.joins for one in current if one.operation.id in chosen}
    chosen |= {one.operation.id for one in current if one.operation.id in joined or one.operation.parent in chosen}
    found = [one for one in current if one.operation.id in chosen]
    found.sort(key=lambda one: (_is_own(cause, one), one.operation.started_at, one.operation.id), reverse=True)
    return tuple(found)


def _is_own(cause: Cause, recovery: Recovery) -> bool:
    """Whether what it recovers is what is at fault."""
    server, database = cause.server or "", cause.database or ""
    return recovery.operation.target in (server, f"{server}/{database}")


def _is_about(cause: Cause, recovery: Recovery) -> bool:
    if cause.server is None or cause.tier not in _HAS_SERVICE:
        return False
    operation = recovery.operation
    server, _, database = operation.target.partition("/")
    if cause.database and database and database != cause.database:
        return False
    return cause.server in (operation.server, server)
