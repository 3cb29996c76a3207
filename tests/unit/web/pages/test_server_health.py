"""The monitors of one server: what is wrong first, the rest in a line."""

from dataclasses import replace

from mailward.model.monitoring import AlertValue
from mailward.testing.manager_values import HEALTH
from mailward.web.pages.server_health import probes_to_run, shown_sets

WRONG, DEGRADED, WELL = HEALTH


def test_the_worst_health_set_comes_first_with_what_is_wrong_in_it():
    first, second, third = shown_sets((WELL, DEGRADED, WRONG))

    assert ["IMAP.Protocol", "IMAP", "IMAP.Proxy"] == [first.name, second.name, third.name]
    assert ((WRONG,), ()) == (first.wrong, first.others)
    assert (AlertValue.DEGRADED, (DEGRADED,)) == (second.worst, second.wrong)


def test_what_is_well_and_what_is_switched_off_make_one_line():
    (shown,) = shown_sets((WELL, replace(WELL, name="B", alert_value=AlertValue.DISABLED), replace(WELL, name="C")))

    assert "2 monitors are healthy, 1 is disabled" == shown.summary
    assert AlertValue.HEALTHY is shown.worst


def test_a_probe_is_offered_as_a_whole_and_by_target_where_there_are_few():
    assert ("A", "A/DB1", "A/DB2", "B") == probes_to_run({"A": ("DB1", "DB2"), "B": ("mbx1",)})
    assert ("A",) == probes_to_run({"A": tuple(f"DB{number}" for number in range(100))})
