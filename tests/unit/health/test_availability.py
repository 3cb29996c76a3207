"""The availability of a month, from what was recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from mailward.health.availability import Month, Standing, month_of
from mailward.health.spans import Span, covered, merged
from mailward.model.event import Event, EventKind
from mailward.model.health import ComponentState, HealthSetReport
from mailward.model.holds import Hold, HoldKind
from mailward.model.items import HealthGroup
from mailward.model.monitoring import AlertValue

MONTH = "2026-11"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
LATER = datetime(2026, 12, 10, tzinfo=UTC)
ZERO = timedelta(0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WHOLE = END - BEGIN


def changed(after_begin: timedelta, before: str | None, after: str, subject: str = "imap/IMAP", **data) -> Event:
    return Event(
        id=int(after_begin.total_seconds()) + 1_000_000,
        at=BEGIN + after_begin,
        kind=EventKind.HEALTH_SET_CHANGED,
        subject=subject,
        because=f"it became {after}",
        before=before,
        after=after,
        data=data,
    )


def happened(after_begin: timedelta, kind: EventKind, subject: str = "mailward", **more) -> Event:
    return Event(at=BEGIN + after_begin, kind=kind, subject=subject, because="so it was", **more)


def now_is(state: AlertValue = AlertValue.HEALTHY, server: str = "imap", health_set: str = "IMAP") -> HealthSetReport:
    return HealthSetReport(
        server=server,
        state=ComponentState.NOT_APPLICABLE,
        health_set=health_set,
        group=HealthGroup.CUSTOMER_TOUCH_POINTS,
        alert_value=state,
        last_transition=None,
        monitor_count=1,
        because="",
    )


NOW_HEALTHY = (now_is(),)


def a_month(*events: Event, reports=NOW_HEALTHY, now=LATER, **more):
    month = Month(MONTH)
    month.add(events)
    return month.report(Standing(reports=reports, **more), now=now)


def spans(report) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    (row,) = report.rows
    return row.up, row.down, row.set_aside, row.not_measured


def test_a_month_without_events_was_as_it_is_now():
    report = a_month()

    assert (WHOLE, ZERO, ZERO, ZERO) == spans(report)
    assert 100.0 == report.rows[0].percent


def test_what_came_after_the_month_tells_how_it_was_in_it():
    report = a_month(changed(32 * DAY, "Unhealthy", "Healthy"))

    assert (ZERO, WHOLE, ZERO, ZERO) == spans(report)
    assert [(BEGIN, END)] == [(outage.began, outage.ended) for outage in report.outages]


def test_unhealthy_is_down_and_degraded_is_not():
    report = a_month(
        changed(DAY, "Healthy", "Degraded"),
        changed(DAY + HOUR, "Degraded", "Unhealthy"),
        changed(DAY + 3 * HOUR, "Unhealthy", "Healthy"),
    )

    assert (WHOLE - 2 * HOUR, 2 * HOUR, ZERO, ZERO) == spans(report)
    (outage,) = report.outages
    assert (2 * HOUR, "it became Unhealthy", "it became Healthy") == (outage.down, outage.because, outage.mended)


def test_what_gives_no_answer_is_not_measured_and_what_is_repaired_is_set_aside():
    report = a_month(
        changed(DAY, "Healthy", "Unavailable"),
        changed(2 * DAY, "Unavailable", "Repairing"),
        changed(4 * DAY, "Repairing", "Healthy"),
    )

    assert (WHOLE - 3 * DAY, ZERO, 2 * DAY, DAY) == spans(report)
    assert 100.0 == report.rows[0].percent


def test_what_came_into_being_in_the_month_was_not_measured_before():
    report = a_month(changed(10 * DAY, None, "Healthy"))

    assert (WHOLE - 10 * DAY, ZERO, ZERO, 10 * DAY) == spans(report)


def test_what_was_retired_is_not_measured_afterwards():
    report = a_month(
        changed(DAY, None, "Healthy"),
        happened(5 * DAY, EventKind.MONITOR_RETIRED, "imap/IMAP/ImapCTPMonitor/DB1"),
        reports=(),
    )

    assert (4 * DAY, ZERO, ZERO, WHOLE - 4 * DAY) == spans(report)


def test_nothing_measured_is_no_figure():
    report = a_month(reports=(now_is(AlertValue.UNINITIALIZED),))

    assert (ZERO, ZERO, ZERO, WHOLE) == spans(report)
    assert report.rows[0].percent is None


def test_while_mailward_did_not_run_nothing_was_measured():
    report = a_month(
        happened(DAY, EventKind.MANAGER_STOPPED),
        changed(DAY + HOUR, "Healthy", "Unhealthy"),
        happened(DAY + 2 * HOUR, EventKind.MANAGER_STARTED),
        changed(DAY + 3 * HOUR, "Unhealthy", "Healthy"),
    )

    assert (WHOLE - 3 * HOUR, HOUR, ZERO, 2 * HOUR) == spans(report)
    assert [HOUR] == [outage.down for outage in report.outages]


def test_a_month_before_mailward_was_started_is_not_measured():
    report = a_month(happened(10 * DAY, EventKind.MANAGER_STARTED), was_running=False)

    assert (WHOLE - 10 * DAY, ZERO, ZERO, 10 * DAY) == spans(report)


def test_maintenance_is_set_aside_whatever_was_seen_meanwhile():
    maintenance = Hold(
        kind=HoldKind.MAINTENANCE,
        subject="IMAP",
        value="on",
        owner="ada",
        reason="new disks",
        since=BEGIN + DAY,
        until=BEGIN + 3 * DAY,
        ended_at=BEGIN + 2 * DAY,
    )

    report = a_month(
        changed(DAY + HOUR, "Healthy", "Unhealthy"),
        changed(2 * DAY + HOUR, "Unhealthy", "Healthy"),
        holds=(maintenance,),
    )

    assert (WHOLE - DAY - HOUR, HOUR, DAY, ZERO) == spans(report)


def test_an_outage_that_lasts_has_no_end_and_is_no_part_of_the_future():
    now = BEGIN + 2 * DAY

    report = a_month(changed(DAY, "Healthy", "Unhealthy"), now=now)

    assert (DAY, DAY, ZERO, ZERO) == spans(report)
    assert [(None, "")] == [(outage.ended, outage.mended) for outage in report.outages]
    assert now == report.until


def test_an_outage_names_the_recovery_that_mended_the_server_at_fault():
    report = a_month(
        changed(DAY, "Healthy", "Unhealthy", verdict={"server": "be1"}),
        happened(DAY + HOUR, EventKind.RECOVERY_ENDED, "be2", after="healed", operation=6),
        happened(DAY + HOUR, EventKind.RECOVERY_ENDED, "be1", after="escalated", operation=7),
        changed(DAY + HOUR, "Unhealthy", "Healthy"),
        happened(DAY + HOUR + timedelta(minutes=1), EventKind.RECOVERY_ENDED, "be1", after="healed", operation=8),
        happened(2 * DAY, EventKind.RECOVERY_ENDED, "be1", after="healed", operation=9),
    )

    assert [8] == [outage.operation for outage in report.outages]


def test_a_recovery_that_is_recorded_after_the_month_was_counted_has_mended_the_outage_all_the_same():
    month, standing = Month(MONTH), Standing(reports=NOW_HEALTHY)
    month.add(
        [changed(DAY, "Healthy", "Unhealthy", verdict={"server": "be1"}), changed(DAY + HOUR, "Unhealthy", "Healthy")]
    )
    before = month.report(standing, now=LATER)

    month.add([happened(DAY + HOUR, EventKind.RECOVERY_ENDED, "be1", after="healed", operation=8)])

    assert [None] == [outage.operation for outage in before.outages]
    assert [8] == [outage.operation for outage in month.report(standing, now=LATER).outages]


def test_the_organization_is_all_its_customer_touch_points_and_nothing_else():
    report = a_month(
        changed(DAY, "Healthy", "Unhealthy", "imap/IMAP"),
        changed(2 * DAY, "Unhealthy", "Healthy", "imap/IMAP"),
        changed(DAY, "Healthy", "Unhealthy", "be1/IMAP"),
        reports=(
            now_is(),
            now_is(server="imap2"),
            now_is(server="be1"),
            now_is(health_set="IMAP.Proxy"),
        ),
        touch_points=frozenset({"imap", "imap2"}),
    )

    assert report.overall is not None
    assert (2 * WHOLE - DAY, DAY) == (report.overall.up, report.overall.down)
    assert ["imap", "imap2"] == [row.server for row in report.rows if row.is_touch_point]


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-1", "26-01", "2026-00", "November", "²026-11", "9999-12", "0000-01"]
)
def test_what_is_no_month_is_refused(text):
    with pytest.raises(ValueError, match="is no month; write it as 2026-11"):
        month_of(text)


def test_a_month_that_has_not_begun_is_refused():
    with pytest.raises(ValueError, match="has not begun"):
        Month("2026-12").report(Standing(reports=()), now=BEGIN)


def test_spans_are_merged_and_it_is_known_how_much_of_a_time_they_cover():
    def span(since: int, until: int) -> Span:
        return Span(BEGIN + since * HOUR, BEGIN + until * HOUR)

    assert (span(0, 3), span(5, 6)) == merged([span(5, 6), span(1, 3), span(0, 2), span(4, 4)])
    assert 3 * HOUR == covered([span(1, 3), span(5, 9)], BEGIN, BEGIN + 6 * HOUR)
    assert ZERO == covered([span(0, 3), span(4, 5)], BEGIN + 3 * HOUR, BEGIN + 4 * HOUR)
