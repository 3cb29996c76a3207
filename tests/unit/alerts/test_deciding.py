from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from time import process_time

import pytest

from mailward.alerts.deciding import decide
from mailward.alerts.matter import Excerpt, Recovery
from mailward.model import items
from mailward.model.alerting import AlertStatus, Urgency
from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue, MonitorKey
from mailward.model.organization import Database, ImapEndpoint, Organization, Role, Server
from mailward.model.recovery import Answer, Gate, GateAnswer, OperationStatus
from mailward.model.verdict import Confidence, Tier, Verdict


def after(seconds: float = 0, *, minutes: float = 0, hours: float = 0) -> timedelta:
    return timedelta(seconds=seconds, minutes=minutes, hours=hours)


@pytest.fixture
def unknown(be1_dead) -> Verdict:
    return replace(be1_dead, tier=Tier.UNKNOWN, server=None, confidence=Confidence.UNKNOWN)


class TestOneRootCause:
    def test_all_tests_that_name_one_server_are_one_alert(self, night, a_status):
        night.at(
            after(70),
            statuses=[
                a_status(),
                a_status(items.DEEP_TEST_MONITOR, "be1", "db1"),
                a_status(items.CTP_MONITOR, "proxy1", "db1"),
                a_status(items.CTP_MONITOR, "proxy2", "db2"),
            ],
        )

        assert ["mailbox server/be1"] == [alert.key for alert in night.last.alerts]
        assert (("db1", "db2"), 4) == (night.last.alerts[0].databases, len(night.last.alerts[0].monitors))

    def test_two_databases_whose_stores_broke_are_two_alerts(self, night, a_status, be1_dead):
        store = replace(be1_dead, tier=Tier.STORE)
        night.at(
            after(70),
            statuses=[
                a_status(items.DEEP_TEST_MONITOR, "be1", "db1", verdict=store),
                a_status(items.CTP_MONITOR, "proxy1", "db1", verdict=store),
                a_status(items.DEEP_TEST_MONITOR, "be1", "db2", verdict=store),
            ],
        )

        assert ["store/be1/db1", "store/be1/db2"] == sorted(alert.key for alert in night.last.alerts)

    def test_without_a_verdict_server_and_health_set_group(self, night, a_status, unknown):
        night.at(
            after(70),
            statuses=[
                a_status(items.PUSH_MONITOR, "be1", "db1", verdict=None),
                a_status(items.CERTIFICATE_MONITOR, "be1", "", verdict=None),
                a_status(items.DEEP_TEST_MONITOR, "be2", "db3", verdict=unknown),
            ],
        )

        assert ["health set/be1/IMAP.Protocol", "health set/be2/IMAP.Protocol"] == sorted(
            alert.key for alert in night.last.alerts
        )

    def test_a_touch_point_without_a_verdict_follows_the_server_that_served_it(self, night, a_status, unknown):
        touch = a_status(items.CTP_MONITOR, "proxy1", "db1", verdict=unknown, mailbox_server="be1")
        night.at(after(70), statuses=[a_status(), touch])

        assert ["mailbox server/be1"] == [alert.key for alert in night.last.alerts]

    def test_the_fault_of_the_monitoring_is_an_alert_of_its_own(self, night, a_status):
        own = a_status(items.HEALTH_MANAGER_MONITOR, "mailward", health_set=items.MONITORING, verdict=None)
        full = a_status(items.HEALTH_MAILBOX_MONITOR, "be2", "", verdict=None)
        silent = a_status(items.SELF_TEST_MONITOR, "be2", state=AlertValue.UNAVAILABLE, verdict=None)
        night.at(after(70), statuses=[a_status(), own, full, silent])

        assert ["mailbox server/be1", "monitoring", "monitoring/be2"] == sorted(
            alert.key for alert in night.last.alerts
        )

    def test_a_directory_that_fails_everywhere_is_one_alert_of_no_server(self, night, a_status, be1_dead):
        directory = replace(be1_dead, tier=Tier.DIRECTORY, server=None)
        night.at(after(70), statuses=[a_status(server=server, verdict=directory) for server in ("be1", "be2")])

        assert ["directory"] == [alert.key for alert in night.last.alerts]

    def test_a_monitor_that_loses_its_verdict_stays_in_its_alert(self, night, a_status, unknown):
        deep = a_status(items.DEEP_TEST_MONITOR, "be1", "db1")
        night.at(after(70), statuses=[deep])

        assert [] == night.at(after(80), statuses=[replace(deep, verdict=unknown)])
        assert [] == night.at(after(90), statuses=[replace(deep, state=AlertValue.UNAVAILABLE, verdict=None)])
        assert [AlertStatus.FIRING] == [alert.status for alert in night.last.known]

    def test_monitors_that_all_stop_answering_stay_in_their_alert(self, night, a_status):
        shown = [a_status(), a_status(items.DEEP_TEST_MONITOR, "be1", "db1")]
        night.at(after(70), statuses=shown)

        silent = [replace(status, state=AlertValue.UNAVAILABLE, verdict=None) for status in shown]
        assert [] == night.at(after(80), statuses=silent)
        assert ["mailbox server/be1"] == [alert.key for alert in night.last.known]

    def test_a_probable_verdict_that_turns_alone_does_not_start_another_alert(self, night, a_status, be1_dead):
        touch = a_status(items.CTP_MONITOR, "proxy1", "db1", verdict=replace(be1_dead, confidence=Confidence.PROBABLE))
        night.at(after(70), statuses=[touch])
        path = replace(be1_dead, tier=Tier.PATH, server="be1", confidence=Confidence.PROBABLE)

        assert [] == night.at(after(80), statuses=[replace(touch, verdict=path)])

    def test_a_cause_that_becomes_known_replaces_the_guess_and_says_so(self, night, a_status, unknown, be1_dead):
        deep = a_status(items.DEEP_TEST_MONITOR, "be1", "db1", verdict=unknown)
        night.at(after(70), statuses=[deep])

        notices = night.at(after(80), statuses=[replace(deep, verdict=be1_dead)])

        assert {("mail", "CRITICAL"), ("mail", "RESOLVED")} < set(notices)
        over = next(alert for alert in night.last.alerts if alert.status is AlertStatus.RESOLVED)
        assert "it is not over, but now told as mailbox server/be1" in over.text


class TestWhoIsAffected:
    def test_users_do_not_read_passive_copies_nor_the_local_health_mailbox(self, night, a_status):
        passive = a_status(items.DEEP_TEST_MONITOR, "be2", "db1")
        local = a_status(items.DEEP_TEST_MONITOR, "be2", "health@be2")
        night.at(after(70), statuses=[passive, local])

        assert ((), Urgency.WARNING) == (night.last.alerts[0].databases, night.last.alerts[0].urgency)

    def test_of_many_monitors_the_worst_are_shown_and_the_rest_counted(self, night, a_status):
        night.at(after(70), statuses=[a_status(items.CTP_MONITOR, f"proxy{n}", "db1") for n in range(20)])

        text = night.last.alerts[0].text
        assert "and 12 more: mailward health --state Unhealthy" in text
        assert 8 == text.count("- IMAP/ImapCTPMonitor/db1 on")


class TestWhenPeopleAreTold:
    def test_a_transient_that_heals_within_the_group_wait_is_never_told(self, night, a_status):
        degraded = a_status(state=AlertValue.DEGRADED)

        assert [] == night.at(after(3), statuses=[degraded])
        assert [] == night.at(after(9.9))
        assert [] == night.at(after(10), statuses=[])
        assert () == night.last.known

    def test_it_is_told_once_when_the_group_wait_is_over(self, night, a_status):
        degraded = a_status(state=AlertValue.DEGRADED)

        assert [("mail", "WARNING"), ("am", "WARNING")] == night.at(after(10), statuses=[degraded])
        assert [] == night.at(after(11))

    def test_more_urgent_than_before_is_told_at_once_and_less_urgent_never(self, night, a_status, an_operation):
        night.at(after(10), statuses=[a_status(state=AlertValue.DEGRADED)])

        assert ["mail", "pager", "am"] == [channel for channel, _ in night.at(after(60), statuses=[a_status()])]
        at_work = [Recovery(operation=an_operation())]
        assert [] == night.at(after(65), recoveries=at_work)
        assert Urgency.WARNING == night.last.known[0].urgency

    def test_a_recovery_that_gives_up_is_told_after_it_kept_people_asleep(self, night, a_status, an_operation):
        night.at(after(10), statuses=[a_status()], recoveries=[Recovery(operation=an_operation())])

        notices = night.at(after(minutes=2), recoveries=[Recovery(operation=an_operation(OperationStatus.ESCALATED))])

        assert [("mail", "CRITICAL"), ("pager", "CRITICAL"), ("am", "CRITICAL")] == notices
        assert [] == night.at(after(minutes=3))

    def test_a_second_recovery_that_gives_up_too_is_no_news(self, night, a_status, an_operation):
        first = Recovery(operation=an_operation(OperationStatus.ESCALATED))
        night.at(after(60), statuses=[a_status()], recoveries=[first])
        second = an_operation(number=13, started_at=night.told.now + after(minutes=30))
        assert [] == night.at(after(minutes=32), recoveries=[first, Recovery(operation=second)])

        gave_up = Recovery(operation=replace(second, status=OperationStatus.ESCALATED))
        assert [] == night.at(after(minutes=35), recoveries=[first, gave_up])

    def test_giving_up_after_a_question_is_no_second_call(self, night, a_status, an_operation):
        night.at(
            after(60), statuses=[a_status()], recoveries=[Recovery(operation=an_operation(OperationStatus.RUNNING))]
        )
        night.at(after(65), recoveries=[Recovery(operation=an_operation(OperationStatus.AWAITING_APPROVAL))])
        night.at(after(70), recoveries=[Recovery(operation=an_operation(OperationStatus.RUNNING))])

        assert [] == night.at(after(75), recoveries=[Recovery(operation=an_operation(OperationStatus.ESCALATED))])

    def test_a_question_that_was_asked_is_not_asked_again_after_a_repeat_without_one(
        self, night, a_status, an_operation
    ):
        night.told = replace(night.told, settings=replace(night.told.settings, repeat_after=after(minutes=5)))
        asks = [Recovery(operation=an_operation(OperationStatus.AWAITING_APPROVAL))]
        night.at(after(60), statuses=[a_status()], recoveries=asks)
        assert [("mail", "WARNING"), ("am", "WARNING")] == night.at(
            after(minutes=7), recoveries=[Recovery(operation=an_operation())]
        )

        assert [] == night.at(after(minutes=8), recoveries=asks)

    def test_every_question_is_asked_once(self, night, a_status, an_operation):
        asks = Recovery(operation=an_operation(OperationStatus.AWAITING_APPROVAL))
        again = Recovery(operation=an_operation(OperationStatus.AWAITING_APPROVAL, number=13))
        night.at(after(60), statuses=[a_status()])

        assert ("pager", "APPROVE") in night.at(after(65), recoveries=[asks])
        assert [] == night.at(after(66))
        assert ("pager", "APPROVE") in night.at(after(minutes=31), recoveries=[again])
        assert "APPROVE 13?" in night.last.alerts[0].title

    def test_repeats_back_off_while_nothing_changes_up_to_a_day(self, night, a_status):
        told = [
            minute for minute in range(2, 60 * 24 * 4, 10) if night.at(after(minutes=minute), statuses=[a_status()])
        ]

        gaps = [later - earlier for earlier, later in pairwise(told)]
        assert [240, 480, 960, 1440, 1440] == gaps[:5]

    def test_news_begins_the_repeats_anew(self, night, a_status):
        night.at(after(10), statuses=[a_status(state=AlertValue.DEGRADED)])
        night.at(after(hours=5))
        night.at(after(hours=6), statuses=[a_status()])

        assert [] == night.at(after(hours=9, minutes=59))
        assert night.at(after(hours=10))

    def test_the_same_situation_gives_the_same_identities(self, night, a_status):
        situation = replace(night.told, now=night.told.now + after(60), statuses=[a_status()])
        assert decide(situation) == decide(situation)
        identities = [notice.identity for notice in decide(situation).notices]
        assert len(identities) == len(set(identities)) == 3

    def test_every_notice_of_a_long_night_has_its_own_identity(self, night, a_status):
        identities = []
        for cycle in range(5):
            for second in range(0, 300, 5):
                statuses = [a_status(broken=night.told.now)] if second == 0 else night.told.statuses
                night.at(after(cycle * 600 + second), statuses=statuses)
                identities += [notice.identity for notice in night.last.notices]
            for second in range(300, 600, 5):
                night.at(after(cycle * 600 + second), statuses=[])
                identities += [notice.identity for notice in night.last.notices]

        assert 5 * (3 + 3) == len(identities) == len(set(identities))


class TestWhenItIsOver:
    def test_the_end_is_told_to_those_who_heard_the_beginning(self, night, a_status):
        night.at(after(60), statuses=[a_status()])

        assert [] == night.at(after(minutes=5), statuses=[])
        assert [("mail", "RESOLVED"), ("pager", "RESOLVED"), ("am", "RESOLVED")] == night.at(
            after(minutes=5, seconds=10)
        )
        assert night.last.alerts[0].ends_at == night.told.now - after(10), "since then its monitors are well"
        assert [] == night.at(after(minutes=6))

    def test_a_pager_that_never_rang_is_not_told_that_it_is_over(self, night, a_status):
        night.at(after(10), statuses=[a_status(state=AlertValue.DEGRADED)])
        night.at(after(20), statuses=[])

        assert [("mail", "RESOLVED"), ("am", "RESOLVED")] == night.at(after(30))

    def test_a_dip_into_health_makes_no_pair_of_notices(self, night, a_status):
        night.at(after(60), statuses=[a_status()])
        night.at(after(70), statuses=[])

        assert [] == night.at(after(75), statuses=[a_status(broken=night.told.now)])
        assert [] == night.at(after(84), statuses=[])
        assert [] == night.at(after(93))
        assert [] != night.at(after(94))

    def test_a_flapping_monitor_is_told_once_and_resolved_when_it_has_settled(self, night, a_status):
        told = []
        for minute in range(1, 60, 2):
            bad = a_status(broken=night.told.now, flapping=True)
            told += night.at(after(minutes=minute), statuses=[bad])
            well = replace(bad, state=AlertValue.HEALTHY, broken_since=None, verdict=None)
            told += night.at(after(minutes=minute + 1), statuses=[well])
        night.at(after(minutes=61), statuses=[])
        told += night.at(after(minutes=62))

        assert ["CRITICAL", "RESOLVED"] == [what for channel, what in told if channel == "mail"]

    def test_the_next_outbreak_is_another_alert(self, night, a_status):
        night.at(after(60), statuses=[a_status()])
        night.at(after(70), statuses=[])
        night.at(after(80))
        first = night.last.alerts[0]

        night.at(after(minutes=10), statuses=[a_status(broken=night.told.now + after(minutes=5))])

        assert first.starts_at < night.last.alerts[0].starts_at
        assert (1, AlertStatus.FIRING) == (night.last.alerts[0].turns.number, night.last.alerts[0].status)

    def test_a_resolved_alert_is_forgotten_after_a_day(self, night, a_status):
        night.at(after(60), statuses=[a_status()])
        night.at(after(70), statuses=[])
        night.at(after(80))

        night.at(after(hours=23))
        assert 1 == len(night.last.known)
        night.at(after(hours=25))
        assert () == night.last.known


class TestChannelsAndRecords:
    def test_a_dead_mans_channel_gets_no_alert(self, night, a_status):
        night.at(after(60), statuses=[a_status()])

        assert {"mail", "pager", "am"} == {notice.channel for notice in night.last.notices}

    def test_what_is_told_is_an_event(self, night, a_status):
        night.at(after(60), statuses=[a_status()])
        night.at(after(70), statuses=[])
        told = night.last.events
        night.at(after(80))

        assert () == told
        (event,) = night.last.events
        assert (EventKind.ALERT_CHANGED, "mailbox server/be1", "critical", "resolved") == (
            event.kind,
            event.subject,
            event.before,
            event.after,
        )

    def test_an_alert_is_stored_again_when_a_recovery_went_on_though_nobody_is_told(
        self, night, a_status, an_operation
    ):
        night.at(after(60), statuses=[a_status()], recoveries=[Recovery(operation=an_operation())])

        night.at(after(65), recoveries=[Recovery(operation=an_operation(OperationStatus.WAITING))])

        assert (1, ()) == (len(night.last.alerts), night.last.notices)
        assert "waiting" in night.last.alerts[0].text

    def test_nothing_is_stored_while_nothing_changes(self, night, a_status, an_operation):
        night.at(after(60), statuses=[a_status()], recoveries=[Recovery(operation=an_operation())])

        night.at(after(61))

        assert () == night.last.alerts

    def test_a_gate_that_opens_in_hours_lets_a_person_be_called(self, night, a_status, an_operation):
        waiting = an_operation(OperationStatus.WAITING)
        throttle = GateAnswer(
            gate=Gate.THROTTLE,
            answer=Answer.WAITS,
            because="4 restarts within a day",
            until=night.told.now + after(hours=9),
            operation=12,
            seq=3,
        )

        night.at(after(60), statuses=[a_status()], recoveries=[Recovery(operation=waiting, answers=(throttle,))])

        assert Urgency.CRITICAL == night.last.alerts[0].urgency
        assert 'Gate "throttle" waits until 11:14 UTC: 4 restarts within a day' in night.last.alerts[0].text


def a_large_organization() -> Organization:
    servers = {
        f"be{number}": Server(
            name=f"be{number}", roles=frozenset({Role.MAILBOX}), imap=ImapEndpoint(host=f"be{number}")
        )
        for number in range(500)
    }
    databases = {
        f"db{number}": Database(name=f"db{number}", copies=(f"be{number % 500}",), active=f"be{number % 500}")
        for number in range(5000)
    }
    return Organization(name="large", servers=servers, databases=databases)


def test_deciding_is_cheap_with_a_hundred_broken_monitors(night, a_status: Callable, be1_dead):
    night.told = replace(night.told, organization=a_large_organization())
    statuses = [
        a_status(items.DEEP_TEST_MONITOR, f"be{number}", f"db{number}", verdict=replace(be1_dead, server=f"be{number}"))
        for number in range(100)
    ]
    excerpts: dict[MonitorKey, Excerpt] = {status.key: Excerpt(transcript=("S: * BYE",) * 40) for status in statuses}
    night.at(after(60), statuses=statuses, excerpts=excerpts)
    assert 100 == len(night.last.alerts)

    began = process_time()
    night.at(after(61))

    assert () == night.last.alerts
    assert process_time() - began < 0.2, "measured 5 ms, of the processor: the machine may be busy"
