"""What every Store keeps; an implementation joins by adding itself to `open_store`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.event import Event, EventKind
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.probing import Canary, Cause, Phase, PhaseOutcome, PhaseTiming, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.ports.store import Retention, Store
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON, SetClock

MINUTE = timedelta(minutes=1)
KEY = MonitorKey(server="mbx1", health_set="IMAP.Protocol", item="ImapDeepTestMonitor", target="DB1")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path, clock) -> AsyncIterator[Store]:
    made: Store = (
        MemoryStore(clock=clock) if request.param == "memory" else SqliteStore(tmp_path / "state" / "db", clock=clock)
    )
    await made.open()
    yield made
    await made.close()


def a_result(**changes: object) -> ProbeResult:
    fields: dict[str, object] = {
        "probe": "ImapDeepTestProbe",
        "health_set": "IMAP.Protocol",
        "server": "mbx1",
        "target": "DB1",
        "at": NOON,
        "took": timedelta(milliseconds=40),
        "result": ResultType.SUCCEEDED,
        "phases": (PhaseTiming(phase=Phase.AUTH, took=timedelta(milliseconds=10), outcome=PhaseOutcome.OK),),
        "transcript": ("C: p1 NOOP", "S: p1 OK"),
    }
    return ProbeResult(**{**fields, **changes})  # type: ignore[arg-type]


def a_failure(**changes: object) -> ProbeResult:
    verdict = Verdict(tier=Tier.STORE, confidence=Confidence.CERTAIN, because="it said so")
    return a_result(
        **{
            "result": ResultType.FAILED,
            "failed_phase": Phase.SELECT,
            "cause": Cause.STORE_ERROR,
            "verdict": verdict,
            **changes,
        }
    )


def a_status(state: AlertValue = AlertValue.HEALTHY, key: MonitorKey = KEY) -> MonitorStatus:
    return MonitorStatus(key=key, state=state, since=NOON, because="so it is")


def an_event(subject: str = "mbx1", kind: EventKind = EventKind.MONITOR_CHANGED, **changes: object) -> Event:
    return Event(**{"at": NOON, "kind": kind, "subject": subject, "because": "so it is", **changes})  # type: ignore[arg-type]


async def test_a_failure_is_given_back_as_it_was_with_its_transcript(store):
    await store.add_results([a_failure()])

    assert (a_failure(),) == await store.results()


async def test_the_transcript_of_a_success_is_not_kept(store):
    await store.add_results([a_result()])

    assert (a_result(transcript=()),) == await store.results()


@pytest.mark.parametrize("ended", [ResultType.PROBER_OVERLOADED, ResultType.NOT_APPLICABLE])
async def test_the_transcript_of_what_says_nothing_of_the_server_is_not_kept(store, ended):
    await store.add_results([a_result(result=ended)])

    assert ((),) == tuple(result.transcript for result in await store.results())


async def test_each_failure_of_a_batch_has_its_own_transcript(store):
    batch = [
        a_failure(at=NOON + number * MINUTE, transcript=(f"C: {number}",)) if number % 2 else a_result()
        for number in range(10)
    ]

    await store.add_results(batch)

    assert [f"C: {number}" for number in (9, 7, 5, 3, 1)] == [
        line for result in await store.results(failed=True) for line in result.transcript
    ]


async def test_a_field_that_measured_nothing_is_told_from_one_that_was_not_measured(store):
    await store.add_results([a_failure(level=0.0, push_took=timedelta(0), detail="")])

    (found,) = await store.results()

    assert (0.0, timedelta(0)) == (found.level, found.push_took)


async def test_results_come_newest_first_and_by_what_was_asked_for(store):
    await store.add_results(
        [
            a_result(at=NOON),
            a_failure(at=NOON + MINUTE),
            a_result(at=NOON + 2 * MINUTE, target="DB2"),
            a_result(at=NOON + 3 * MINUTE, server="mbx2"),
            a_result(at=NOON + 4 * MINUTE, probe="ImapSelfTestProbe", target="mbx1"),
        ]
    )

    async def minutes(**wanted: object) -> list[float]:
        return [(result.at - NOON) / MINUTE for result in await store.results(**wanted)]

    assert [4, 3, 2, 1, 0] == await minutes()
    assert [4, 3] == await minutes(limit=2)
    assert [1] == await minutes(failed=True)
    assert [4, 3, 2, 0] == await minutes(failed=False)
    assert [2] == await minutes(target="DB2")
    assert [3] == await minutes(server="mbx2")
    assert [4] == await minutes(probe="ImapSelfTestProbe")
    assert [4, 3] == await minutes(since=NOON + 3 * MINUTE)


async def test_of_results_of_the_same_moment_the_last_added_comes_first(store):
    await store.add_results([a_result(target="DB1"), a_result(target="DB2")])

    assert ["DB2", "DB1"] == [result.target for result in await store.results()]


async def test_the_latest_result_of_each_target_is_the_newest_whatever_the_order_of_arrival(store):
    await store.add_results([a_result(at=NOON + MINUTE), a_result(at=NOON), a_result(at=NOON, target="DB2")])
    await store.add_results([a_result(at=NOON - MINUTE)])

    latest = {result.target: result.at for result in await store.latest_results()}

    assert {"DB1": NOON + MINUTE, "DB2": NOON} == latest


async def test_a_latest_result_of_the_future_gives_way_when_the_clock_was_set_back(store, clock):
    await store.add_results([a_result(at=NOON), a_result(at=NOON, target="DB2")])
    clock.advance(-timedelta(hours=1))

    await store.add_results([a_result(at=NOON - timedelta(hours=1))])

    latest = {result.target: result.at for result in await store.latest_results()}
    assert {"DB1": NOON - timedelta(hours=1), "DB2": NOON} == latest


async def test_a_latest_result_of_the_future_gives_way_within_one_batch_too(store, clock):
    clock.advance(-timedelta(hours=1))

    await store.add_results([a_result(at=NOON), a_result(at=NOON - timedelta(hours=1))])

    assert [NOON - timedelta(hours=1)] == [result.at for result in await store.latest_results()]


async def test_a_clock_set_back_a_little_displaces_no_latest_result(store, clock):
    await store.add_results([a_result(at=NOON)])
    clock.advance(-5 * MINUTE)

    await store.add_results([a_result(at=NOON - 5 * MINUTE)])

    assert [NOON] == [result.at for result in await store.latest_results()]


async def test_results_that_were_kept_back_displace_no_newer_one_however_late_they_come(store):
    await store.add_results([a_result(at=NOON)])

    await store.add_results([a_result(at=NOON - timedelta(hours=3))])

    assert [NOON] == [result.at for result in await store.latest_results()]


async def test_roll_ups_add_up_five_minutes_per_phase_and_whole(store):
    await store.add_results([a_result(), a_failure(at=NOON + MINUTE, took=timedelta(milliseconds=100))])
    await store.add_results([a_result(at=NOON + 6 * MINUTE)])

    async def rollups(phase: Phase | None) -> list[tuple[float, int, int, float, float]]:
        found = await store.rollups(
            probe="ImapDeepTestProbe", server="mbx1", target="DB1", since=NOON - MINUTE, phase=phase
        )
        ms = timedelta(milliseconds=1)
        return [((r.start - NOON) / MINUTE, r.count, r.failures, r.took_sum / ms, r.took_max / ms) for r in found]

    assert [(0, 2, 1, 140, 100), (5, 1, 0, 40, 40)] == await rollups(None)
    assert [(0, 2, 0, 20, 10), (5, 1, 0, 10, 10)] == await rollups(Phase.AUTH)
    assert [] == await rollups(Phase.IDLE)


async def test_coarse_roll_ups_add_up_longer_steps_of_every_phase(store):
    await store.add_results([a_result(), a_failure(at=NOON + MINUTE, took=timedelta(milliseconds=100))])
    await store.add_results([a_result(at=NOON + 6 * MINUTE), a_result(at=NOON + 61 * MINUTE), a_result(target="DB2")])

    found = await store.coarse_rollups(
        probe="ImapDeepTestProbe", server="mbx1", target="DB1", since=NOON - MINUTE, step=timedelta(hours=1)
    )

    ms = timedelta(milliseconds=1)
    told = {
        (r.phase, (r.start - NOON) / MINUTE): (r.count, r.failures, r.took_sum / ms, r.took_max / ms) for r in found
    }
    assert {
        (None, 0): (3, 1, 180, 100),
        (None, 60): (1, 0, 40, 40),
        (Phase.AUTH, 0): (3, 0, 30, 10),
        (Phase.AUTH, 60): (1, 0, 10, 10),
    } == {key: value for key, value in told.items() if key[0] in (None, Phase.AUTH)}
    assert sorted(rollup.start for rollup in found) == [rollup.start for rollup in found]


async def test_coarse_roll_ups_begin_where_they_are_asked_for(store):
    await store.add_results([a_result(), a_result(at=NOON + 30 * MINUTE)])

    found = await store.coarse_rollups(
        probe="ImapDeepTestProbe", server="mbx1", target="DB1", since=NOON + MINUTE, step=timedelta(hours=1)
    )

    assert [(NOON, 1)] == [(rollup.start, rollup.count) for rollup in found if rollup.phase is None]


async def test_confirmations_and_what_says_nothing_of_the_target_do_not_enter_roll_ups(store):
    await store.add_results(
        [a_failure(confirmation=True), a_result(result=ResultType.NOT_APPLICABLE)],
    )

    assert () == await store.rollups(probe="ImapDeepTestProbe", server="mbx1", target="DB1", since=NOON - MINUTE)


async def test_a_state_is_replaced_and_its_event_numbered(store):
    (first,) = await store.save_statuses([a_status()], [an_event()])
    (second,) = await store.save_statuses([a_status(AlertValue.UNHEALTHY)], [an_event()])

    assert (a_status(AlertValue.UNHEALTHY),) == await store.statuses()
    assert 0 < first.id < second.id
    assert (first, second) == await store.events()


async def test_a_retired_monitor_has_no_state_but_its_event_stays(store):
    other = replace(KEY, target="DB2")
    await store.save_statuses([a_status(), a_status(key=other)], [])

    await store.retire([KEY], [an_event(kind=EventKind.MONITOR_RETIRED)])

    assert [other] == [status.key for status in await store.statuses()]
    assert [EventKind.MONITOR_RETIRED] == [event.kind for event in await store.events()]


async def test_events_are_found_by_id_kind_subject_and_time(store):
    await store.save_statuses(
        [],
        [
            an_event("mbx1/IMAP.Protocol/x", at=NOON),
            an_event("mbx10/IMAP", at=NOON + MINUTE),
            an_event("mbx1", EventKind.SERVICE_EXITED, at=NOON + 2 * MINUTE),
        ],
    )
    first, second, third = await store.events()

    assert (second, third) == await store.events(after=first.id)
    assert (first,) == await store.events(before=second.id)
    assert (third, second) == await store.events(newest_first=True, limit=2)
    assert (third,) == await store.events(kinds=[EventKind.SERVICE_EXITED])
    assert (first, second, third) == await store.events(kinds=[EventKind.SERVICE_EXITED, EventKind.MONITOR_CHANGED])
    assert (third, second) == await store.events(
        kinds=[EventKind.SERVICE_EXITED, EventKind.MONITOR_CHANGED], newest_first=True, limit=2
    )
    assert (first,) == await store.events(kinds=[EventKind.MONITOR_CHANGED], subject="mbx1")
    assert (first, third) == await store.events(subject="mbx1")
    assert () == await store.events(subject="mbx")
    assert () == await store.events(subject="mbx_")
    assert (second, third) == await store.events(since=NOON + MINUTE)


async def test_event_data_is_given_back_as_it_was(store):
    event = an_event(data={"databases": ["DB1"], "mailboxes": None}, before="Healthy", after="Degraded", actor="ana")

    (stored,) = await store.save_statuses([], [event])

    assert replace(event, id=stored.id) == (await store.events())[0]


async def test_a_canary_is_recorded_with_its_event(store):
    canary = Canary(uid_validity=1, uid=2, size=3, sha256="ab")

    await store.save_canary("DB1", canary, an_event(kind=EventKind.CANARY_RECORDED))

    assert {"DB1": canary} == await store.canaries()
    assert [EventKind.CANARY_RECORDED] == [event.kind for event in await store.events()]


async def test_tidying_deletes_what_is_past_its_own_time_in_slices(store):
    old, recent = NOON - timedelta(days=3), NOON - timedelta(days=1)
    await store.add_results([a_result(at=old), a_result(at=old), a_failure(at=old), a_result(at=recent)])
    await store.save_statuses([], [an_event(at=NOON - timedelta(days=400)), an_event(at=old)])

    deleted = []
    while not deleted or deleted[-1]:
        deleted.append(await store.tidy(now=NOON, retention=Retention(), slice_rows=2))

    assert [2, 1, 0] == deleted
    assert [False, True] == [result.result.is_failure for result in await store.results()]
    assert [old] == [event.at for event in await store.events()]


async def test_ids_of_deleted_events_are_not_used_again(store):
    (first,) = await store.save_statuses([], [an_event(at=NOON - timedelta(days=400))])
    await store.tidy(now=NOON, retention=Retention())

    (second,) = await store.save_statuses([], [an_event()])

    assert second.id > first.id


async def test_nothing_to_store_is_no_error(store):
    await store.add_results([])
    assert () == await store.save_statuses([], [])


async def test_the_stores_clock_is_the_one_it_was_given(store, clock):
    clock.advance(timedelta(hours=1))

    assert NOON + timedelta(hours=1) == await store.now()


async def test_a_store_in_reach_can_be_written_and_trying_leaves_no_trace(store):
    await store.check_writable()

    assert () == await store.results()
    assert () == await store.events()
