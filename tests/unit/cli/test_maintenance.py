"""`mailward maintenance`: work on a server, and what is held in place."""

import json
from datetime import timedelta

import pytest

from mailward.cli import held
from mailward.model.holds import Hold, HoldKind

HOUR = timedelta(hours=1)


@pytest.fixture
def fake(served):
    """A manager that holds nothing, at the present moment."""
    served.fake.now = held.now()
    served.fake.held = []
    return served.fake


def put(fake, kind=HoldKind.MAINTENANCE, subject="mbx2", **changes):
    number = len(fake.held) + 1
    since = changes.pop("since", fake.now)
    fake.held.append(
        Hold(id=number, kind=kind, subject=subject, value="on", owner="eva", reason="disks", since=since, **changes)
    )


def test_maintenance_begins_now_and_ends_by_itself(ask, fake):
    ran = ask("maintenance", "start", "mbx2", "--for", "2h", "--reason", "new disks")

    (kept,) = fake.held
    assert (0, "") == (ran.code, ran.err)
    assert (HoldKind.MAINTENANCE, "mbx2", "new disks", 2 * HOUR) == (
        kept.kind,
        kept.subject,
        kept.reason,
        kept.until - kept.since,
    )
    assert ran.out.startswith("mbx2 is in maintenance until ")
    assert "(hold 1)" in ran.out


def test_maintenance_can_be_scheduled(ask, fake):
    at = (fake.now + 5 * HOUR).replace(microsecond=0)

    ran = ask("maintenance", "start", "mbx2", "--at", at.isoformat(), "--for", "1h", "--reason", "disks")

    assert (at, at + HOUR) == (fake.held[0].since, fake.held[0].until)
    assert "mbx2 is in maintenance from " in ran.out


def test_a_time_of_day_is_the_next_one_in_the_readers_time_zone(ask, fake):
    soon = fake.now.astimezone() + HOUR
    ran = ask("maintenance", "start", "mbx2", "--until", f"{soon:%H:%M}", "--reason", "disks")

    assert 0 == ran.code
    assert (soon.hour, soon.minute) == (fake.held[0].until.astimezone().hour, fake.held[0].until.minute)
    assert timedelta(0) < fake.held[0].until - fake.now <= timedelta(days=1)


def test_maintenance_without_an_end_is_allowed_and_warned_of(ask, fake):
    ran = ask("maintenance", "start", "mbx2", "--reason", "disks")

    assert (0, 1) == (ran.code, len(fake.held))
    assert "it has no end: it stays until somebody takes it back" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--for", "2h", "--until", "22:00"), "give --for or --until, not both"),
        (("--until", "2020-01-01 10:00"), "it would end before it begins"),
        (("--until", "tomorrow"), "is no moment; write 22:30"),
        (("--for", "2"), "is not a duration"),
        (("--for", "0s"), "it would end before it begins"),
    ],
)
def test_an_end_that_cannot_be_is_refused(words, said, ask, fake):
    ran = ask("maintenance", "start", "mbx2", *words, "--reason", "disks")

    assert (3, []) == (ran.code, fake.held)
    assert said in ran.err


def test_stopping_ends_it_and_what_is_scheduled(ask, fake):
    put(fake)
    put(fake, since=fake.now + HOUR)
    put(fake, subject="proxy1")

    ran = ask("maintenance", "stop", "mbx2")

    assert (0, [True, True, False]) == (ran.code, [hold.ended_at is not None for hold in fake.held])
    assert "ended: mbx2 is in maintenance (hold 1, by eva: disks)" in ran.out


def test_stopping_what_is_not_is_said_and_fails(ask, fake):
    ran = ask("maintenance", "stop", "mbx2")

    assert (1, "mailward: mbx2 is not in maintenance, and none is scheduled\n") == (ran.code, ran.err)


@pytest.mark.parametrize("deed", [("start", "mbx2", "--reason", "r", "--for", "1h"), ("stop", "mbx2")])
def test_a_rehearsal_changes_nothing(deed, ask, fake):
    put(fake)
    before = list(fake.held)

    ran = ask("maintenance", *deed, "--dry-run")

    assert (0, before) == (ran.code, fake.held)
    assert "(--dry-run: would " in ran.out


def test_a_rehearsed_schedule_ends_nothing_that_is_in_force(ask, fake):
    put(fake)
    words = ("maintenance", "start", "mbx2", "--reason", "r", "--for", "1h", "--dry-run")

    assert "would end hold 1" in ask(*words).out
    assert "would end hold" not in ask(*words, "--at", (fake.now + HOUR).isoformat()).out


def test_the_list_shows_who_holds_what_until_when(ask, fake):
    put(fake, until=fake.now + HOUR)
    put(fake, HoldKind.PAUSE, "organization", since=fake.now + HOUR)
    put(fake, HoldKind.OVERRIDE, "mbx2/IMAP/X")

    lines = ask("maintenance", "list").out.splitlines()

    assert ["Id", "Held", "Subject", "Value", "State", "Since", "Until", "By", "Reason"] == lines[0].split()
    assert ["maintenance", "pause"] == [line.split()[1] for line in lines[2:]]
    assert "in force" in lines[2]
    assert "scheduled" in lines[3]
    assert "taken back" in lines[3]


def test_the_list_can_be_of_one_server_and_json(ask, fake):
    put(fake)
    put(fake, subject="proxy1")

    items = json.loads(ask("maintenance", "list", "mbx2", "--format", "json").out)["items"]

    assert [("mbx2", "eva", "disks")] == [(item["subject"], item["owner"], item["reason"]) for item in items]


def test_with_nothing_held_the_list_says_so(ask, fake):
    ran = ask("maintenance", "list")

    assert (0, "", "mailward: nothing is held\n") == (ran.code, ran.out, ran.err)


def test_an_upgrade_is_announced_for_an_hour(ask, fake):
    ran = ask("maintenance", "upgrade", "begin", "mbx2")

    (kept,) = fake.held
    assert (0, HoldKind.UPGRADE, "mbx2", HOUR) == (ran.code, kept.kind, kept.subject, kept.until - kept.since)
    assert "a package upgrade is at work on mbx2 until" in ran.out


def test_an_upgrade_is_ended_by_its_installer_alone(ask, fake):
    put(fake, HoldKind.UPGRADE, data={"by": "ansible"})
    put(fake, HoldKind.UPGRADE, data={"by": "apt"})
    put(fake, HoldKind.UPGRADE, subject="proxy1", data={"by": "apt"})

    ran = ask("maintenance", "upgrade", "end", "mbx2")

    assert (0, [False, True, False]) == (ran.code, [hold.ended_at is not None for hold in fake.held])


def test_ending_an_upgrade_that_nobody_announced_is_said_and_fails(ask, fake):
    ran = ask("maintenance", "upgrade", "end", "mbx2")

    assert (1, "mailward: apt has announced no upgrade of mbx2\n") == (ran.code, ran.err)


def test_an_upgrade_is_of_the_server_named_like_this_machine(ask, fake):
    import socket

    fake.server_names.append(socket.gethostname())

    assert 0 == ask("maintenance", "upgrade", "begin").code
    assert socket.gethostname() == fake.held[0].subject
