from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailward.engine.timetable import Timetable
from mailward.model.organization import ImapEndpoint
from mailward.model.probing import Cause, ProbeResult, ResultType
from mailward.model.target import ProbeTarget
from mailward.monitors.coverage import Coverage
from mailward.monitors.planned import Lane, PlannedProbe
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.samples import ProbeKey

SETTINGS = ProbingSettings()


class Middle:
    """Chance that always takes the middle, so that a test can tell the moment."""

    def between(self, low: float, high: float) -> float:
        return (low + high) / 2

    def token(self) -> str:
        return "0" * 32


def key(target: str) -> ProbeKey:
    return ProbeKey(probe="ImapDeepTestProbe", server="mbx1", target=target)


def planned(target: str, **changes: object) -> PlannedProbe:
    fields: dict[str, object] = {
        "key": key(target),
        "health_set": "IMAP.Protocol",
        "interval": timedelta(seconds=60),
        "timeout": timedelta(seconds=15),
    }
    return PlannedProbe(**{**fields, **changes})  # type: ignore[arg-type]


def a_result(target: str, result: ResultType = ResultType.SUCCEEDED, **changes: object) -> ProbeResult:
    fields: dict[str, object] = {
        "probe": "ImapDeepTestProbe",
        "health_set": "IMAP.Protocol",
        "server": "mbx1",
        "target": target,
        "at": datetime(2026, 11, 24, tzinfo=UTC),
        "took": timedelta(0),
        "result": result,
    }
    return ProbeResult(**{**fields, **changes})  # type: ignore[arg-type]


def a_timetable(*probes: PlannedProbe, lanes: tuple[Lane, ...] = (), **settings: int) -> Timetable:
    timetable = Timetable(SETTINGS, chance=Middle(), **settings)
    timetable.plan(Coverage(probes=probes, monitors=(), lanes=lanes), SETTINGS, now=0)
    return timetable


def started(timetable: Timetable, now: float) -> list[str]:
    return [start.planned.key.target for start in timetable.due(now)]


def test_the_first_start_is_spread_and_the_next_an_interval_later():
    timetable = a_timetable(planned("DB1"))

    assert [] == started(timetable, 29.9)
    assert timetable.next_due() == 30
    assert ["DB1"] == started(timetable, 30)
    timetable.finished(key("DB1"), a_result("DB1"), now=31)
    assert timetable.next_due() == 90


def test_what_is_probed_every_few_minutes_is_seen_for_the_first_time_within_one():
    timetable = a_timetable(planned("DB1", interval=timedelta(minutes=5)))

    assert timetable.next_due() == 30


def test_one_mailbox_carries_one_conversation_at_a_time():
    timetable = a_timetable(planned("DB1", mailbox="health-1"), planned("DB2", mailbox="health-1"), planned("DB3"))

    first = started(timetable, 30)
    assert len(first) == 2
    assert "DB3" in first
    busy = next(target for target in first if target != "DB3")
    timetable.finished(key(busy), a_result(busy), now=40)
    (second,) = timetable.due(40)
    assert {"DB1", "DB2"} == {busy, second.planned.key.target}
    assert second.late == 0, "it waited for its own mailbox, not for us"


def test_a_waiting_confirmation_goes_before_the_others():
    probes = [planned(target, mailbox="m") for target in ("DB1", "DB2", "DB3")]
    timetable = a_timetable(*probes)
    (running,) = started(timetable, 30)
    others = [target for target in ("DB1", "DB2", "DB3") if target != running]
    timetable.hasten(key(running), at=31, confirmation=True)

    timetable.finished(key(running), a_result(running, ResultType.FAILED), now=32)

    assert running in (started(timetable, 32)), "the confirmation came after what had waited longer"
    timetable.finished(key(running), a_result(running, ResultType.FAILED), now=33)
    assert started(timetable, 33)[0] in others


def test_members_of_a_lane_take_turns_one_interval_apart():
    members = [planned(target, lane="proxy1", interval=timedelta(seconds=90)) for target in ("DB1", "DB2", "DB3")]
    lane = Lane(
        name="proxy1", server="proxy1", interval=timedelta(seconds=30), members=tuple(probe.key for probe in members)
    )
    timetable = a_timetable(*members, lanes=(lane,))

    for now, target in ((15, "DB1"), (45, "DB2"), (75, "DB3"), (105, "DB1")):
        assert [target] == started(timetable, now)
        timetable.finished(key(target), a_result(target), now=now + 1)


def test_a_confirmation_does_not_wait_for_its_lane():
    members = [planned(target, lane="proxy1", interval=timedelta(seconds=60)) for target in ("DB1", "DB2")]
    lane = Lane(
        name="proxy1", server="proxy1", interval=timedelta(seconds=30), members=tuple(probe.key for probe in members)
    )
    timetable = a_timetable(*members, lanes=(lane,))
    started(timetable, 15)
    timetable.finished(key("DB1"), a_result("DB1", ResultType.TIMED_OUT, cause=Cause.TIMEOUT), now=46)
    assert started(timetable, 46)[0] in ("DB1", "DB2")

    for target in ("DB1", "DB2"):
        timetable.hasten(key(target), at=47, confirmation=True)

    assert started(timetable, 47), "the lane is taken by the other"


def test_a_failing_member_of_a_lane_keeps_its_turn_until_it_recovers():
    member = planned("DB1", lane="proxy1", interval=timedelta(seconds=300))
    lane = Lane(name="proxy1", server="proxy1", interval=timedelta(seconds=30), members=(member.key,))
    timetable = a_timetable(member, lanes=(lane,))
    started(timetable, 15)

    timetable.finished(member.key, a_result("DB1", ResultType.FAILED, cause=Cause.CLOSED), now=16)
    assert timetable.next_due() == 45
    started(timetable, 45)
    timetable.finished(member.key, a_result("DB1"), now=46)
    assert timetable.next_due() == 345


def test_a_hung_target_holds_back_nobody_else():
    probes = [planned(f"DB{number}") for number in range(100)]
    timetable = a_timetable(*probes)
    started(timetable, 30)
    for number in range(1, 100):
        timetable.finished(key(f"DB{number}"), a_result(f"DB{number}"), now=31)

    assert len(started(timetable, 91)) == 99


def test_what_is_hastened_while_it_runs_is_run_again_after_it_ended():
    timetable = a_timetable(planned("DB1"))
    started(timetable, 30)

    timetable.hasten(key("DB1"), at=32, confirmation=True)
    assert [] == started(timetable, 40)
    timetable.finished(key("DB1"), a_result("DB1"), now=41)
    (again,) = timetable.due(41)
    assert again.confirmation
    assert again.late == 0, "it waited for its own last run, not for us"


def test_hastening_never_makes_a_probe_later():
    timetable = a_timetable(planned("DB1"))

    timetable.hasten(key("DB1"), at=50)

    assert timetable.next_due() == 30


def test_hastening_what_is_not_planned_does_nothing():
    a_timetable().hasten(key("DB9"), at=1)


def test_no_more_than_the_bound_run_at_once():
    timetable = a_timetable(*(planned(f"DB{number}") for number in range(5)), running_max=3)

    running = started(timetable, 30)
    assert len(running) == timetable.running == 3
    assert timetable.next_due() is None
    timetable.finished(key(running[0]), a_result(running[0]), now=31)
    (late,) = timetable.due(31)
    assert late.late == 1


def test_a_probe_takes_the_writing_turn_at_first_and_then_at_its_own_interval():
    timetable = a_timetable(planned("DB1", write_every=timedelta(minutes=5)))
    writing = []
    now = 30.0
    for _ in range(8):
        (start,) = timetable.due(now)
        writing.append(start.writing)
        timetable.finished(key("DB1"), a_result("DB1", wrote=start.writing), now=now)
        now += 60

    assert [True, False, False, False, False, True, False, False] == writing


def test_a_reload_keeps_the_time_of_what_stays_and_forgets_what_goes():
    timetable = a_timetable(planned("DB1"), planned("DB2"))

    timetable.plan(Coverage(probes=(planned("DB2"), planned("DB3")), monitors=()), SETTINGS, now=10)

    assert ["DB2"] == started(timetable, 30)
    assert ["DB3"] == started(timetable, 40)


def test_what_is_removed_while_it_runs_frees_its_mailbox():
    timetable = a_timetable(planned("DB1", mailbox="m"))
    started(timetable, 30)
    timetable.plan(Coverage(probes=(planned("DB2", mailbox="m"),), monitors=()), SETTINGS, now=31)
    assert [] == started(timetable, 61)

    timetable.finished(key("DB1"), a_result("DB1"), now=62)

    assert ["DB2"] == started(timetable, 62)


def test_lateness_is_that_of_the_most_overdue():
    timetable = a_timetable(planned("DB1"))

    assert timetable.worst_lateness(20) == 0
    assert timetable.worst_lateness(33) == 3


def test_what_runs_on_request_runs_when_it_is_asked_for_and_never_else():
    timetable = a_timetable(planned("DB1", interval=timedelta(0), on_request=True))
    assert ([], None) == (started(timetable, 100_000), timetable.next_due())

    timetable.hasten(key("DB1"), at=100_000)
    assert ["DB1"] == started(timetable, 100_000)
    timetable.hasten(key("DB1"), at=100_001)  # while it is under way
    timetable.finished(key("DB1"), a_result("DB1"), now=100_001)
    assert ["DB1"] == started(timetable, 100_001)

    timetable.finished(key("DB1"), a_result("DB1", ResultType.FAILED), now=100_002)
    assert ([], None) == (started(timetable, 200_000), timetable.next_due())
    assert 0 == timetable.late(200_000, by=1)


def test_what_is_dropped_and_planned_anew_while_it_runs_runs_again():
    timetable = a_timetable(planned("DB1"))
    assert ["DB1"] == started(timetable, 30)
    timetable.plan(Coverage(probes=(), monitors=(), lanes=()), SETTINGS, now=31)
    timetable.plan(Coverage(probes=(planned("DB1"),), monitors=(), lanes=()), SETTINGS, now=32)
    timetable.hasten(key("DB1"), at=32)
    assert [] == started(timetable, 33), "its old run is still under way"

    timetable.finished(key("DB1"), a_result("DB1"), now=40)

    assert ["DB1"] == started(timetable, 40)


def test_a_conversation_that_meets_a_limit_comes_back_ever_later_and_a_look_does_not():
    """A look opens no session that could be one too many: that the limit is gone is noticed at its pace."""
    conversation = ProbeTarget(
        probe="ImapDeepTestProbe",
        health_set="IMAP.Protocol",
        server="mbx1",
        target="DB1",
        endpoint=ImapEndpoint(host="mbx1"),
        timeout=timedelta(seconds=15),
    )
    timetable = a_timetable(replace(planned("DB1"), target=conversation), planned("look"), running_max=2)
    now = 0.0
    for _ in range(3):
        now = max(now, timetable.next_due() or 0.0)
        for target in started(timetable, now + 120):
            limited = a_result(target, ResultType.FAILED, cause=Cause.LIMIT)
            timetable.finished(key(target), limited, now=now + 121)
        now += 121
    found = {}
    while len(found) < 2 and (at := timetable.next_due()) is not None:
        for target in started(timetable, at):
            found[target] = at

    assert found["DB1"] - found["look"] > 100
