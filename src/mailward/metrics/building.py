"""Metric families as the table describes them."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from mailward.metrics.described import Described

Labelled = Iterable[tuple[tuple[str, ...], float]]
"""Values of the labels in the table's order, and the number."""


def info(metric: Described, labels: Mapping[str, str]) -> Metric:
    """One fact, in labels."""
    return InfoMetricFamily(metric.name, metric.says, value=dict(labels))


def gauge(metric: Described, value: float) -> Metric:
    """One number without labels."""
    return GaugeMetricFamily(metric.name, metric.says, value=float(value))


def gauges(metric: Described, labelled: Labelled) -> GaugeMetricFamily:
    """A number for each set of labels."""
    family = GaugeMetricFamily(metric.name, metric.says, labels=metric.labels)
    for labels, value in labelled:
        family.add_metric(labels, value)
    return family


def counters(metric: Described, labelled: Labelled) -> Metric:
    """A count for each set of labels."""
    family = CounterMetricFamily(metric.name, metric.says, labels=metric.labels)
    for labels, value in labelled:
        family.add_metric(labels, value)
    return family
