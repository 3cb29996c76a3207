"""Every metric of `/metrics` and `/probe`: its name, its labels, what it says. The reference page is drawn from it."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The types of OpenMetrics that we use."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """One metric."""

    name: str
    """Of the family: a counter's samples end in `_total`, those of an info in `_info`."""
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names by which its samples are asked for."""
        endings = {
            Kind.GAUGE: ("",),
            Kind.COUNTER: ("_total",),
            Kind.INFO: ("_info",),
            Kind.HISTOGRAM: ("_bucket", "_sum", "_count"),
        }
        return tuple(self.name + ending for ending in endings[self.kind])


def _gauge(name: str, says: str, *labels: str) -> Described:
    return Described(name=name, kind=Kind.GAUGE, says=says, labels=labels)


def _counter(name: str, says: str, *labels: str) -> Described:
    return Described(name=name, kind=Kind.COUNTER, says=says, labels=labels)


BUILD = Described(name="mailward_build", kind=Kind.INFO, says="The version that runs; always 1.", labels=("version",))
MODE = Described(
    name="mailward_mode", kind=Kind.INFO, says="How far mailward goes by itself; always 1.", labels=("mode",)
)
STARTED = _gauge("mailward_started_timestamp_seconds", "When the manager started; its counters count from here.")
CONFIGURED = _gauge("mailward_configuration_loaded_timestamp_seconds", "When the configuration in force was read.")
REFUSED = _gauge(
    "mailward_configuration_refused", "1 while the configuration on disk is wrong and the old one is in force."
)
SERVERS = _gauge("mailward_servers", "Servers of the organization.")
LEADS = _gauge("mailward_leads", "1 while this manager holds the lease that allows it to act.")
STOPPED = _gauge("mailward_stopped", "1 while the stop file or a pause of the organization forbids every action.")
STORE = _gauge("mailward_store_reachable", "1 while the store can be written.")
PENDING = _gauge("mailward_results_pending", "Results that wait for the store.")
HEALTH_SET = _gauge(
    "mailward_health_set_state",
    "1 for the state a health set of a server is in, 0 for each other state.",
    "server",
    "health_set",
    "state",
)
MONITORS = _gauge("mailward_monitors", "Monitors of a health set that are in a state.", "health_set", "state")
RESULTS = _counter("mailward_probe_results", "Probes that ended, by how they ended.", "probe", "result")
FAILURES = _counter(
    "mailward_probe_failures",
    "Probes that failed, by the phase in which and the cause for which they did; empty where a result names none.",
    "probe",
    "phase",
    "cause",
)
PHASES = Described(
    name="mailward_probe_phase_duration_seconds",
    kind=Kind.HISTOGRAM,
    says="How long the phases of conversations took; a phase that did not take place is not counted.",
    labels=("probe", "phase"),
)
RUNNING = _gauge("mailward_probes_running", "Probes that are under way.")
LATE = _gauge("mailward_probes_late", "Probes that are more than a second late through the manager's own fault.")
SCHEDULE_LAG = _gauge("mailward_schedule_lag_seconds", "By how much the most overdue probe is late.")
LOOP_LAG = _gauge("mailward_event_loop_lag_seconds", "For how long the manager's event loop was blocked lately.")
ACTIONS = _counter("mailward_actions", "Actions that ended, by class and outcome.", "action", "outcome")
WITHHELD = _counter(
    "mailward_actions_withheld",
    "Actions that were wanted and not begun, by each gate that did not let them pass; what stays closed counts once.",
    "action",
    "gate",
)
RECOVERIES = _gauge("mailward_recoveries", "Recoveries that are open, or ended within 25 hours.", "status")
REMAINING = _gauge(
    "mailward_throttle_remaining",
    "Actions that the day's throttle still allows on a server; only servers that were acted on within 24 hours.",
    "server",
    "action",
)
ALERTS = _gauge("mailward_alerts", "Alerts that fire.", "urgency")

METRICS: tuple[Described, ...] = (
    BUILD,
    MODE,
    STARTED,
    CONFIGURED,
    REFUSED,
    SERVERS,
    LEADS,
    STOPPED,
    STORE,
    PENDING,
    HEALTH_SET,
    MONITORS,
    RESULTS,
    FAILURES,
    PHASES,
    RUNNING,
    LATE,
    SCHEDULE_LAG,
    LOOP_LAG,
    ACTIONS,
    WITHHELD,
    RECOVERIES,
    REMAINING,
    ALERTS,
)
"""What `/metrics` shows, in this order."""

PROBE_SUCCESS = _gauge("probe_success", "1 when the probe did all it set out to do, 0 when it failed.")
PROBE_DURATION = _gauge("probe_duration_seconds", "How long the probe took.")
PROBE_LOOK_UP = _gauge("probe_dns_lookup_time_seconds", "How long the look-up of the name took.")
PROBE_PHASE = _gauge("probe_imap_phase_duration_seconds", "How long each phase of the conversation took.", "phase")
PROBE_EXPIRY = _gauge("probe_ssl_earliest_cert_expiry", "When the server's certificate expires (Unix time).")
PROBE_TLS = Described(
    name="probe_tls_version",
    kind=Kind.INFO,
    says="The version of TLS that was spoken; always 1.",
    labels=("version",),
)
PROBE_FAILURE = Described(
    name="probe_imap_failure",
    kind=Kind.INFO,
    says="The phase in which it failed, and for which cause; always 1.",
    labels=("phase", "cause"),
)
PROBE_TARGETS = _gauge("probe_imap_targets", "The targets that were probed, such as databases.")
PROBE_TARGETS_FAILED = _gauge("probe_imap_targets_failed", "Those of them where it failed.")

PROBE_METRICS: tuple[Described, ...] = (
    PROBE_SUCCESS,
    PROBE_DURATION,
    PROBE_LOOK_UP,
    PROBE_PHASE,
    PROBE_EXPIRY,
    PROBE_TLS,
    PROBE_FAILURE,
    PROBE_TARGETS,
    PROBE_TARGETS_FAILED,
)
"""What `/probe` shows, by blackbox_exporter's names where it has one."""
