from dataclasses import replace
from datetime import timedelta

from mailward.alerts.matter import Cause, Recovery
from mailward.alerts.relating import recoveries_of
from mailward.model import items
from mailward.model.recovery import OperationKind, OperationStatus
from mailward.model.verdict import Tier

BE1 = Cause(tier=Tier.MAILBOX_SERVER, server="be1")


def numbers(cause, statuses, operations, since) -> list[int]:
    found = recoveries_of(cause, statuses, [Recovery(operation=each) for each in operations], since=since)
    return [one.operation.id for one in found]


def test_what_a_monitor_of_it_began_belongs_to_it(a_status, an_operation):
    elsewhere = an_operation(
        server="proxy1", target="proxy1/be1", cause=a_status(items.CTP_MONITOR, "proxy1", "db1").key
    )
    shown = [a_status(items.CTP_MONITOR, "proxy1", "db1")]

    assert [12] == numbers(Cause(tier=Tier.DIRECTORY), shown, [elsewhere], shown[0].broken_since)
    assert [] == numbers(Cause(tier=Tier.DIRECTORY), [a_status()], [elsewhere], shown[0].broken_since)


def test_what_works_on_its_server_belongs_to_it(a_status, an_operation):
    by_hand = an_operation(kind=OperationKind.BY_HAND, cause=None)
    other = an_operation(number=13, server="be2", target="be2", cause=None)

    assert [12] == numbers(BE1, [a_status()], [by_hand, other], a_status().broken_since)


def test_a_touch_points_recovery_brings_the_one_it_waits_for(a_status, an_operation):
    touch = a_status(items.CTP_MONITOR, "proxy1", "db1")
    waits = an_operation(server="proxy1", target="proxy1/be1", cause=touch.key, joins=13)
    main = an_operation(number=13, server="be1", cause=None, started_at=waits.started_at + timedelta(seconds=1))

    assert [13, 12] == numbers(Cause(tier=Tier.PATH), [touch], [waits, main], touch.broken_since)


def test_the_recovery_of_what_is_at_fault_comes_before_later_ones_of_whoever_meets_it(a_status, an_operation):
    begun = an_operation().started_at
    own = an_operation(number=13, started_at=begun + timedelta(seconds=1))
    older = an_operation(OperationStatus.TRANSIENT, number=12, started_at=begun, ended_at=begun)
    touch = a_status(items.CTP_MONITOR, "proxy1", "db1", mailbox_server="be1")
    later = an_operation(
        number=14, server="proxy1", target="proxy1/be1", cause=touch.key, started_at=begun + timedelta(seconds=9)
    )

    assert [13, 12, 14] == numbers(BE1, [a_status(), touch], [older, own, later], touch.broken_since)


def test_one_databases_recovery_does_not_belong_to_another_database(a_status, an_operation):
    of_db1 = an_operation(target="be1/db1", cause=None)
    store = Cause(tier=Tier.STORE, server="be1", database="db2")

    assert [] == numbers(store, [a_status()], [of_db1], a_status().broken_since)
    assert [12] == numbers(replace(store, database="db1"), [a_status()], [of_db1], a_status().broken_since)


def test_what_ended_before_it_broke_belongs_to_an_older_outbreak(a_status, an_operation):
    since = a_status().broken_since
    old = an_operation(OperationStatus.HEALED, ended_at=since - timedelta(seconds=1))
    new = an_operation(OperationStatus.HEALED, number=13, ended_at=since)

    assert [13] == numbers(BE1, [a_status()], [old, new], since)


def test_a_fault_of_the_monitoring_has_no_recovery(a_status, an_operation):
    own = a_status(items.HEALTH_MAILBOX_MONITOR, "be1", "x", verdict=None)

    assert [] == numbers(Cause(tier=Tier.MONITORING, server="be1"), [own], [an_operation()], own.broken_since)
