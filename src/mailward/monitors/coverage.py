"""
What is watched in an organization: every probe, every monitor, and which judges which.

A pure function of the configuration and of where the active copies are; called again when either changes, and the
difference says what to start and what to retire.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from mailward.model import items
from mailward.model.monitoring import MonitorKey
from mailward.model.organization import Organization
from mailward.monitors.definition import MonitorDefinition, Rule
from mailward.monitors.planned import Lane, PlannedProbe
from mailward.monitors.planning import PASSIVE, ProbePlanner, copies_by_server
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.readers import HealthMailboxReader, OwnReader, PushReader, Reader
from mailward.monitors.resource_rules import CertificateRule, DiskForecast
from mailward.monitors.rules import AboveThreshold, AnyOf, ConsecutiveFailures, PercentInWindow
from mailward.monitors.samples import ProbeKey
from mailward.monitors.settings import (
    FIELD_OF_ITEM,
    CertificateMonitorSettings,
    CommandTimeMonitorSettings,
    DiskMonitorSettings,
    HealthMailboxMonitorSettings,
    HealthManagerMonitorSettings,
    ItemSettings,
    MonitorSettings,
    NotificationMonitorSettings,
    PushMonitorSettings,
    QueueMonitorSettings,
    ServiceMonitorSettings,
)

PATIENCE_MINIMUM = timedelta(minutes=3)
"""No monitor is called Unavailable sooner: a reload or a busy moment is no news."""

_ITEMS = {item.name: item for item in items.MONITORS}
_GROUPS = {health_set.name: health_set.group for health_set in items.HEALTH_SETS}
_MONITOR_OF_PROBE = {
    items.SELF_TEST_PROBE: items.SELF_TEST_MONITOR,
    items.DEEP_TEST_PROBE: items.DEEP_TEST_MONITOR,
    items.PROXY_TEST_PROBE: items.PROXY_TEST_MONITOR,
    items.CTP_PROBE: items.CTP_MONITOR,
    items.COMMAND_TIME_CHECK: items.COMMAND_TIME_MONITOR,
    items.QUEUE_CHECK: items.QUEUE_MONITOR,
    items.DISK_SPACE_CHECK: items.DISK_SPACE_MONITOR,
    items.HEALTH_MANAGER_CHECK: items.HEALTH_MANAGER_MONITOR,
    items.REPLICATION_CHECK: items.REPLICATION_MONITOR,
    items.NOTIFICATION_CHECK: items.NOTIFICATION_MONITOR,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Everything that is watched."""

    probes: tuple[PlannedProbe, ...]
    monitors: tuple[MonitorDefinition, ...]
    lanes: tuple[Lane, ...] = ()

    def planned(self, key: ProbeKey) -> PlannedProbe | None:
        """That probe, or None where it is not run at all."""
        return next((probe for probe in self.probes if probe.key == key), None)

    def thresholds(self) -> dict[ProbeKey, float]:
        """Above what a counter is too high, by the look that reads it."""
        return {
            definition.probes[0]: definition.rule.threshold
            for definition in self.monitors
            if isinstance(definition.rule, AboveThreshold)
        }

    def plans(self, key: ProbeKey) -> bool:
        """Whether that probe is run at all."""
        return self.planned(key) is not None


def cover(organization: Organization, settings: ProbingSettings, monitors: MonitorSettings) -> Coverage:
    """
    Say what is watched in *organization*.

    A server without a health mailbox gets a self test that ends before the login; a database without one gets no deep
    test and no touch point. Both are for `config check` to complain of.
    """
    planner = ProbePlanner(organization, settings)
    touch_points = tuple(planner.touch_points())
    lanes = tuple(lane for lane, _ in touch_points)
    probes = (*planner.probes(), *(probe for _, members in touch_points for probe in members))
    definer = _Definer(organization, monitors, probes)
    judged = [definition for probe in probes for definition in definer.monitors_of(probe)]
    certificates = [definer.certificate_of_lane(lane) for lane in lanes if lane.server in organization.access_points]
    return Coverage(probes=(*probes, *planner.deliveries()), monitors=(*judged, *certificates), lanes=lanes)


class _Definer:
    """Makes monitor definitions; holds what many of them share."""

    def __init__(self, organization: Organization, settings: MonitorSettings, probes: tuple[PlannedProbe, ...]) -> None:
        self._organization = organization
        self._settings = settings
        self._probes = {probe.key: probe for probe in probes}
        self._all = tuple(organization.databases)
        active, _ = copies_by_server(organization)
        self._active = {server: tuple(copy.name for copy in copies) for server, copies in active.items()}

    def monitors_of(self, probe: PlannedProbe) -> Iterator[MonitorDefinition]:
        """The monitors that judge *probe* first of all."""
        affected = self._affected(probe)
        yield self._define(_MONITOR_OF_PROBE[probe.key.probe], probe, (probe.key,), databases=affected)
        if probe.key.probe in (items.SELF_TEST_PROBE, items.PROXY_TEST_PROBE):
            yield self._define(items.CERTIFICATE_MONITOR, probe, (probe.key,), databases=affected)
        if probe.key.probe == items.SELF_TEST_PROBE and probe.mailbox is not None:
            local_deep = ProbeKey(probe=items.DEEP_TEST_PROBE, server=probe.key.server, target=probe.key.server)
            both = (probe.key, local_deep) if local_deep in self._probes else (probe.key,)
            yield self._define(items.HEALTH_MAILBOX_MONITOR, probe, both)
        if probe.key.probe == items.DEEP_TEST_PROBE and not is_passive(probe):
            if probe.database is not None:
                yield self._define(items.HEALTH_MAILBOX_MONITOR, probe, (probe.key,))
            yield self._define(items.PUSH_MONITOR, probe, (probe.key,), databases=affected)

    def certificate_of_lane(self, lane: Lane) -> MonitorDefinition:
        """The certificate users meet at an access point, as any of its touch points sees it."""
        first = self._probes[lane.members[0]]
        affected = tuple(key.target for key in lane.members)
        return self._define(
            items.CERTIFICATE_MONITOR, first, lane.members, target=lane.server, databases=affected, every=lane.interval
        )

    def _affected(self, probe: PlannedProbe) -> tuple[str, ...]:
        """The databases whose users feel it when what *probe* measures is broken."""
        if is_passive(probe) or probe.key.probe == items.NOTIFICATION_CHECK:  # nobody knows whether users feel it
            return ()
        if probe.database is not None:
            return (probe.database,)
        server = self._organization.servers.get(probe.key.server)
        serves_all = server is not None and server.is_proxy and probe.health_set in (items.IMAP_PROXY, items.IMAP)
        return self._all if serves_all else self._active.get(probe.key.server, ())

    def _define(
        self,
        name: str,
        probe: PlannedProbe,
        probes: tuple[ProbeKey, ...],
        *,
        target: str | None = None,
        databases: tuple[str, ...] = (),
        every: timedelta | None = None,
    ) -> MonitorDefinition:
        item = _ITEMS[name]
        settings: ItemSettings = getattr(self._settings, FIELD_OF_ITEM[name])
        interval = every or probe.interval
        if name == items.PUSH_MONITOR and probe.write_every is not None:
            interval = max(interval, probe.write_every)
        return MonitorDefinition(
            key=MonitorKey(
                server=probe.key.server,
                health_set=probe.health_set,
                item=name,
                target=probe.key.target if target is None else target,
            ),
            group=_GROUPS[probe.health_set],
            rule=rule_of(settings, verify=probe.target is None or probe.target.endpoint.tls.verify),
            probes=probes,
            settings=settings,
            flapping=self._settings.flapping,
            patience=max(PATIENCE_MINIMUM, 3 * interval + probe.timeout),
            dependencies=item.dependencies,
            component=item.component,
            databases=databases,
        )


def is_passive(probe: PlannedProbe) -> bool:
    """Whether *probe* looks at a copy nobody reads now."""
    return probe.key.probe == items.DEEP_TEST_PROBE and probe.key.target.endswith(PASSIVE)


def rule_of(settings: ItemSettings, *, verify: bool = True) -> Rule:
    """The rule that an item's settings describe; *verify* says whether its certificate has to verify."""
    match settings:
        case ServiceMonitorSettings():
            return _service_rule(settings)
        case HealthMailboxMonitorSettings() | PushMonitorSettings() | HealthManagerMonitorSettings():
            return ConsecutiveFailures(failures=settings.consecutive_failures, reader=_reader(settings))
        case NotificationMonitorSettings(consecutive_failures=failures):
            return ConsecutiveFailures(failures=failures, reader=OwnReader())
        case CertificateMonitorSettings(unhealthy_below=unhealthy, degraded_below=degraded):
            return CertificateRule(unhealthy_below=unhealthy, degraded_below=degraded, verify=verify)
        case DiskMonitorSettings():
            return _disk_rule(settings)
        case CommandTimeMonitorSettings() | QueueMonitorSettings():
            return _counter_rule(settings)
    raise TypeError(f"no rule for {type(settings).__name__}")


def _reader(settings: HealthMailboxMonitorSettings | PushMonitorSettings | HealthManagerMonitorSettings) -> Reader:
    match settings:
        case HealthMailboxMonitorSettings():
            return HealthMailboxReader()
        case PushMonitorSettings(limit=limit):
            return PushReader(limit=limit)
        case HealthManagerMonitorSettings():
            return OwnReader()


def _service_rule(settings: ServiceMonitorSettings) -> Rule:
    in_a_row = ConsecutiveFailures(failures=settings.consecutive_failures)
    if settings.percent is None:
        return in_a_row
    scattered = PercentInWindow(
        minimum_percent=settings.percent.minimum_percent,
        minimum_samples=settings.percent.minimum_samples,
        window=settings.percent.window,
        minimum_failures=settings.percent.minimum_failures,
        outage=settings.consecutive_failures,
    )
    return AnyOf(rules=(in_a_row, scattered))


def _disk_rule(settings: DiskMonitorSettings) -> Rule:
    return DiskForecast(
        unhealthy_below_percent=settings.unhealthy_below_percent,
        forecast=settings.forecast,
        trend_window=settings.trend_window,
        trend_minimum=settings.trend_minimum,
    )


def _counter_rule(settings: CommandTimeMonitorSettings | QueueMonitorSettings) -> Rule:
    if isinstance(settings, CommandTimeMonitorSettings):
        threshold, what = settings.threshold.total_seconds(), "s on average"
    else:
        threshold, what = float(settings.threshold), "requests wait"
    return AboveThreshold(
        threshold=threshold,
        samples=settings.consecutive_samples,
        what=what,
        failures=settings.consecutive_failures,
    )
