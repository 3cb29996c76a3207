"""Planned moves: nothing is lost, nothing is doubled by us, nobody waits for more than a second."""

from mailward.model.event import EventKind
from mailward.model.recovery import OperationStatus, StepName, StepOutcome

from .conftest import DB1_USERS, Movable, at_work, counted

INTERRUPTED_AT_MOST_S = 3.0
"""Asserted generously: a machine that runs tests is not measured by them. `benchmarks/moves.py` measures."""


def test_a_planned_move_loses_nothing_and_doubles_nothing(movable: Movable) -> None:
    with at_work(movable.lab) as traffic:
        rehearsed = movable.client.move_database("DB1", dry_run=True)
        story = movable.finished(movable.client.move_database("DB1", reason="trial"))
        assert () == traffic.look(movable.lab.blueprint.host("be2")), "it is called done when everything is there"
        assert traffic.every_writer_is_served("be2", seconds=60), movable.told()

    account = counted(movable.lab, traffic, "be2")
    assert {} == traffic.written_on_both("be1", "be2")
    assert OperationStatus.HEALED is story.operation.status, movable.told()
    assert story.operation.because.endswith("through proxy1, proxy2, and mail is delivered")
    assert ((), (), ()) == (account.lost, account.doubled, account.late)
    assert account.acknowledged > len(DB1_USERS)
    assert max(traffic.gaps.values()) < INTERRUPTED_AT_MOST_S, traffic.gaps
    assert "be2" == rehearsed.moves[0].target
    switched = next(step for step in story.steps if step.name is StepName.SWITCH_OVER)
    assert rehearsed.moves[0].command == switched.command, "the words of a rehearsal are the words that are run"
    assert movable.active() == {"DB1": "be2", "DB2": "be1", "DB3": "be2", "DB4": "be2"}
    told = movable.client.events(kinds=[EventKind.ACTIVE_COPY_CHANGED])
    assert [("DB1", "be1", "be2")] == [(event.subject, event.before, event.after) for event in told]


def test_a_server_is_emptied_and_filled_again(movable: Movable) -> None:
    with at_work(movable.lab, ("anna", "dora", "gustav")) as traffic:
        story = movable.finished(movable.client.drain("be1", reason="new kernel"))
        assert OperationStatus.HEALED is story.operation.status, movable.told()
        assert set(movable.active().values()) == {"be2"}
        refused = movable.client.move_database("DB1", to="be1", dry_run=True)
        assert not refused.allowed, "its activation is blocked"
        assert "blocked" in refused.because

        back = movable.client.undrain("be1", reason="done", move_back=True)
        assert ["be1", "be1"] == [move.target for move in back.moves], [move.because for move in back.moves]
        movable.until(lambda: sorted(movable.active().values()) == ["be1", "be1", "be2", "be2"], seconds=180)

    for user, home in (("anna", "be1"), ("dora", "be1"), ("gustav", "be2")):
        account = counted(movable.lab, traffic, home) if user == "anna" else None
        assert account is None or not set(account.lost) & {token for token in account.lost if token.endswith(user)}
    proven = next(step for step in story.steps if step.name is StepName.PROVE_EMPTY)
    assert StepOutcome.DONE is proven.outcome


def test_what_somebody_else_writes_into_the_map_is_followed_and_told(movable: Movable) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(movable.lab.blueprint.map_file)) as connection, connection:
        connection.execute("UPDATE databases SET active = 'be2' WHERE name = 'DB2'")

    movable.until(lambda: movable.active()["DB2"] == "be2")
    told = movable.client.events(kinds=[EventKind.ACTIVE_COPY_CHANGED])
    assert "mailward did not do that" in told[-1].because
