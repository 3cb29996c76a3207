from dataclasses import replace
from datetime import timedelta

from mailward.model import items
from mailward.model.holds import Hold, HoldKind
from mailward.model.identity import subject_of
from mailward.model.monitoring import AlertValue


def after(seconds: float = 0, *, minutes: float = 0, hours: float = 0) -> timedelta:
    return timedelta(seconds=seconds, minutes=minutes, hours=hours)


def maintenance(night, subject: str = "be1", *, until: timedelta | None = None) -> Hold:
    return Hold(
        kind=HoldKind.MAINTENANCE,
        subject=subject,
        value="on",
        owner="kim",
        reason="new disk",
        since=night.told.now - after(hours=1),
        until=night.told.now + until if until else None,
    )


def test_nobody_is_called_for_a_server_in_maintenance_nor_for_what_it_breaks(night, a_status):
    statuses = [a_status(), a_status(items.CTP_MONITOR, "proxy1", "db1")]

    assert [] == night.at(after(minutes=5), statuses=statuses, holds=[maintenance(night)])
    assert () == night.last.alerts


def test_others_are_still_told_of(night, a_status, be1_dead):
    be2 = a_status(server="be2", verdict=replace(be1_dead, server="be2"))
    night.at(after(minutes=5), statuses=[a_status(), be2], holds=[maintenance(night)])

    assert ["mailbox server/be2"] == [alert.key for alert in night.last.alerts]


def test_maintenance_ends_an_alert_quietly_except_where_it_would_go_on_firing(night, a_status):
    night.at(after(60), statuses=[a_status()])

    assert [("am", "RESOLVED")] == night.at(after(minutes=5), holds=[maintenance(night)])
    assert [] == night.at(after(minutes=6))


def test_what_is_still_broken_after_maintenance_is_told_anew(night, a_status):
    night.at(after(60), statuses=[a_status()])
    before = {notice.identity for notice in night.last.notices}
    night.at(after(minutes=5), holds=[maintenance(night, until=after(minutes=30))])

    night.at(after(minutes=40))

    assert 3 == len(night.last.notices)
    assert not before & {notice.identity for notice in night.last.notices}


def test_a_monitor_somebody_repairs_is_silent(night, a_status):
    night.at(after(60), statuses=[a_status()])
    repairing = a_status(state=AlertValue.REPAIRING)

    assert [("am", "RESOLVED")] == night.at(after(minutes=5), statuses=[repairing])


def test_a_hold_for_repairing_silences_before_the_monitor_turns(night, a_status):
    hold = replace(maintenance(night), kind=HoldKind.REPAIRING, subject=subject_of(a_status().key).upper())

    assert [] == night.at(after(60), statuses=[a_status()], holds=[hold])


def test_a_hold_that_has_run_out_silences_nothing(night, a_status):
    hold = maintenance(night, until=after(30))

    assert [] != night.at(after(60), statuses=[a_status()], holds=[hold])
