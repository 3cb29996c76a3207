"""`mailward activation`: which copies may become active."""

from datetime import timedelta

import pytest

from mailward.cli import held
from mailward.model.holds import Hold, HoldKind


@pytest.fixture
def fake(served):
    served.fake.now = held.now()
    served.fake.held = []
    return served.fake


def put(fake, *subjects):
    for number, subject in enumerate(subjects, start=1):
        fake.held.append(
            Hold(
                id=number,
                kind=HoldKind.ACTIVATION,
                subject=subject,
                value="blocked",
                owner="eva",
                reason="old disks",
                since=fake.now,
            )
        )


def test_a_server_is_blocked_for_a_while_with_a_reason(ask, fake):
    ran = ask("activation", "block", "MBX2", "--reason", "old disks", "--for", "2h")

    (kept,) = fake.held
    assert (0, "") == (ran.code, ran.err)
    assert (HoldKind.ACTIVATION, "mbx2", "blocked") == (kept.kind, kept.subject, kept.value)
    assert timedelta(hours=2) == kept.until - kept.since
    assert "activation of copies on mbx2 is blocked until " in ran.out


def test_one_copy_is_blocked_by_any_spelling_and_a_block_without_an_end_is_a_concern(ask, fake):
    ran = ask("activation", "block", "MBX2", "db1", "--reason", "old disks")

    assert (0, "mbx2/DB1") == (ran.code, fake.held[0].subject)
    assert "activation of the copy of DB1 on mbx2 is blocked until it is taken back (hold 1)" in ran.out
    assert "it has no end" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("archive1", "DB1"), "archive1 holds no copy of DB1; `mailward copies --database DB1` shows where they are"),
        (("mbx2", "DB9"), "there is no database 'DB9'"),
        (("mbx22",), "did you mean 'mbx2'?"),
        (("proxy1",), "proxy1 holds no copy"),
    ],
)
def test_what_is_no_copy_is_not_blocked(ask, fake, words, said):
    ran = ask("activation", "block", *words, "--reason", "r")

    assert (1, "", []) == (ran.code, ran.out, fake.held)
    assert said in ran.err


def test_a_reason_must_be_given(ask, fake):
    assert 3 == ask("activation", "block", "mbx2").code
    assert [] == fake.held


def test_blocking_again_replaces_the_block_and_a_rehearsal_says_so(ask, fake):
    put(fake, "mbx2", "mbx2/DB1")

    rehearsed = ask("activation", "block", "mbx2", "--reason", "older disks", "--for", "1h", "--dry-run")
    assert 2 == len(fake.held)
    fake.now = held.now() + timedelta(minutes=1)
    ask("activation", "block", "mbx2", "--reason", "older disks", "--for", "1h")

    assert "would say that activation of copies on mbx2 is blocked until " in rehearsed.out
    assert "would end hold 1 by eva: old disks" in rehearsed.out
    assert "hold 2" not in rehearsed.out
    assert [True, False, False] == [hold.ended_at is not None for hold in fake.held]


def test_a_block_is_shown_among_what_is_held(ask, fake):
    put(fake, "mbx2/DB1")

    assert ["1", "activation", "mbx2/DB1", "blocked"] == ask("maintenance", "list").out.splitlines()[2].split()[:4]


def test_allowing_a_server_ends_its_block_and_names_the_copies_that_stay_blocked(ask, fake):
    put(fake, "mbx2", "mbx2/DB1")

    ran = ask("activation", "allow", "MBX2")

    assert (0, [True, False]) == (ran.code, [hold.ended_at is not None for hold in fake.held])
    assert "ended: activation of copies on mbx2 is blocked (hold 1, by eva: old disks)" in ran.out
    assert "mailward: mbx2/DB1 stays blocked by eva: old disks" in ran.err


def test_allowing_a_copy_says_that_the_whole_server_stays_blocked(ask, fake):
    put(fake, "mbx2", "mbx2/DB1", "mbx2/DB2")

    ran = ask("activation", "allow", "mbx2", "db1")

    assert (0, [False, True, False]) == (ran.code, [hold.ended_at is not None for hold in fake.held])
    assert "mailward: mbx2 stays blocked by eva: old disks\n" == ran.err


def test_allowing_what_is_not_blocked_fails_and_names_what_is(ask, fake):
    assert "mailward: activation of mbx2 is not blocked\n" == ask("activation", "allow", "mbx2").err
    put(fake, "mbx2/DB1")

    ran = ask("activation", "allow", "mbx2")

    assert (1, "mailward: activation of mbx2 is not blocked; blocked are mbx2/DB1\n") == (
        ran.code,
        ran.err.partition("mailward: mbx2/DB1 stays")[0],
    )


def test_a_rehearsal_allows_nothing(ask, fake):
    put(fake, "mbx2")

    ran = ask("activation", "allow", "mbx2", "--dry-run")

    assert (0, None) == (ran.code, fake.held[0].ended_at)
    assert "would end: activation of copies on mbx2 is blocked" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mbx2", "DB9"), "there is no database 'DB9'; did you mean 'DB"),
        (("archive1", "DB1"), "archive1 holds no copy of DB1"),
    ],
)
def test_a_copy_that_does_not_exist_is_not_called_allowed(ask, fake, words, said):
    ran = ask("activation", "allow", *words)

    assert (1, "") == (ran.code, ran.out)
    assert said in ran.err


def test_a_block_that_outlasts_its_copy_can_be_ended(ask, fake):
    put(fake, "mbx2/DB7")

    assert 0 == ask("activation", "allow", "mbx2", "DB7").code
