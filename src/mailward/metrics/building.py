"""Metric families as the table describes them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric, Sample

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


def many_gauges(metric: Described, labelled: Callable[[], Labelled]) -> Metric:
    """
    A number for each of very many sets of labels, which *labelled* gives again each time it is asked.

    Each sample is made when it is written and forgotten then: a garbage collection over hundreds of thousands of them
    would keep every probe waiting (benchmarks/metrics.py).
    """
    family = GaugeMetricFamily(metric.name, metric.says, labels=metric.labels)
    family.samples = cast("list[Sample]", _MadeAsRead(metric, labelled))  # whoever writes them only iterates
    return family


class _MadeAsRead:
    """Samples of one metric, made while somebody reads them."""

    def __init__(self, metric: Described, labelled: Callable[[], Labelled]) -> None:
        self._metric = metric
        self._labelled = labelled

    def __iter__(self) -> Iterator[Sample]:
        name, labels = self._metric.name, self._metric.labels
        return (Sample(name, dict(zip(labels, values, strict=True)), value) for values, value in self._labelled())


def counters(metric: Described, labelled: Labelled) -> Metric:
    """A count for each set of labels."""
    family = CounterMetricFamily(metric.name, metric.says, labels=metric.labels)
    for labels, value in labelled:
        family.add_metric(labels, value)
    return family
