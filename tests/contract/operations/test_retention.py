"""What is past its time, and what lives longer because a recovery refers to it: every implementation alike."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mailward.model.probing import ProbeResult, ResultType
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Gate,
    GateAnswer,
    Mode,
    Operation,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.ports.operations import TRANSCRIPT_OF, reference_to, results_referred_to
from mailward.ports.store import Retention
from mailward.testing.platform import NOON

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LINES = ("C: p1 LOGIN probe ****", "S: p1 NO [UNAVAILABLE] down")


def a_failure(at: datetime = NOON, target: str = "DB1", **changes: object) -> ProbeResult:
    fields: dict[str, object] = {
        "probe": "ImapDeepTestProbe",
        "health_set": "IMAP.Protocol",
        "server": "be1",
        "target": target,
        "at": at,
        "took": SECOND,
        "result": ResultType.FAILED,
        "transcript": LINES,
    }
    return ProbeResult(**{**fields, **changes})  # type: ignore[arg-type]


def a_step(operation: Operation, seq: int = 1, **changes: object) -> Step:
    fields: dict[str, object] = {
        "operation": operation.id,
        "seq": seq,
        "place": 0,
        "name": StepName.RE_PROBE,
        "server": "be1",
        "started": NOON,
        "ended": NOON + SECOND,
        "outcome": StepOutcome.DONE,
        "action": ActionClass.RESTART,
    }
    return Step(**{**fields, **changes})  # type: ignore[arg-type]


async def recovered(place, held, target="be1", *, status=OperationStatus.HEALED, steps=1, **evidence) -> Operation:
    """A recovery that began at noon, with steps and an answer for each."""
    operation = await place.operations.begin(
        Operation(
            kind=OperationKind.MAILBOX_SERVER,
            target=target,
            server=target,
            mode=Mode.ACT,
            status=OperationStatus.RUNNING,
            because="the rule broke",
            started_at=NOON,
        ),
        [],
        held=held,
    )
    taken = [a_step(operation, seq, evidence=evidence) for seq in range(1, steps + 1)]
    given = [GateAnswer(gate=Gate.MODE, answer=Answer.PASSES, because="act", seq=step.seq) for step in taken]
    ended = NOON + SECOND if status.is_over else None
    await place.operations.save(
        replace(operation, status=status, ended_at=ended), held=held, steps=taken, answers=given
    )
    return operation


async def tidied(place, now: datetime, slice_rows: int = 5000) -> list[int]:
    deleted = []
    while not deleted or deleted[-1]:
        deleted.append(await place.store.tidy(now=now, retention=Retention(), slice_rows=slice_rows))
    return deleted


async def counts(place, operation: Operation) -> tuple[int, int]:
    return len(await place.operations.steps(operation.id)), len(await place.operations.answers(operation.id))


async def test_a_recovery_is_kept_for_a_year_with_its_steps_and_answers(place, held):
    operation = await recovered(place, held)
    await tidied(place, NOON + SECOND + 365 * DAY)
    assert ((1, 1), 1) == (await counts(place, operation), len(await place.operations.operations()))

    await tidied(place, NOON + 2 * SECOND + 365 * DAY)

    assert ((0, 0), ()) == (await counts(place, operation), await place.operations.operations())


@pytest.mark.parametrize("status", [status for status in OperationStatus if not status.is_over])
async def test_a_recovery_that_is_not_over_is_kept_however_old(place, held, status):
    operation = await recovered(place, held, status=status)

    await tidied(place, NOON + 1000 * DAY)

    assert ((1, 1), 1) == (await counts(place, operation), len(await place.operations.open()))


async def test_however_short_the_retention_throttles_find_what_was_done(place, held):
    operation = await recovered(place, held)
    retention = Retention(operations=timedelta(0))

    await place.store.tidy(now=NOON + 8 * DAY, retention=retention)
    assert (1, 1) == await counts(place, operation)
    await place.store.tidy(now=NOON + 8 * DAY + 2 * SECOND, retention=retention)

    assert (0, 0) == await counts(place, operation)


async def test_recoveries_are_deleted_in_slices_whatever_refers_to_them_first(place, held):
    await recovered(place, held, "be1", steps=3)
    await recovered(place, held, "be2", steps=2)

    deleted = []
    while not deleted or deleted[-1]:
        deleted += await tidied_once(place)
        for operation in await place.operations.operations():
            steps, answers = await counts(place, operation)
            assert steps >= answers
    assert [4, 4, 4, 0] == deleted


async def tidied_once(place) -> list[int]:
    return [await place.store.tidy(now=NOON + 400 * DAY, retention=Retention(), slice_rows=4)]


async def test_a_failure_that_a_recovery_refers_to_lives_as_long_as_it_with_its_transcript(place, held):
    kept, other = a_failure(), a_failure(NOON + SECOND)
    await place.store.add_results([kept, other])
    await recovered(place, held, **{TRANSCRIPT_OF: [reference_to(kept)]})

    await tidied(place, NOON + 31 * DAY)
    assert (kept,) == await place.store.results()
    await place.restart()
    await tidied(place, NOON + 365 * DAY)
    assert (kept,) == await place.store.results()

    await tidied(place, NOON + 366 * DAY)
    assert () == await place.store.results()


async def test_it_does_not_matter_which_is_stored_first(place, held):
    kept = a_failure(NOON + timedelta(milliseconds=7))
    await recovered(place, held, **{TRANSCRIPT_OF: reference_to(kept)})
    await place.store.add_results([kept])

    await tidied(place, NOON + 31 * DAY)

    assert (kept,) == await place.store.results()


async def test_what_two_recoveries_refer_to_lives_as_long_as_the_longer(place, held):
    kept = a_failure()
    await place.store.add_results([kept])
    await recovered(place, held, "be1", **{TRANSCRIPT_OF: [reference_to(kept)]})
    await recovered(
        place, held, "be2", status=OperationStatus.WAITING, **{TRANSCRIPT_OF: [reference_to(kept), reference_to(kept)]}
    )

    await tidied(place, NOON + 400 * DAY)

    assert (kept,) == await place.store.results()


async def test_a_healthy_result_is_not_kept_for_being_referred_to(place, held):
    healthy = a_failure(result=ResultType.SUCCEEDED, transcript=())
    await place.store.add_results([healthy])
    await recovered(place, held, **{TRANSCRIPT_OF: [reference_to(healthy)]})

    await tidied(place, NOON + 3 * DAY)

    assert () == await place.store.results()


@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        (),
        7,
        ["a", "b", "c"],
        ["a", "b", "c", "yesterday"],
        ["a", "b", "c", "2026-11-24T12:00:00"],
        ["a", "b", "c", 4],
        [["a"], 3, None],
        {"a": 1},
    ],
)
async def test_evidence_that_names_no_result_is_stored_and_keeps_none(place, held, said):
    operation = await recovered(place, held, **{TRANSCRIPT_OF: said})

    (step,) = await place.operations.steps(operation.id)
    assert () == results_referred_to(step)


async def test_references_are_read_one_or_many(place, held):
    one, two = a_failure(), a_failure(target="DB2")
    operation = await recovered(place, held, steps=1, **{TRANSCRIPT_OF: [reference_to(one), ["?"], reference_to(two)]})

    (step,) = await place.operations.steps(operation.id)

    assert (("ImapDeepTestProbe", "be1", "DB1", NOON), ("ImapDeepTestProbe", "be1", "DB2", NOON)) == (
        results_referred_to(step)
    )
