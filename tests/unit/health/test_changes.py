from mailward.health.changes import health_set_changes
from mailward.model.event import EventKind
from mailward.model.monitoring import AlertValue

NAME = ("mbx1", "IMAP.Protocol")


def test_a_set_that_became_worse_is_an_event_with_who_is_affected(a_status, noon):
    bad = a_status(AlertValue.UNHEALTHY, target="DB2")

    (event,) = health_set_changes(
        NAME,
        before=[a_status(), a_status(target="DB2")],
        after=[a_status(), bad],
        at=noon,
        databases=["DB2"],
        mailboxes=80,
    )

    assert (EventKind.HEALTH_SET_CHANGED, "mbx1/IMAP.Protocol") == (event.kind, event.subject)
    assert ("Healthy", "Unhealthy") == (event.before, event.after)
    assert (["DB2"], 80, "ImapDeepTestMonitor", "mbx1") == (
        event.data["databases"],
        event.data["mailboxes"],
        event.data["monitor"],
        event.data["mailbox_server"],
    )
    assert "store" == event.data["verdict"]["tier"]


def test_one_more_bad_monitor_in_a_bad_set_is_no_news(a_status, noon):
    bad = [a_status(AlertValue.UNHEALTHY, target=name) for name in ("DB1", "DB2")]

    assert () == health_set_changes(NAME, before=[bad[0], a_status(target="DB2")], after=bad, at=noon)


def test_a_new_set_is_told_and_one_that_ended_is_not(a_status, noon):
    (event,) = health_set_changes(NAME, before=[], after=[a_status()], at=noon)

    assert (None, "Healthy") == (event.before, event.after)
    assert () == health_set_changes(NAME, before=[a_status()], after=[], at=noon)
