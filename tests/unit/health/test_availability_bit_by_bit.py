"""A month that is counted again and again while it is recorded comes to what counting it once would."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mailward.health.availability import Month, Standing, essence
from mailward.model.event import Event, EventKind
from mailward.model.health import ComponentState, HealthSetReport
from mailward.model.holds import Hold, HoldKind
from mailward.model.items import HealthGroup
from mailward.model.monitoring import AlertValue

MONTH = "2026-11"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
SERVERS = ("imap", "be1", "be2")
SETS = ("IMAP", "IMAP.Protocol")
STATES = tuple(value.value for value in AlertValue)
STEP = timedelta(minutes=4)
MOMENTS = (st.integers(0, 100) | st.integers(10_700, 10_900)).map(lambda steps: BEGIN + steps * STEP)
"""Close enough to each other that recoveries mend outages: at the month's beginning, and about its end."""


def reported(server: str, health_set: str, state: AlertValue) -> HealthSetReport:
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


@st.composite
def an_event(draw: st.DrawFn, at: datetime) -> Event:
    server, health_set = draw(st.sampled_from(SERVERS)), draw(st.sampled_from(SETS))
    kind = draw(
        st.sampled_from(
            (
                *(EventKind.HEALTH_SET_CHANGED,) * 5,
                *(EventKind.MONITOR_RETIRED, EventKind.MANAGER_STARTED, EventKind.MANAGER_STOPPED),
                EventKind.RECOVERY_ENDED,
            )
        )
    )
    subject = {
        EventKind.HEALTH_SET_CHANGED: f"{server}/{health_set}",
        EventKind.MONITOR_RETIRED: f"{server}/{health_set}/ImapCTPMonitor/DB1",
        EventKind.RECOVERY_ENDED: server,
    }.get(kind, "mailward")
    is_change = kind is EventKind.HEALTH_SET_CHANGED
    return Event(
        at=at,
        kind=kind,
        subject=subject,
        because=draw(st.sampled_from(("a", "b"))),
        before=draw(st.sampled_from((None, *STATES))) if is_change else None,
        after=draw(st.sampled_from((*STATES, "Unhealthy", "Unhealthy"))) if is_change else "healed",
        operation=draw(st.integers(1, 3)),
        data={"verdict": {"server": draw(st.sampled_from(SERVERS))}, "mailboxes": 3} if draw(st.booleans()) else {},
    )


@st.composite
def records(draw: st.DrawFn) -> tuple[Event, ...]:
    """Events in the order they were stored; the clock was set back now and then."""
    moments = sorted(draw(st.lists(MOMENTS, max_size=25)))
    if draw(st.booleans()) and len(moments) > 2:
        place = draw(st.integers(1, len(moments) - 1))
        moments = [*moments[place:], *moments[:place]]
    return tuple(
        Event(**{**{name: getattr(event, name) for name in event.__dataclass_fields__}, "id": number})
        for number, event in enumerate((draw(an_event(at)) for at in moments), start=1)
    )


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    present = draw(st.lists(st.tuples(st.sampled_from(SERVERS), st.sampled_from(SETS)), unique=True))
    holds = [
        Hold(
            kind=HoldKind.MAINTENANCE,
            subject=server,
            value="on",
            owner="ada",
            reason="new disks",
            since=since,
            until=draw(st.none() | MOMENTS),
            ended_at=draw(st.none() | MOMENTS),
        )
        for server, since in draw(st.lists(st.tuples(st.sampled_from(("IMAP", "be1")), MOMENTS), max_size=2))
    ]
    return Standing(
        reports=tuple(reported(*name, draw(st.sampled_from(AlertValue))) for name in present),
        holds=tuple(holds),
        was_running=draw(st.booleans()),
        touch_points=frozenset({"imap"}),
    )


@given(
    events=records(),
    looks=st.lists(st.tuples(st.integers(0, 25), MOMENTS, standings()), max_size=4),
    last=standings(),
    now=MOMENTS,
)
def test_however_it_is_handed_in_the_same_record_comes_to_the_same_figures(events, looks, last, now):
    now += timedelta(minutes=1)
    bit_by_bit, at_once = Month(MONTH), Month(MONTH)
    at_once.add(events)
    told = 0
    for upto, moment, standing in sorted(looks, key=lambda look: look[:2]):
        bit_by_bit.add(essence(event) for event in events[told:upto])
        told = max(told, upto)
        bit_by_bit.report(standing, now=min(moment, now) + timedelta(seconds=1))
    bit_by_bit.add(essence(event) for event in events[told:])

    assert at_once.report(last, now=now) == bit_by_bit.report(last, now=now)


@given(events=records(), standing=standings(), now=MOMENTS)
def test_the_four_spans_of_each_health_set_are_the_month(events, standing, now):
    month = Month(MONTH)
    month.add(events)

    report = month.report(standing, now=now + timedelta(minutes=1))

    whole = report.until - report.since
    for row in report.rows:
        of_it = [one.down for one in report.outages if (one.server, one.health_set) == (row.server, row.health_set)]
        assert whole == row.up + row.down + row.set_aside + row.not_measured
        assert row.down == sum(of_it, timedelta(0))
