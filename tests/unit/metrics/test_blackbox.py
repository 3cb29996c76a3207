"""The results of a probe by blackbox_exporter's names."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.metrics.blackbox import blackbox_families
from mailward.metrics.described import PROBE_METRICS
from mailward.model.errors import TemporaryFailure
from mailward.model.probing import Phase, ResultType
from mailward.testing.manager_values import CERTIFICATE, FAILED, SUCCEEDED, a_phase


def shown(*results):
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in blackbox_families(results)
        for sample in family.samples
    }


def test_every_metric_is_one_of_the_table_with_its_labels():
    with_name = replace(SUCCEEDED, phases=(a_phase(Phase.DNS, 3), *SUCCEEDED.phases))
    found = [*blackbox_families([with_name]), *blackbox_families([FAILED])]

    assert {(one.name, one.kind.value, one.says) for one in PROBE_METRICS} == {
        (one.name, one.type, one.documentation) for one in found
    }
    labels = {name: set(one.labels) for one in PROBE_METRICS for name in one.sample_names}
    assert all(labels[sample.name] == set(sample.labels) for one in found for sample in one.samples)


def test_a_success_has_blackbox_names():
    values = shown(SUCCEEDED)

    assert 1 == values["probe_success", ()]
    assert 0.0415 == values["probe_duration_seconds", ()]
    assert CERTIFICATE.not_after.timestamp() == values["probe_ssl_earliest_cert_expiry", ()]
    assert 1 == values["probe_tls_version_info", ("TLS 1.3",)]
    assert 0.02 == values["probe_imap_phase_duration_seconds", ("auth",)]


def test_what_did_not_take_place_is_left_out():
    values = shown(FAILED)

    assert {"connect", "auth", "select"} == {
        labels[0] for name, labels in values if name == "probe_imap_phase_duration_seconds"
    }
    assert not {"probe_ssl_earliest_cert_expiry", "probe_tls_version_info", "probe_dns_lookup_time_seconds"} & {
        name for name, _ in values
    }


def test_a_failure_says_in_which_phase_and_why():
    values = shown(FAILED)

    assert 0 == values["probe_success", ()]
    assert 1 == values["probe_imap_failure_info", ("select", "store-error")]


def test_the_look_up_of_the_name_has_its_own_metric_as_well():
    values = shown(replace(SUCCEEDED, phases=(a_phase(Phase.DNS, 3),)))

    assert 0.003 == values["probe_dns_lookup_time_seconds", ()]


def test_of_several_targets_the_worst_speaks_for_all():
    slow = replace(SUCCEEDED, took=timedelta(seconds=2))
    failed = replace(FAILED, took=timedelta(milliseconds=1))

    assert 2 == shown(SUCCEEDED, slow)["probe_duration_seconds", ()]
    values = shown(slow, failed, SUCCEEDED)
    assert (0, 0.001) == (values["probe_success", ()], values["probe_duration_seconds", ()])
    assert (3, 1) == (values["probe_imap_targets", ()], values["probe_imap_targets_failed", ()])


def test_what_could_not_be_probed_is_no_failure_of_the_server():
    overloaded = replace(FAILED, result=ResultType.PROBER_OVERLOADED, detail="too busy")

    with pytest.raises(TemporaryFailure, match="too busy"):
        shown(overloaded)
    assert 1 == shown(overloaded, SUCCEEDED)["probe_success", ()]
