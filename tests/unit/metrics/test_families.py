"""What /metrics says of values of the Manager port."""

from dataclasses import replace

import pytest

from mailward.metrics.described import METRICS, Kind
from mailward.metrics.families import Reading, families
from mailward.model.monitoring import AlertValue
from mailward.testing.manager_values import MEASURES, REPORT, STATUS
from mailward.testing.repair_values import ALERTS

READING = Reading(status=STATUS, measures=MEASURES, health_sets=REPORT, alerts=ALERTS)


def shown(reading=READING):
    """(name of the sample, its labels) -> value."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families(reading)
        for sample in family.samples
    }


def test_every_metric_of_the_table_is_shown_as_it_is_described_and_no_other():
    found = [(one.name, one.type, one.documentation) for one in families(READING)]

    assert [(one.name, one.kind.value, one.says) for one in METRICS] == found


def test_samples_have_the_names_and_labels_that_the_table_promises():
    for metric, family in zip(METRICS, families(READING), strict=True):
        own = {"le"} if metric.kind is Kind.HISTOGRAM else set()
        assert family.samples, metric.name
        for sample in family.samples:
            assert sample.name in metric.sample_names
            assert set(metric.labels) == set(sample.labels) - own


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_keep_to_the_conventions(metric):
    assert metric.name.startswith("mailward_")
    assert not metric.name.endswith(("_total", "_ms", "_milliseconds", "_count"))
    assert metric.says.endswith(".")


def test_a_health_set_is_in_exactly_one_state():
    values = shown()

    for row in REPORT:
        labels = {state: (row.server, row.health_set, state.value) for state in AlertValue}
        shown_states = {state: values["mailward_health_set_state", labels[state]] for state in AlertValue}
        assert {state: float(state is row.alert_value) for state in AlertValue} == shown_states


def test_counters_and_labels_are_those_that_were_counted():
    values = shown()

    assert 40 == values["mailward_probe_results_total", ("ImapCTPProbe", "Succeeded")]
    assert 3 == values["mailward_probe_failures_total", ("ImapDeepTestProbe", "select", "store-error")]
    assert 1 == values["mailward_actions_total", ("restart", "done")]
    assert 2 == values["mailward_actions_withheld_total", ("restart", "mode")]
    assert 1 == values["mailward_recoveries", ("awaiting-approval",)]
    assert 3 == values["mailward_throttle_remaining", ("mbx2", "restart")]


def test_durations_are_seconds_and_buckets_hold_all_that_took_at_most_so_long():
    values = shown()
    name, who = "mailward_probe_phase_duration_seconds", ("ImapCTPProbe", "auth")

    assert (0, 1, 39, 40, 40) == tuple(
        values[f"{name}_bucket", (*who, bound)] for bound in ("0.005", "0.01", "0.025", "0.05", "+Inf")
    )
    assert (40, 0.8) == (values[f"{name}_count", who], values[f"{name}_sum", who])
    assert 0.02 == values["mailward_schedule_lag_seconds", ()]


def test_what_is_wrong_with_the_manager_itself_shows():
    ill = replace(
        STATUS, store_reachable=False, configuration_error="x", leads=True, stopped="paused", pending_results=9
    )
    values = shown(replace(READING, status=ill))

    assert (0, 1, 1, 1, 9) == tuple(
        values[f"mailward_{name}", ()]
        for name in ("store_reachable", "configuration_refused", "leads", "stopped", "results_pending")
    )


def test_urgencies_of_which_no_alert_fires_are_zero():
    values = shown(replace(READING, alerts=()))

    assert {("critical",), ("warning",), ("info",)} == {labels for name, labels in values if name == "mailward_alerts"}
    assert 0 == sum(value for (name, _), value in values.items() if name == "mailward_alerts")
