"""
When a recovery starts, and for what: a broken monitor, or a host that says its service failed.

Monitors that a person repairs or switched off start nothing; nor does one that broke before the last recovery of the
same target ended, unless so much time has passed, or the verdict has changed, that trying again is worth it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.items import COMMAND_TIME_MONITOR, PROXY_TEST_MONITOR, QUEUE_MONITOR, SELF_TEST_MONITOR
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.organization import Organization
from mailward.model.recovery import Operation, OperationKind, OperationStatus
from mailward.model.verdict import Tier, Verdict
from mailward.recovery.procedures import procedure_for
from mailward.recovery.settings import RecoverySettings

SAME_TROUBLE = timedelta(seconds=90)
"""A host tells of a failure before monitors break; what breaks so soon after a recovery began is what it is about."""
SETTLES_AT_LEAST = timedelta(seconds=15)
"""Between two recoveries of a monitor that stays broken although a look finds nothing; doubled each time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """A recovery that should be started."""

    kind: OperationKind
    target: str
    server: str
    because: str
    cause: MonitorKey | None = None
    verdict: Verdict | None = None
    databases: tuple[str, ...] = ()


def trigger_of(
    status: MonitorStatus, organization: Organization, *, certificate_is_stale: bool = False
) -> Trigger | None:
    """
    The recovery a monitor's state asks for, or None.

    Args:
        status: The monitor.
        organization: What there is.
        certificate_is_stale: Whether its server serves another certificate than the one on its disk: a certificate
            that merely ends soon is told to people, and nothing could be done about it.
    """
    if not status.state.is_broken or status.broken_since is None:
        return None
    key, procedure = status.key, procedure_for(status.key.item)
    if procedure is None or (procedure.kind is OperationKind.CERTIFICATE and not certificate_is_stale):
        return None
    return Trigger(
        kind=procedure.kind,
        target=_target(procedure.kind, status, organization),
        server=key.server,
        because=f"{key.item} of {key.server}: {status.because}",
        cause=key,
        verdict=status.verdict,
        databases=databases_of(status, organization),
    )


def databases_of(status: MonitorStatus, organization: Organization) -> tuple[str, ...]:
    """The databases whose users feel what this monitor says."""
    key = status.key
    if key.target in organization.databases:
        return (key.target,)
    if key.item == PROXY_TEST_MONITOR:
        return tuple(organization.databases)
    if key.item in (SELF_TEST_MONITOR, COMMAND_TIME_MONITOR, QUEUE_MONITOR):
        server = organization.servers.get(key.server)
        if server is not None and server.is_proxy and key.item != SELF_TEST_MONITOR:
            return tuple(organization.databases)
        return tuple(database.name for database in organization.active_on(key.server))
    return ()


def exit_trigger(server: str, because: str, organization: Organization) -> Trigger | None:
    """The recovery that a service's failure, as its host reports it, asks for; None for an unknown server."""
    known = organization.servers.get(server)
    if known is None:
        return None
    kind = OperationKind.MAILBOX_SERVER if known.is_mailbox else OperationKind.PROXY
    databases = organization.active_on(server) if known.is_mailbox else organization.databases.values()
    return Trigger(
        kind=kind,
        target=server,
        server=server,
        because=f"the host of {server} says that its IMAP service failed: {because}",
        databases=tuple(database.name for database in databases),
    )


def may_start(
    trigger: Trigger,
    status: MonitorStatus | None,
    former: Sequence[Operation],
    *,
    settings: RecoverySettings,
    now: datetime,
) -> bool:
    """
    Whether a recovery may start although others of the same target have ended.

    Args:
        trigger: What would be started.
        status: The monitor that asks; None when a host reported a failure, which is news by itself.
        former: Operations of the same target.
        settings: How long to wait.
        now: The present moment.
    """
    if any(not operation.status.is_over for operation in former):
        return False
    ended = [operation for operation in former if operation.ended_at is not None]
    if status is None or not ended:
        return True
    last = max(ended, key=lambda operation: operation.ended_at or operation.started_at)
    end = last.ended_at or last.started_at
    if status.broken_since is not None and status.broken_since > max(end, last.started_at + SAME_TROUBLE):
        return True
    if status.last_result_at is None or status.last_result_at <= end:
        return False  # nothing was seen since: its recovery has yet to prove itself
    if last.status in (OperationStatus.HEALED, OperationStatus.TRANSIENT):
        wait = max(settings.settle, SETTLES_AT_LEAST) * float(2 ** _transients(ended, now))
        return now - end >= min(wait, settings.start_anew_after)
    wait = settings.start_anew_after
    if _points_at(last.verdict) == _points_at(trigger.verdict):
        wait = max(wait, settings.start_anew_same_verdict_after)
    return now - end >= wait


def _transients(ended: Sequence[Operation], now: datetime) -> int:
    """How often lately a look found nothing although the monitor stays broken: each time it is looked at less soon."""
    hour = timedelta(hours=1)
    lately = [one for one in ended if one.ended_at is not None and timedelta(0) <= now - one.ended_at < hour]
    return min(8, sum(one.status is OperationStatus.TRANSIENT for one in lately))


def _points_at(verdict: Verdict | None) -> tuple[object, ...]:
    return () if verdict is None else (verdict.tier, verdict.server, verdict.dependency)


def _target(kind: OperationKind, status: MonitorStatus, organization: Organization) -> str:
    """What the recovery is about; of one target only one is open at a time."""
    key = status.key
    database = organization.databases.get(key.target)
    if kind is OperationKind.CUSTOMER_TOUCH_POINT:
        return f"{key.server}/{database.active if database is not None else key.target}"
    if kind is OperationKind.CERTIFICATE:
        return f"{key.server}/certificate"
    if kind is OperationKind.LOAD:
        return f"{key.server}/load"  # what only recommends must not stand in the way of the server's own recovery
    if database is not None and status.verdict is not None and status.verdict.tier is Tier.STORE:
        return f"{key.server}/{key.target}"  # one database's store at fault is about that database alone
    return key.server
