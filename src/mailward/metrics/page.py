"""The reference page of the metrics, drawn from the table."""

from collections.abc import Iterable, Iterator

from mailward.metrics.described import METRICS, PROBE_METRICS, Described, Kind
from mailward.model.alerting import Urgency
from mailward.model.measures import PHASE_BOUNDS
from mailward.model.monitoring import AlertValue
from mailward.model.probing import Cause, Phase, ResultType
from mailward.model.recovery import ActionClass, Gate, Mode, OperationStatus, StepOutcome

_HEAD = """\
# Metrics

`/metrics` shows the manager and what it watches; `/probe?target=SERVER&module=ITEM` runs one probe and shows its result
by blackbox_exporter's names. Both answer wherever the [API](api.md) does, to whoever may look, as OpenMetrics or as
Prometheus' text. How to scrape them, and the alert rules and the dashboard that come with mailward:
[Prometheus](../how-to/prometheus.md).

A name or label, once published, keeps its meaning. Durations are seconds, moments Unix time. Counters begin with the
start of the manager. A server is named as in the configuration; every other label is a name of an item or a word of a
closed list, so that their number does not grow with the organization.

## /metrics

| metric | type | labels | says |
|---|---|---|---|
"""
_PROBE = """
## /probe

`target` is a server or access point of the organization, `module` a probe such as `ImapCTPProbe`, or
HEALTHSET/ITEM/TARGET.
Where a probe has several targets on a server, such as the databases behind a proxy, the worst result speaks for all.
What did not take place is left out. Where the server could not be probed, as when the prober is overloaded, the answer
is 503 and no metric: that says nothing of the server. A run's results are answered again for ten seconds.

| metric | type | labels | says |
|---|---|---|---|
"""
_LABELS = """
## Labels

| label | values |
|---|---|
"""


def metrics_page() -> str:
    """Every metric with its type, labels and meaning, and every closed list."""
    lists = (
        ("state", AlertValue),
        ("result", ResultType),
        ("phase", Phase),
        ("cause", Cause),
        ("action", ActionClass),
        ("outcome", StepOutcome),
        ("gate", Gate),
        ("status", OperationStatus),
        ("urgency", Urgency),
        ("mode", Mode),
    )
    labels = "".join(f"| `{name}` | {', '.join(f'`{member.value}`' for member in words)} |\n" for name, words in lists)
    bounds = ", ".join(f"{bound:g}" for bound in PHASE_BOUNDS)
    return (
        f"{_HEAD}{''.join(_rows(METRICS))}{_PROBE}{''.join(_rows(PROBE_METRICS))}{_LABELS}{labels}"
        f"| `probe`, `health_set` | names of [items and health sets](health-sets/README.md) |\n"
        f"| `le` | upper bounds of the histogram in seconds: {bounds}, +Inf |\n"
    )


def _rows(metrics: Iterable[Described]) -> Iterator[str]:
    for metric in metrics:
        name = metric.name if metric.kind is Kind.HISTOGRAM else metric.sample_names[0]
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{name}` | {metric.kind.value} | {labels} | {metric.says} |\n"
