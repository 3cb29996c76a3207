"""Orders to monitors: they change state, tell it, and let the health set follow."""

from datetime import timedelta

import pytest

from mailward.engine.assessment import Assessment
from mailward.model.errors import Refused
from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue, MonitorKey
from mailward.model.organization import ImapEndpoint, Organization, Role, Server
from mailward.monitors.coverage import cover
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings
from mailward.monitors.transitions import MonitorEvent
from mailward.testing.platform import NOON

PROXY = Server(name="p1", roles=frozenset({Role.PROXY}), imap=ImapEndpoint(host="127.0.0.1"))
ORGANIZATION = Organization(name="example", servers={"p1": PROXY})
KEY = MonitorKey(server="p1", health_set="IMAP.Proxy", item="ImapProxyTestMonitor", target="p1")


@pytest.fixture
def assessment():
    made = Assessment(ORGANIZATION)
    made.use(cover(ORGANIZATION, ProbingSettings(), MonitorSettings()), ORGANIZATION, now=NOON)
    return made


def test_an_order_is_carried_out_stored_and_told_with_its_reason(assessment):
    change = assessment.order(KEY, MonitorEvent.REPAIR_STARTED, because="under repair by eva", now=NOON)

    assert AlertValue.REPAIRING is assessment.status_of(KEY).state
    assert [(KEY, AlertValue.REPAIRING, "under repair by eva")] == [
        (status.key, status.state, status.because) for status in change.statuses
    ]
    assert [EventKind.MONITOR_CHANGED, EventKind.HEALTH_SET_CHANGED] == [event.kind for event in change.events]


def test_the_end_of_a_repair_waits_for_proof(assessment):
    assessment.order(KEY, MonitorEvent.REPAIR_STARTED, because="r", now=NOON)

    assessment.order(KEY, MonitorEvent.REPAIR_ENDED, because="the repair ended", now=NOON + timedelta(minutes=5))

    status = assessment.status_of(KEY)
    assert (AlertValue.DEGRADED, NOON + timedelta(minutes=5)) == (status.state, status.broken_since)


def test_an_order_that_cannot_be_is_refused_and_changes_nothing(assessment):
    before = assessment.statuses

    with pytest.raises(Refused):
        assessment.order(KEY, MonitorEvent.REPAIR_ENDED, because="r", now=NOON)

    assert before == assessment.statuses


def test_nothing_comes_of_an_order_for_a_monitor_that_does_not_exist(assessment):
    unknown = MonitorKey(server="p9", health_set="IMAP.Proxy", item="ImapProxyTestMonitor", target="p9")
    change = assessment.order(unknown, MonitorEvent.SWITCHED_OFF, because="r", now=NOON)

    assert ((), ()) == (change.statuses, change.events)
