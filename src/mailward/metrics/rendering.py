"""Metric families as text, in the form the asker reads: Prometheus' own or OpenMetrics."""

import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.registry import Collector

_FAST = 1
"""gzip's quickest level: names repeat so much that more effort gains little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """What is answered to a scrape."""

    body: bytes
    content_type: str
    content_encoding: str | None = None
    """gzip, or None for none."""


class _Given(Collector):
    """Collects what it was given, and nothing of this process beside it."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are unique by our own table."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The families, made when they are asked for."""
        return self._collect()


def render(collect: Callable[[], Iterable[Metric]], *, accept: str = "", accept_encoding: str = "") -> Text:
    """
    Return what *collect* gives as text. Takes its time for thousands of series: call it in a thread.

    Args:
        collect: Makes the metric families.
        accept: The asker's `Accept` header; OpenMetrics where it names that, else Prometheus' text format.
        accept_encoding: Its `Accept-Encoding`; compressed where it allows gzip.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(collect))
    encode, content_type = choose_encoder(accept)
    body = encode(registry)
    if not gzip_accepted(accept_encoding):
        return Text(body=body, content_type=content_type)
    return Text(body=gzip.compress(body, compresslevel=_FAST), content_type=content_type, content_encoding="gzip")
