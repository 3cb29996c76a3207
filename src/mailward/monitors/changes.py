"""
What is told of monitors: the events of changes, of flapping, of instances that ended.

An event carries who is affected, so that whoever is called at night need not look it up.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from mailward.model.event import Event, EventKind
from mailward.model.identity import subject_of
from mailward.model.items import CTP_MONITOR, DEEP_TEST_MONITOR, PUSH_MONITOR
from mailward.model.monitoring import MonitorKey, MonitorStatus
from mailward.model.organization import Organization
from mailward.model.wire import moment_to_text, to_plain
from mailward.monitors.definition import MonitorDefinition
from mailward.monitors.judging import Step
from mailward.monitors.planning import PASSIVE


def monitor_changes(
    definition: MonitorDefinition,
    *,
    before: MonitorStatus | None,
    step: Step,
    organization: Organization,
    at: datetime,
) -> tuple[Event, ...]:
    """
    The events of one step, none when nothing worth telling happened.

    Every change of state is an event, also while the monitor flaps: then `data["flapping"]` is true and whoever
    notifies stays silent, as flapping itself was said once when it began and will be once when it has settled.
    """
    events = []
    after = step.status
    if before is None or before.state is not after.state:
        events.append(_event(EventKind.MONITOR_CHANGED, definition, before, after, organization, at))
    if step.flapping_began:
        times, minutes = definition.flapping.times, definition.flapping.window.total_seconds() / 60
        because = f"left Healthy {times} times in {minutes:g} min; single changes are no longer told"
        events.append(_event(EventKind.MONITOR_FLAPPING, definition, before, after, organization, at, because=because))
    if step.flapping_settled:
        minutes = definition.flapping.window.total_seconds() / 60
        because = f"has not left Healthy for {minutes:g} min; it is {after.state.value}"
        events.append(_event(EventKind.MONITOR_SETTLED, definition, before, after, organization, at, because=because))
    return tuple(events)


def retirement(status: MonitorStatus, *, organization: Organization, at: datetime) -> Event:
    """
    The event that ends a monitor which no longer exists, and why.

    So an instance on the server a database has left is retired and never stays Unhealthy for ever.
    """
    return Event(
        at=at,
        kind=EventKind.MONITOR_RETIRED,
        subject=subject_of(status.key),
        because=_why_retired(status.key, organization),
        before=status.state.value,
        data=_named(status.key),
    )


def _event(  # noqa: PLR0917 - private, and called thrice alike
    kind: EventKind,
    definition: MonitorDefinition,
    before: MonitorStatus | None,
    after: MonitorStatus,
    organization: Organization,
    at: datetime,
    *,
    because: str | None = None,
) -> Event:
    return Event(
        at=at,
        kind=kind,
        subject=subject_of(after.key),
        because=after.because if because is None else because,
        before=None if before is None else before.state.value,
        after=after.state.value,
        data={
            **_named(after.key),
            "group": definition.group.value,
            "databases": list(definition.databases),
            "mailboxes": mailboxes_in(definition.databases, organization),
            "verdict": None if after.verdict is None else to_plain(after.verdict),
            "mailbox_server": after.mailbox_server,
            "broken_since": None if after.broken_since is None else moment_to_text(after.broken_since),
            "flapping": after.flapping,
        },
    )


def _named(key: MonitorKey) -> Mapping[str, object]:
    return {"server": key.server, "health_set": key.health_set, "monitor": key.item, "target": key.target}


def mailboxes_in(databases: Iterable[str], organization: Organization) -> int | None:
    """How many mailboxes these databases hold; None when that is not known of all of them."""
    counts = [organization.databases[name].mailboxes if name in organization.databases else None for name in databases]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _why_retired(key: MonitorKey, organization: Organization) -> str:
    if key.server not in organization.servers and key.server not in organization.access_points:
        return f"the configuration no longer names {key.server}"
    database = organization.databases.get(key.target.removesuffix(PASSIVE))
    if database is not None and database.name != key.target and database.active == key.server:
        return f"the copy of {database.name} on {key.server} is now the active one"
    if database is not None and key.item != CTP_MONITOR and database.active != key.server:
        return f"the database {database.name} is now active on {database.active}"
    is_local_test = key.item in (DEEP_TEST_MONITOR, PUSH_MONITOR) and key.target == key.server
    if is_local_test and organization.active_on(key.server):
        return f"{key.server} now holds an active copy, which is probed instead of the local health mailbox"
    return "the configuration no longer asks for it"
