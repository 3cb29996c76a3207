from datetime import UTC, datetime, timedelta, timezone

from mailward.notify.alertmanager_form import fingerprint, moment


def test_the_fingerprint_is_alertmanagers_own():
    # github.com/prometheus/common/model, labelSetToFingerprint: of no labels it is FNV-1a's offset basis
    assert "cbf29ce484222325" == fingerprint({})


def test_the_order_of_labels_does_not_matter_and_no_value_runs_into_the_next():
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "b", "c": ""}) != fingerprint({"a": "", "bc": ""})


def test_moments_are_told_in_utc_and_an_unknown_one_as_go_does():
    berlin = datetime(2026, 11, 24, 3, 14, tzinfo=timezone(timedelta(hours=1)))

    assert "2026-11-24T02:14:00.000Z" == moment(berlin) == moment(datetime(2026, 11, 24, 2, 14, tzinfo=UTC))
    assert "0001-01-01T00:00:00Z" == moment(None)
