"""The text of a scrape, in the form the asker reads."""

import gzip

from prometheus_client.core import CounterMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from mailward.metrics.rendering import render

OPENMETRICS = "application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5"


def collect():
    family = CounterMetricFamily("mailward_things", "Things.", labels=("kind",))
    family.add_metric(('a "b"\n',), 3)
    yield family


def test_without_a_wish_it_is_prometheus_own_text():
    text = render(collect)

    assert text.content_type.startswith("text/plain; version=")
    assert text.content_encoding is None
    (sample,) = next(iter(text_string_to_metric_families(text.body.decode()))).samples
    assert ("mailward_things_total", {"kind": 'a "b"\n'}, 3) == (sample.name, sample.labels, sample.value)


def test_who_reads_openmetrics_gets_openmetrics():
    text = render(collect, accept=OPENMETRICS)

    assert text.content_type.startswith("application/openmetrics-text; version=")
    assert text.body.endswith(b"# EOF\n")


def test_it_is_compressed_for_whom_that_suits():
    text = render(collect, accept_encoding="gzip;q=1.0, deflate")

    assert "gzip" == text.content_encoding
    assert render(collect).body == gzip.decompress(text.body)


def test_nothing_of_this_process_is_shown_beside_it():
    assert b"python_" not in render(collect).body
    assert b"process_" not in render(collect).body
