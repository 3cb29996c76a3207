"""Values of the Manager port as metric families, one function for each part of the manager."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily, Metric

from mailward.metrics import described
from mailward.metrics.building import counters, gauge, gauges, info
from mailward.model.alerting import Alert, Urgency
from mailward.model.health import HealthSetReport
from mailward.model.measures import PHASE_BOUNDS, Measures
from mailward.model.monitoring import AlertValue
from mailward.ports.manager import ManagerStatus

_BOUNDS = (*map(str, PHASE_BOUNDS), "+Inf")
_STATES = tuple(state.value for state in AlertValue)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """Everything that `/metrics` shows, as it was at one moment."""

    status: ManagerStatus
    measures: Measures
    health_sets: tuple[HealthSetReport, ...]
    alerts: tuple[Alert, ...]


def families(reading: Reading) -> Iterator[Metric]:
    """Every metric of the table, in its order."""
    yield from _manager(reading.status)
    yield _health_sets(reading.health_sets)
    yield from _watching(reading.status, reading.measures)
    yield from _acting(reading.measures)
    firing = Counter(alert.urgency for alert in reading.alerts)
    yield gauges(described.ALERTS, (((urgency.value,), firing[urgency]) for urgency in Urgency))


def _manager(status: ManagerStatus) -> Iterator[Metric]:
    yield info(described.BUILD, {"version": status.version})
    yield info(described.MODE, {"mode": status.mode})
    values = (
        (described.STARTED, status.started_at.timestamp()),
        (described.CONFIGURED, status.configuration_loaded_at.timestamp()),
        (described.REFUSED, status.configuration_error is not None),
        (described.SERVERS, status.servers),
        (described.LEADS, status.leads),
        (described.STOPPED, status.stopped is not None),
        (described.STORE, status.store_reachable),
        (described.PENDING, status.pending_results),
    )
    for metric, value in values:
        yield gauge(metric, value)


def _health_sets(rows: Iterable[HealthSetReport]) -> Metric:
    family = gauges(described.HEALTH_SET, ())
    for row in rows:
        is_in = row.alert_value.value
        for state in _STATES:
            family.add_metric((row.server, row.health_set, state), 1.0 if state == is_in else 0.0)
    return family


def _watching(status: ManagerStatus, measures: Measures) -> Iterator[Metric]:
    yield gauges(described.MONITORS, (((one.health_set, one.state.value), one.count) for one in measures.monitors))
    yield counters(described.RESULTS, (((one.probe, one.result.value), one.count) for one in measures.results))
    yield counters(
        described.FAILURES,
        (
            ((one.probe, one.phase.value if one.phase else "", one.cause.value if one.cause else ""), one.count)
            for one in measures.failures
        ),
    )
    phases = HistogramMetricFamily(described.PHASES.name, described.PHASES.says, labels=described.PHASES.labels)
    for one in measures.phases:
        buckets = list(zip(_BOUNDS, map(float, accumulate(one.counts)), strict=True))
        phases.add_metric((one.probe, one.phase.value), buckets, sum_value=one.took.total_seconds())
    yield phases
    yield gauge(described.RUNNING, measures.probes_running)
    yield gauge(described.LATE, status.probes_late)
    yield gauge(described.SCHEDULE_LAG, measures.schedule_lag.total_seconds())
    yield gauge(described.LOOP_LAG, measures.loop_lag.total_seconds())


def _acting(measures: Measures) -> Iterator[Metric]:
    yield counters(described.ACTIONS, (((one.action.value, one.outcome.value), one.count) for one in measures.actions))
    yield counters(described.WITHHELD, (((one.action.value, one.gate.value), one.count) for one in measures.withheld))
    yield gauges(described.RECOVERIES, (((one.status.value,), one.count) for one in measures.recoveries))
    yield gauges(described.REMAINING, (((one.server, one.action.value), one.remaining) for one in measures.allowances))
