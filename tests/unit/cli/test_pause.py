"""`mailward pause` and `mailward resume`."""

import pytest

from mailward.cli import held
from mailward.model.holds import Hold, HoldKind


@pytest.fixture
def fake(served):
    served.fake.now = held.now()
    served.fake.held = []
    return served.fake


def put(fake, *subjects):
    for subject in subjects:
        number = len(fake.held) + 1
        fake.held.append(
            Hold(
                id=number, kind=HoldKind.PAUSE, subject=subject, value="on", owner="eva", reason="fire", since=fake.now
            )
        )


def test_without_a_server_the_organization_is_paused_and_a_person_is_told_what_that_means(ask, fake):
    ran = ask("pause", "--reason", "fire", "--for", "1h")

    assert (0, "organization", HoldKind.PAUSE) == (ran.code, fake.held[0].subject, fake.held[0].kind)
    assert "actions are paused everywhere until" in ran.out
    assert "no action is taken on any server meanwhile; watching and alerting go on" in ran.err


def test_one_server_is_paused_by_any_of_its_names(ask, fake):
    ran = ask("pause", "MBX2", "--reason", "fire", "--for", "1h")

    assert (0, "mbx2", "") == (ran.code, fake.held[0].subject, ran.err)


def test_resuming_ends_the_pause_that_is_meant_and_names_what_stays_paused(ask, fake):
    put(fake, "organization", "mbx2")

    ran = ask("resume")

    assert (0, [True, False]) == (ran.code, [hold.ended_at is not None for hold in fake.held])
    assert "mailward: mbx2 stays paused by eva: fire" in ran.err


def test_resuming_a_server_that_the_organization_pauses_says_so(ask, fake):
    put(fake, "organization")

    ran = ask("resume", "mbx2")

    assert (1, "mailward: actions are not paused for mbx2; paused are organization\n") == (ran.code, ran.err)


def test_resuming_what_is_not_paused_fails(ask, fake):
    ran = ask("resume")

    assert (1, "mailward: actions are not paused for the organization\n") == (ran.code, ran.err)


def test_a_rehearsal_changes_nothing(ask, fake):
    put(fake, "organization")
    before = list(fake.held)

    paused = ask("pause", "--reason", "fire", "--dry-run")
    resumed = ask("resume", "--dry-run")

    assert before == fake.held
    assert (0, 0) == (paused.code, resumed.code)
    assert "would say that actions are paused everywhere" in paused.out
    assert "would end: actions are paused everywhere" in resumed.out


def test_an_unknown_server_is_told_with_the_nearest(ask, fake):
    for words in (("pause", "mbx22", "--reason", "r"), ("resume", "mbx22")):
        ran = ask(*words)
        assert 1 == ran.code
        assert "did you mean 'mbx2'" in ran.err
    assert [] == fake.held
