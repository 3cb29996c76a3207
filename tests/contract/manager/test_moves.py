"""
What every Manager does about copies of mailbox databases and orders to move them, whichever way the values travel.

There are DB1, active on mbx1 with a healthy copy on mbx2, and DB2, active on mbx2 with a healthy copy on mbx1 and a
failed one on archive1; proxy1 holds none.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.copies import CopyState
from mailward.model.errors import NotFound, Refused
from mailward.model.holds import Hold, HoldKind
from mailward.model.recovery import Answer, Gate, OperationStatus, StepOutcome
from mailward.testing.copy_values import COPIES
from mailward.testing.repair_values import NOON

LOOKS_MAX = 1000


async def over(manager, *numbers):
    """The story of the one operation of an order when it is over."""
    (number,) = numbers
    for _ in range(LOOKS_MAX):
        story = await manager.recovery(number)
        if story.operation.status.is_over:
            return story
    raise AssertionError(f"recovery {number} is not over after {LOOKS_MAX} looks")


async def active(manager) -> dict[str, str]:
    """Each database, and the server of its active copy."""
    return {row.database: row.server for row in await manager.copies() if row.state.is_active}


async def blocks(manager) -> list[str]:
    return [hold.subject for hold in await manager.holds() if hold.kind is HoldKind.ACTIVATION]


async def block(case, subject: str, **changes) -> Hold:
    hold = Hold(
        kind=HoldKind.ACTIVATION, subject=subject, value="blocked", owner="", reason="old disks", since=case.behind.now
    )
    return await case.manager.hold(replace(hold, **changes), actor="root")


async def test_copies_are_shown_to_the_last_field(case):
    assert COPIES == await case.manager.copies()


async def test_copies_can_be_had_by_server_and_database(case):
    of_server = await case.manager.copies(server="MBX2")
    of_both = await case.manager.copies(server="mbx2", database="db1")

    assert [("DB1", "mbx2"), ("DB2", "mbx2")] == [(row.database, row.server) for row in of_server]
    assert [("DB1", "mbx2")] == [(row.database, row.server) for row in of_both]
    assert () == await case.manager.copies(server="proxy1")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (lambda manager: manager.copies(server="mbx22"), "mbx22"),
        (lambda manager: manager.copies(database="DB9"), "DB9"),
        (lambda manager: manager.move_database("DB9", actor="root"), "DB9"),
        (lambda manager: manager.move_database("DB1", to="mbx22", actor="root"), "mbx22"),
        (lambda manager: manager.drain("mbx22", actor="root"), "mbx22"),
        (lambda manager: manager.undrain("mbx22", actor="root"), "mbx22"),
    ],
)
async def test_an_unknown_name_is_not_found_and_the_nearest_is_named(case, question, said):
    with pytest.raises(NotFound, match=f"'{said}'.*did you mean"):
        await question(case.manager)


async def test_a_rehearsal_shows_the_choice_and_the_command_and_moves_nothing(case):
    rehearsed = await case.manager.move_database("db2", actor="root", dry_run=True)

    (move,) = rehearsed.moves
    assert (True, ()) == (rehearsed.allowed, rehearsed.operations)
    assert ("DB2", "mbx2", "mbx1") == (move.database, move.source, move.target)
    assert [("mbx1", True), ("archive1", False)] == [(one.server, one.is_eligible) for one in move.choices]
    assert "No space left on device" in move.choices[1].because
    assert move.command
    assert {"DB1": "mbx1", "DB2": "mbx2"} == await active(case.manager)
    assert [] == case.behind.orders


async def test_a_move_returns_when_it_is_begun_and_is_over_when_its_recovery_is(case):
    begun = await case.manager.move_database("DB1", actor="root", reason="new disks")
    story = await over(case.manager, *begun.operations)

    assert begun.allowed
    assert OperationStatus.HEALED is story.operation.status
    assert ("DB1",) == story.operation.databases
    assert story.steps
    assert all(step.ended is not None for step in story.steps)
    assert {"DB1": "mbx2", "DB2": "mbx2"} == await active(case.manager)


async def test_the_command_of_the_rehearsal_is_the_command_that_is_run(case):
    (rehearsed,) = (await case.manager.move_database("DB1", actor="root", dry_run=True)).moves
    begun = await case.manager.move_database("DB1", actor="root")
    story = await over(case.manager, *begun.operations)

    assert (rehearsed.command,) == tuple(move.command for move in begun.moves)
    assert rehearsed.command in [step.command for step in story.steps]


async def test_a_move_to_a_named_server_goes_there_or_nowhere(case):
    named = await case.manager.move_database("DB2", to="MBX1", actor="root", dry_run=True)
    failed = await case.manager.move_database("DB2", to="archive1", actor="root")

    assert ["mbx1"] == [move.target for move in named.moves]
    assert (False, (), [None]) == (failed.allowed, failed.operations, [move.target for move in failed.moves])
    assert "archive1" in failed.because
    assert {"DB1": "mbx1", "DB2": "mbx2"} == await active(case.manager)


async def test_a_server_without_a_copy_is_refused_and_not_unknown(case):
    for question in (
        case.manager.move_database("DB1", to="archive1", actor="root"),
        case.manager.move_database("DB1", to="proxy1", actor="root"),
        case.manager.drain("proxy1", actor="root"),
    ):
        with pytest.raises(Refused) as caught:
            await question
        assert not isinstance(caught.value, NotFound)


async def test_where_no_copy_can_become_active_nothing_moves_and_every_reason_is_given(case):
    case.copy_is("DB2", "mbx1", CopyState.SERVICE_DOWN, "nothing listens on mbx1")

    refused = await case.manager.move_database("DB2", actor="root", force=True)

    assert (False, ()) == (refused.allowed, refused.operations)
    assert {"mbx1", "archive1"} == {choice.server for choice in refused.moves[0].choices}
    assert "nothing listens on mbx1" in refused.because
    assert "No space left on device" in refused.because


async def test_a_gate_that_advises_gives_way_to_force_and_no_other_does(case):
    case.gate_says(Gate.THROTTLE, Answer.WAITS, "moved 2 min ago")
    refused = await case.manager.move_database("DB1", actor="root")
    rehearsed = await case.manager.drain("mbx1", actor="root", dry_run=True)
    forced = await case.manager.move_database("DB1", actor="root", force=True)
    case.gate_says(Gate.LEASE, Answer.REFUSES, "another manager holds it")
    certain = await case.manager.drain("mbx2", actor="root", force=True)

    assert (False, ()) == (refused.allowed, refused.operations)
    assert "moved 2 min ago" in refused.because
    assert not rehearsed.allowed
    assert len(forced.operations) == 1
    assert (False, ()) == (certain.allowed, certain.operations)
    assert [(Gate.LEASE, Answer.REFUSES)] == [(one.gate, one.answer) for one in certain.answers]
    assert [] == await blocks(case.manager)


async def test_a_drained_server_is_left_by_every_active_copy_and_gets_none_back(case):
    begun = await case.manager.drain("MBX1", actor="root", reason="new disks")
    await over(case.manager, *begun.operations)

    assert ("mbx1", ["DB1"]) == (begun.server, [move.database for move in begun.moves])
    assert {"DB1": "mbx2", "DB2": "mbx2"} == await active(case.manager)
    assert ["mbx1"] == await blocks(case.manager)
    assert all(row.activation_blocked for row in await case.manager.copies(server="mbx1"))
    assert not (await case.manager.move_database("DB2", to="mbx1", actor="root", force=True)).allowed


async def test_a_rehearsal_of_a_drain_blocks_nothing(case):
    rehearsed = await case.manager.drain("mbx1", actor="root", dry_run=True)

    assert (True, (), ["DB1"]) == (
        rehearsed.allowed,
        rehearsed.operations,
        [move.database for move in rehearsed.moves],
    )
    assert [] == await blocks(case.manager)


async def test_a_server_that_is_no_longer_drained_may_get_copies_again_and_gets_none_unasked(case):
    await over(case.manager, *(await case.manager.drain("mbx1", actor="root")).operations)

    allowed = await case.manager.undrain("mbx1", actor="root")

    assert (True, (), ()) == (allowed.allowed, allowed.moves, allowed.operations)
    assert [] == await blocks(case.manager)
    assert {"DB1": "mbx2", "DB2": "mbx2"} == await active(case.manager)


async def test_moving_back_takes_those_that_prefer_the_server_and_no_others(case):
    await over(case.manager, *(await case.manager.drain("mbx1", actor="root")).operations)

    rehearsed = await case.manager.undrain("mbx1", actor="root", move_back=True, dry_run=True)
    assert ["mbx1"] == await blocks(case.manager)
    begun = await case.manager.undrain("mbx1", actor="root", move_back=True)
    await over(case.manager, *begun.operations)

    assert [("DB1", "mbx2", "mbx1")] == [(move.database, move.source, move.target) for move in begun.moves]
    assert [move.command for move in rehearsed.moves] == [move.command for move in begun.moves]
    assert {"DB1": "mbx1", "DB2": "mbx2"} == await active(case.manager)
    assert [] == await blocks(case.manager)


async def test_while_a_database_is_moved_or_a_server_emptied_a_second_order_is_refused(case):
    begun = await case.manager.move_database("DB1", actor="root")
    for dry_run in (True, False):
        with pytest.raises(Refused, match="another move of DB1 is under way"):
            await case.manager.move_database("DB1", actor="boris", dry_run=dry_run)
    await over(case.manager, *begun.operations)

    emptied = await case.manager.drain("mbx2", actor="root", force=True)
    for dry_run in (True, False):
        with pytest.raises(Refused, match="mbx2 is being emptied already"):
            await case.manager.drain("mbx2", actor="boris", dry_run=dry_run)
    await over(case.manager, *emptied.operations)


async def test_a_move_that_fails_ends_with_the_reason_and_leaves_the_active_copy(case):
    case.moves_fail("the map cannot be written: disk full")

    begun = await case.manager.move_database("DB1", actor="root")
    story = await over(case.manager, *begun.operations)

    assert OperationStatus.HEALED is not story.operation.status
    assert "disk full" in story.operation.because
    assert StepOutcome.FAILED in [step.outcome for step in story.steps]
    assert {"DB1": "mbx1", "DB2": "mbx2"} == await active(case.manager)


async def test_a_blocked_copy_says_who_blocks_it_and_is_not_chosen(case):
    held = await block(case, "mbx2/DB1")

    blocked = {(row.database, row.server): row.activation_blocked for row in await case.manager.copies()}
    refused = await case.manager.move_database("DB1", actor="root")

    assert ("mbx2/DB1", "blocked") == (held.subject, held.value)
    assert "old disks" in blocked.pop(("DB1", "mbx2"))
    assert {None} == set(blocked.values())
    assert not refused.allowed
    assert "old disks" in refused.because
    await case.manager.release(held.id, actor="root")
    assert (await case.manager.move_database("DB1", actor="root", dry_run=True)).allowed


async def test_a_whole_server_can_be_blocked_and_what_is_active_there_stays(case):
    await block(case, "mbx2")

    assert {"DB1", "DB2"} == {row.database for row in await case.manager.copies() if row.activation_blocked}
    assert {"DB1": "mbx1", "DB2": "mbx2"} == await active(case.manager)


async def test_a_block_of_the_server_and_one_of_its_copy_are_two(case):
    await block(case, "mbx2")
    await block(case, "mbx2/DB1")
    again = await block(case, "mbx2/DB1", reason="older disks", until=NOON + timedelta(hours=1))

    assert ["mbx2", "mbx2/DB1"] == await blocks(case.manager)
    assert again in await case.manager.holds(subject="mbx2")


async def test_what_is_no_copy_cannot_be_blocked(case):
    for subject, kind in (("mbx2/DB9", NotFound), ("archive1/DB1", Refused), ("proxy1", Refused)):
        with pytest.raises(kind):
            await block(case, subject)
