"""Orders to move databases: the choice is shown before the question, and the move is followed to its end."""

import io
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.cli import following, moving
from mailward.cli.moving import plan_lines
from mailward.cli.states import clock_text
from mailward.cli.terminal import Terminal
from mailward.model.copies import CopyChoice, CopyState, PlannedMove
from mailward.model.errors import TemporaryFailure
from mailward.model.holds import HoldKind
from mailward.model.recovery import Answer, Gate, GateAnswer, OperationStatus
from mailward.ports.manager import MoveIntention
from mailward.recovery.words import command_text
from mailward.testing.manager_values import STORIES
from mailward.testing.repair_values import NOON

ORDERS = [("database", "move", "DB2"), ("server", "drain", "mbx2"), ("server", "undrain", "mbx1", "--move-back")]
LEASED = GateAnswer(gate=Gate.LEASE, answer=Answer.PASSES, because="held")
THROTTLED = GateAnswer(gate=Gate.THROTTLE, answer=Answer.WAITS, because="moved 2 min ago")


class Tty(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(following, "LOOK_EVERY_SECONDS", 0)


@pytest.fixture
def fake(served):
    """DB1 is on mbx2, though it prefers mbx1, so that there is something to move back."""
    states = {("DB1", "mbx1"): CopyState.HEALTHY, ("DB1", "mbx2"): CopyState.MOUNTED}
    served.fake.copied = [
        replace(row, state=states.get((row.database, row.server), row.state)) for row in served.fake.copied
    ]
    return served.fake


def active(fake):
    return {row.database: row.server for row in fake.copied if row.state.is_active}


def test_a_move_shows_the_choice_follows_each_step_and_says_how_it_ended(ask, fake):
    ran = ask("database", "move", "DB2", "--yes", "--reason", "new disks")

    assert (0, "") == (ran.code, ran.err)
    assert (
        "DB2  mbx2 → mbx1\n"
        "  mbx2: it answers, and the database can be read there\n"
        "  ✓ mbx1: the copy is Healthy, preference 2\n"
        "  ✗ archive1: it is Failed: doveadm sync: No space left on device\n"
        "  $ mailmap switch DB2 mbx2 mbx1\n"
    ) in ran.out
    assert "move the mailbox databases away (mbx2): done, 800.0 ms" in ran.out
    assert "the users of DB2 are on mbx1" in ran.out
    assert "done after 800.0 ms: every database was moved; `mailward why " in ran.out
    assert [("move", "mbx2", "new disks")] == [order[1:] for order in fake.orders]
    assert "mbx1" == active(fake)["DB2"]


def test_each_step_of_a_drain_is_told_once_and_in_order(ask, fake):
    ran = ask("server", "drain", "mbx2", "--yes")

    assert 0 == ran.code
    assert 2 == ran.out.count("move the mailbox databases away (mbx2): done")
    assert ran.out.index("the users of DB1 are on mbx1") < ran.out.index("the users of DB2 are on mbx1")
    assert {"mbx1"} == set(active(fake).values())
    assert "mbx2" in [hold.subject for hold in fake.held if hold.kind is HoldKind.ACTIVATION]


@pytest.mark.parametrize("words", ORDERS)
def test_a_rehearsal_shows_the_same_and_does_nothing(ask, fake, words):
    fake.gates = (LEASED,)
    before = active(fake)

    rehearsed = ask(*words, "--dry-run")
    assert before == active(fake)
    assert [] == fake.orders
    done = ask(*words, "--yes")

    assert (0, 0) == (rehearsed.code, done.code)
    plan, _, rest = rehearsed.out.rpartition("(--dry-run: would ")
    assert "$ mailmap switch " in plan
    assert "✓ no objection: lease" in plan
    assert done.out.startswith(plan)
    assert rest.endswith("; nothing was done)\n")


@pytest.mark.parametrize("words", ORDERS)
def test_without_a_person_to_ask_nothing_is_moved(ask, fake, words):
    ran = ask(*words)

    assert (3, []) == (ran.code, fake.orders)
    assert "give --yes" in ran.err


@pytest.mark.parametrize("words", ORDERS)
@pytest.mark.parametrize(("said", "code", "orders"), [("y\n", 0, 1), ("n\n", 130, 0), ("\n", 130, 0)])
def test_on_a_terminal_the_question_comes_after_the_choice(ask, fake, monkeypatch, words, said, code, orders):
    monkeypatch.setattr(sys, "stdin", Tty(said))

    ran = ask(*words)

    assert (code, orders) == (ran.code, len(fake.orders))
    assert 1 == ran.out.count("DB1  mbx2 → mbx1") + ran.out.count("DB2  mbx2 → mbx1") - (words[1] == "drain")
    assert "? [y/N]" in ran.err


@pytest.mark.parametrize("words", ORDERS)
@pytest.mark.parametrize("more", [("--yes",), ("--dry-run",), ()])
def test_what_a_gate_stops_is_told_and_fails(ask, fake, words, more):
    fake.gates = (LEASED, THROTTLED)

    ran = ask(*words, *more)

    assert (1, "", []) == (ran.code, ran.err, fake.orders)
    assert "… throttle waits: moved 2 min ago" in ran.out
    assert "refused: the gate throttle says: moved 2 min ago" in ran.out


@pytest.mark.parametrize("words", ORDERS[:2])
def test_force_passes_a_gate_that_advises(ask, fake, words):
    fake.gates = (THROTTLED,)

    assert 0 == ask(*words, "--yes", "--force").code


def test_a_move_to_a_copy_that_cannot_become_active_says_why(ask, fake):
    ran = ask("database", "move", "db2", "--to", "archive1", "--yes")

    assert (1, []) == (ran.code, fake.orders)
    assert "DB2  stays on mbx2\n" in ran.out
    assert "  · mbx1 would do: the copy is Healthy, preference 2\n" in ran.out
    assert "refused: no copy can become active" in ran.out


def test_a_database_without_a_second_copy_says_so():
    move = PlannedMove(database="DB1", source="mbx1", target=None, because="there is no second copy")
    intention = MoveIntention(server="mbx1", moves=(move,), answers=(), allowed=False, because="there is none")

    lines = list(plan_lines(intention, Terminal(width=None, colours=False)))

    assert ["DB1  stays on mbx1", "  there is no second copy"] == lines


def test_a_statement_is_shown_as_it_reads_and_a_command_as_it_is_typed():
    assert "sql UPDATE d SET active = 'be2'" == command_text(("sql", "UPDATE", "d", "SET", "active", "=", "'be2'"))
    assert "mailmap switch 'my db'" == command_text(("mailmap", "switch", "my db"))


def test_a_long_reason_is_folded_below_its_mark():
    choice = CopyChoice(server="mbx2", is_eligible=False, because="it is Failed: " + "no space " * 20)
    move = PlannedMove(database="DB1", source="mbx1", target=None, because="none", choices=(choice,))
    intention = MoveIntention(server="mbx1", moves=(move,), answers=(), allowed=False, because="none")

    _, *lines = plan_lines(intention, Terminal(width=60, colours=False))

    assert max(map(len, lines)) <= 60
    assert {"  ✗ mb", "    no", "    sp"} >= {line[:6] for line in lines}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("database", "move", "DB9"), "there is no database 'DB9'; did you mean 'DB"),
        (("database", "move", "DB2", "--to", "mbx22"), "did you mean 'mbx2'?"),
        (("database", "move", "DB1", "--to", "archive1"), "archive1 holds no copy of DB1"),
        (("server", "drain", "proxy1"), "proxy1 holds no copy"),
        (("server", "undrain", "mbx22"), "did you mean 'mbx2'?"),
    ],
)
def test_what_cannot_be_is_one_sentence(ask, fake, words, said):
    ran = ask(*words, "--yes")

    assert (1, "", []) == (ran.code, ran.out, fake.orders)
    assert said in ran.err


def test_a_move_that_fails_ends_with_the_reason(ask, fake):
    fake.move_trouble = "the map cannot be written: disk full"

    ran = ask("database", "move", "DB2", "--yes")

    assert 1 == ran.code
    assert "move the mailbox databases away (mbx2): failed" in ran.out
    assert "escalated after 800.0 ms: the map cannot be written: disk full; `mailward why " in ran.out
    assert "mbx2" == active(fake)["DB2"]


def test_a_drain_that_leaves_a_database_behind_fails_and_names_it(ask, fake):
    fake.copied = [row for row in fake.copied if (row.database, row.server) != ("DB2", "mbx1")]

    ran = ask("server", "drain", "mbx2", "--yes")

    assert 1 == ran.code
    assert "DB2  stays on mbx2\n" in ran.out
    assert "escalated after 800.0 ms: DB2 stays: no copy can become active" in ran.out
    assert {"DB1": "mbx1", "DB2": "mbx2"} == active(fake)


@pytest.mark.parametrize("words", ORDERS)
def test_without_waiting_the_number_is_told_at_once(ask, fake, words):
    ran = ask(*words, "--yes", "--no-wait")

    (number,) = fake.unfolding
    assert (0, "") == (ran.code, ran.err)
    assert f"begun: every gate passes; `mailward recoveries show {number}` tells how it stands" in ran.out
    assert not fake.stories[number].operation.status.is_over


def test_a_server_may_get_copies_again_without_a_question_since_nothing_moves(ask, fake):
    ask("server", "drain", "mbx1", "--yes")

    ran = ask("server", "undrain", "mbx1")

    assert (0, "") == (ran.code, ran.err)
    assert "mbx1  no database is moved\nmbx1  ends the block by root: it is drained\n" in ran.out
    assert "done: every gate passes\n" in ran.out
    assert [] == [hold for hold in fake.held if hold.kind is HoldKind.ACTIVATION and hold.ended_at is None]


def test_ctrl_c_leaves_the_move_running_and_says_so(ask, fake, monkeypatch):
    def interrupted(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(following.time, "sleep", interrupted)
    unfold(fake, monkeypatch, lambda stories: [stories[0], stories[0]])

    ran = ask("database", "move", "DB2", "--yes")

    (number,) = fake.unfolding
    assert 130 == ran.code
    assert f"recovery {number} goes on without you: `mailward recoveries show {number}`" in ran.err
    assert "mailward: stopped" not in ran.err
    assert [] == fake.decisions


def test_ctrl_c_while_it_is_begun_says_where_to_look(capsys):
    def order(_rehearsal, _agreed):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.carry_out_move(order, "move it", dry_run=False, may_force=True, yes=True, wait=True)

    assert "`mailward recoveries --unfinished`" in capsys.readouterr().err


def test_a_manager_that_is_restarted_meanwhile_is_asked_again_and_said_once_to_be_silent(ask, fake, monkeypatch):
    silences = iter([False, True, True, False, True, False])
    real = fake.recovery

    async def recovery(number):
        if next(silences, False):
            raise TemporaryFailure("the store is locked\nlook at its disk")
        return await real(number)

    monkeypatch.setattr(fake, "recovery", recovery)

    ran = ask("database", "move", "DB2", "--yes")

    assert 0 == ran.code
    assert 2 == ran.err.count("mailward: the store is locked; it is asked again until it answers")
    assert "disk" not in ran.err
    assert 1 == ran.out.count("move the mailbox databases away (mbx2): done")


def test_what_a_move_waits_for_is_told_once(ask, fake, monkeypatch):
    def waiting(stories):
        story = stories[0]
        operation = replace(story.operation, status=OperationStatus.WAITING, because="sessions are leaving mbx2")
        waits = replace(story, operation=operation)
        later = replace(operation, wake_at=fake.now)
        return [waits, replace(waits, operation=later), *stories]

    unfold(fake, monkeypatch, waiting)

    ran = ask("database", "move", "DB2", "--yes")

    assert 0 == ran.code
    assert 1 == ran.out.count("waiting: sessions are leaving mbx2")


def unfold(fake, monkeypatch, change):
    """Let a move go on otherwise than it would."""
    real = fake.move_database

    async def move_database(*words, **more):
        intention = await real(*words, **more)
        for number in intention.operations:
            fake.unfolding[number] = change(fake.unfolding[number])
        return intention

    monkeypatch.setattr(fake, "move_database", move_database)


@pytest.mark.parametrize(
    ("words", "order"),
    [(("server", "drain", "mbx2"), "drain"), (("server", "undrain", "mbx1", "--move-back"), "undrain")],
)
@pytest.mark.parametrize("changes", [{"target": "mbx9"}, {"source_because": "it hangs; the move is forced"}])
def test_a_choice_that_changed_after_the_yes_is_shown(ask, fake, monkeypatch, words, order, changes):
    monkeypatch.setattr(sys, "stdin", Tty("y\n"))
    real = getattr(fake, order)

    async def ordered(*words, dry_run, **more):
        intention = await real(*words, dry_run=dry_run, **more)
        otherwise = replace(intention.moves[0], **changes)
        return replace(intention, moves=(otherwise, *intention.moves[1:])) if dry_run else intention

    monkeypatch.setattr(fake, order, ordered)

    ran = ask(*words)

    (shown,) = changes.values()
    assert 0 == ran.code
    assert "the choice has changed meanwhile" in ran.err
    assert ran.out.index(shown) < ran.out.index("DB1  mbx2 → mbx1\n  mbx2: it answers")


@pytest.mark.parametrize(
    "words", [("database", "move", "DB1"), ("server", "drain", "mbx2"), ("server", "undrain", "mbx1", "--move-back")]
)
def test_a_yes_to_a_planned_move_is_none_to_a_forced_one(ask, fake, monkeypatch, words):
    class FailsMeanwhile(Tty):
        def readline(self, *most):
            fake.must_force, fake.source_because = True, "it hangs by now"
            return super().readline(*most)

    monkeypatch.setattr(sys, "stdin", FailsMeanwhile("y\n"))

    ran = ask(*words)

    assert 1 == ran.code
    assert "would have to be moved by force now: it hangs by now" in ran.err
    assert [] == fake.orders


def test_ctrl_c_names_every_recovery_that_goes_on():
    assert "recoveries 7, 9 go on without you: `mailward recoveries show ID`" in following._go_on_without_you((7, 9))


def test_what_is_ordered_is_what_was_shown_before_the_yes(ask, fake, monkeypatch):
    """Another copy may be the best one by then; the yes was to this one."""
    monkeypatch.setattr(sys, "stdin", Tty("y\n"))
    asked = []
    real = fake.move_database

    async def move_database(*words, to, dry_run, **more):
        asked.append((to, dry_run))
        return await real(*words, to=to, dry_run=dry_run, **more)

    monkeypatch.setattr(fake, "move_database", move_database)

    assert 0 == ask("database", "move", "DB2").code
    assert [(None, True), ("mbx1", False)] == asked


def test_without_a_question_the_manager_chooses(ask, fake, monkeypatch):
    asked = []
    real = fake.move_database

    async def move_database(*words, to, **more):
        asked.append(to)
        return await real(*words, to=to, **more)

    monkeypatch.setattr(fake, "move_database", move_database)

    assert 0 == ask("database", "move", "DB2", "--yes").code
    assert [None] == asked


def test_a_plan_says_how_the_server_is_that_is_left(ask, fake):
    fake.source_because = "its service hangs; the move is forced; mbx2 is fenced first"

    ran = ask("database", "move", "DB2", "--dry-run")

    assert "DB2  mbx2 → mbx1\n  mbx2: its service hangs; the move is forced; mbx2 is fenced first\n" in ran.out


@pytest.mark.parametrize("words", ORDERS)
def test_a_refusal_that_force_would_pass_says_so_where_there_is_force(ask, fake, words):
    fake.gates = (LEASED, THROTTLED)

    ran = ask(*words, "--yes")

    assert (words[1] != "undrain") == ("moved 2 min ago; --force passes it\n" in ran.out)


def test_force_is_not_offered_where_it_helps_nothing(ask, fake):
    fake.gates = (THROTTLED,)
    nowhere = ask("database", "move", "DB2", "--to", "archive1", "--yes")
    fake.gates = (THROTTLED, GateAnswer(gate=Gate.LEASE, answer=Answer.REFUSES, because="another manager holds it"))
    other = ask("server", "drain", "mbx2", "--yes")

    assert (1, 1) == (nowhere.code, other.code)
    assert "--force" not in nowhere.out + other.out


def stay(fake, database, server):
    """Let a copy be one that cannot become active."""
    fake.copied = [
        replace(row, state=CopyState.FAILED) if (row.database, row.server) == (database, server) else row
        for row in fake.copied
    ]


def both_prefer(fake, server):
    fake.copied = [replace(row, preference=1 if row.server == server else 2) for row in fake.copied]


@pytest.mark.parametrize("more", [("--dry-run",), ("--yes",), ("--yes", "--no-wait")])
def test_what_cannot_come_back_makes_the_order_fail_and_the_others_come(ask, fake, more):
    both_prefer(fake, "mbx1")
    stay(fake, "DB1", "mbx1")

    ran = ask("server", "undrain", "mbx1", "--move-back", *more)

    assert 1 == ran.code
    assert "DB1  stays on mbx2\n" in ran.out
    assert "mailward: not everything goes where it should: DB1 stays\n" == ran.err
    assert ("--dry-run" in more) == ([] == fake.orders)
    assert [("DB2",)] == [fake.stories[number].operation.databases for number in fake.unfolding] or not fake.orders


def test_two_that_come_back_are_followed_one_after_the_other(ask, fake):
    both_prefer(fake, "mbx1")

    ran = ask("server", "undrain", "mbx1", "--move-back", "--yes")

    assert (0, 2) == (ran.code, ran.out.count("every database was moved"))
    assert {"mbx1"} == set(active(fake).values())


def test_a_rehearsal_of_a_drain_that_leaves_a_database_behind_fails_too(ask, fake):
    stay(fake, "DB2", "mbx1")

    ran = ask("server", "drain", "mbx2", "--dry-run")

    assert (1, []) == (ran.code, fake.orders)
    assert "nothing was done" in ran.out
    assert "DB2 stays" in ran.err


def test_whoever_follows_a_move_sees_how_far_its_step_has_come():
    step = replace(STORIES[0].steps[-1], ended=None, outcome=None, intent="synchronise the mailboxes")
    story = replace(STORIES[0], steps=(step,), progress="412 of 1,004 mailboxes are copied")

    assert "synchronise the mailboxes: 412 of 1,004 mailboxes are copied" == following._doing(story, 1)
    assert "synchronise the mailboxes" == following._doing(replace(story, progress=""), 1)


def test_what_is_waited_for_fits_the_terminal_and_says_when_it_goes_on():
    now = NOON
    operation = replace(
        STORIES[0].operation,
        status=OperationStatus.WAITING,
        because="throttle: the last move on mbx2 was 29 s ago; 30 min must lie between two moves away from a server",
        wake_at=now + timedelta(minutes=30),
    )

    lines = list(following._waiting(operation, now, Terminal(width=60, colours=False)))
    soon = list(following._waiting(replace(operation, wake_at=now), now, Terminal(width=None, colours=False)))

    assert max(map(len, lines)) <= 60
    assert {" " * 10} == {line[:10] for line in lines[1:]}
    assert f"(it goes on {clock_text(now + timedelta(minutes=30))})" in " ".join(" ".join(lines).split())
    assert "goes on" not in "".join(soon)
