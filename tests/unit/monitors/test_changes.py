from dataclasses import replace
from datetime import UTC, datetime

from mailward.model import items
from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.organization import Organization
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.monitors.changes import mailboxes_in, monitor_changes, retirement
from mailward.monitors.coverage import cover
from mailward.monitors.definition import MonitorDefinition
from mailward.monitors.judging import History, Step
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_definition(organization: Organization, item: str, server: str, target: str) -> MonitorDefinition:
    coverage = cover(organization, ProbingSettings(), MonitorSettings())
    wanted = (item, server, target)
    return next(m for m in coverage.monitors if (m.key.item, m.key.server, m.key.target) == wanted)


def a_status(definition: MonitorDefinition, state: AlertValue) -> MonitorStatus:
    return MonitorStatus(
        key=definition.key,
        state=state,
        since=NOON,
        because="3 failures in a row",
        broken_since=NOON,
        verdict=Verdict(tier=Tier.STORE, confidence=Confidence.CERTAIN, because="unreadable", server="mbx1"),
        mailbox_server="mbx1",
    )


def a_step(status: MonitorStatus, **facts: bool) -> Step:
    return Step(status=status, history=History(heard_at=NOON), **facts)


def test_a_change_says_who_is_affected_where_and_why(two_tiers):
    definition = a_definition(two_tiers, items.DEEP_TEST_MONITOR, "mbx1", "DB1")
    before, after = (a_status(definition, state) for state in (AlertValue.DEGRADED, AlertValue.UNHEALTHY))

    (event,) = monitor_changes(definition, before=before, step=a_step(after), organization=two_tiers, at=NOON)

    assert (EventKind.MONITOR_CHANGED, "mbx1/IMAP.Protocol/ImapDeepTestMonitor/DB1") == (event.kind, event.subject)
    assert ("Degraded", "Unhealthy", "3 failures in a row") == (event.before, event.after, event.because)
    assert (["DB1"], 120, "mbx1") == (event.data["databases"], event.data["mailboxes"], event.data["mailbox_server"])
    assert "store" == event.data["verdict"]["tier"]  # type: ignore[index]


def test_a_step_without_a_change_of_state_is_no_event(two_tiers):
    definition = a_definition(two_tiers, items.DEEP_TEST_MONITOR, "mbx1", "DB1")
    status = a_status(definition, AlertValue.UNHEALTHY)

    assert () == monitor_changes(definition, before=status, step=a_step(status), organization=two_tiers, at=NOON)


def test_flapping_is_told_beside_the_change(two_tiers):
    definition = a_definition(two_tiers, items.DEEP_TEST_MONITOR, "mbx1", "DB1")
    healthy, degraded = (a_status(definition, state) for state in (AlertValue.HEALTHY, AlertValue.DEGRADED))

    began = monitor_changes(
        definition, before=healthy, step=a_step(degraded, flapping_began=True), organization=two_tiers, at=NOON
    )
    settled = monitor_changes(
        definition, before=healthy, step=a_step(healthy, flapping_settled=True), organization=two_tiers, at=NOON
    )

    assert [EventKind.MONITOR_CHANGED, EventKind.MONITOR_FLAPPING] == [event.kind for event in began]
    assert "left Healthy 4 times in 30 min" in began[1].because
    assert [EventKind.MONITOR_SETTLED] == [event.kind for event in settled]


def test_the_instance_on_the_server_a_database_left_is_retired_with_the_reason(two_tiers, moved):
    status = a_status(a_definition(two_tiers, items.DEEP_TEST_MONITOR, "mbx1", "DB2"), AlertValue.UNHEALTHY)

    event = retirement(status, organization=moved(two_tiers, "DB2", "mbx2"), at=NOON)

    assert (EventKind.MONITOR_RETIRED, "Unhealthy", None) == (event.kind, event.before, event.after)
    assert "the database DB2 is now active on mbx2" == event.because


def test_a_passive_copy_that_became_the_active_one_is_retired_with_the_reason(two_tiers, moved):
    status = a_status(a_definition(two_tiers, items.DEEP_TEST_MONITOR, "mbx2", "DB2:passive"), AlertValue.HEALTHY)

    event = retirement(status, organization=moved(two_tiers, "DB2", "mbx2"), at=NOON)

    assert "the copy of DB2 on mbx2 is now the active one" == event.because


def test_a_local_test_ends_when_the_server_holds_an_active_copy(two_tiers, moved):
    status = a_status(a_definition(two_tiers, items.DEEP_TEST_MONITOR, "mbx2", "mbx2"), AlertValue.HEALTHY)

    event = retirement(status, organization=moved(two_tiers, "DB2", "mbx2"), at=NOON)

    assert "mbx2 now holds an active copy, which is probed instead of the local health mailbox" == event.because


def test_a_database_that_is_gone_is_not_mistaken_for_a_local_test(two_tiers):
    status = a_status(a_definition(two_tiers, items.DEEP_TEST_MONITOR, "mbx1", "DB1"), AlertValue.UNHEALTHY)
    rest = replace(two_tiers, databases={"DB2": two_tiers.databases["DB2"]})

    assert "the configuration no longer asks for it" == retirement(status, organization=rest, at=NOON).because


def test_what_the_configuration_no_longer_names_is_retired_as_such(two_tiers):
    gone = a_status(a_definition(two_tiers, items.PROXY_TEST_MONITOR, "proxy2", "proxy2"), AlertValue.UNHEALTHY)
    dropped = a_status(a_definition(two_tiers, items.CTP_MONITOR, "proxy1", "DB1"), AlertValue.UNHEALTHY)
    rest = replace(
        two_tiers,
        servers={name: server for name, server in two_tiers.servers.items() if name != "proxy2"},
        databases={"DB2": two_tiers.databases["DB2"]},
    )

    assert "the configuration no longer names proxy2" == retirement(gone, organization=rest, at=NOON).because
    assert "the configuration no longer asks for it" == retirement(dropped, organization=rest, at=NOON).because


def test_mailboxes_are_counted_only_where_all_are_known(two_tiers):
    unknown = replace(two_tiers.databases["DB1"], mailboxes=None)
    partly = replace(two_tiers, databases={**two_tiers.databases, "DB1": unknown})

    assert 200 == mailboxes_in(["DB1", "DB2"], two_tiers)
    assert None is mailboxes_in(["DB1", "DB2"], partly)
    assert 0 == mailboxes_in([], partly)
