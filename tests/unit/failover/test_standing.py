"""How a copy stands, in Exchange's words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailward.failover.settings import MoveSettings
from mailward.failover.standing import (
    Around,
    Replicated,
    ReplicationSeen,
    ServerSeen,
    copy_of,
    replicated,
    replication_of,
    with_runs_of,
)
from mailward.model.copies import CopyKind, CopyState, MailboxSync

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVES = ServerSeen(serves=True, because="its self test succeeds")
DOWN = ServerSeen(serves=False, because="its service ended")
UNSEEN = ServerSeen(serves=None, because="nobody looked")
PASSIVE = Around(
    kind=CopyKind.REPLICATOR,
    is_active=False,
    preference=2,
    server=SERVES,
    active=SERVES,
    replication=ReplicationSeen(lag=timedelta(0), mailboxes=4),
    followed=True,
    canary=True,
)
ACTIVE = replace(PASSIVE, is_active=True, preference=1)
S = CopyState


def a_sync(name: str, *, waiting: bool = False, failed: bool = False, ago: float | None = 0) -> MailboxSync:
    last = None if ago is None else timedelta(seconds=ago)
    return MailboxSync(mailbox=name, is_waiting=waiting, has_failed=failed, last_success=last)


@pytest.mark.parametrize(
    ("around", "state"),
    [
        (ACTIVE, S.MOUNTED),
        (replace(ACTIVE, server=UNSEEN), S.MOUNTED),
        (replace(ACTIVE, server=DOWN), S.DISMOUNTED),
        (replace(ACTIVE, canary=False, canary_because="it is gone"), S.DISMOUNTED),
        (PASSIVE, S.HEALTHY),
        (replace(PASSIVE, canary=None), S.HEALTHY),
        (replace(PASSIVE, kind=None), S.UNKNOWN),
        (replace(PASSIVE, server=DOWN), S.SERVICE_DOWN),
        (replace(PASSIVE, canary=False, canary_because="it is gone"), S.FAILED),
        (replace(PASSIVE, must_catch_up="left behind"), S.RESYNCHRONIZING),
        (replace(PASSIVE, kind=CopyKind.SHARED_STORAGE, active=DOWN), S.HEALTHY),
        (replace(PASSIVE, active=DOWN), S.DISCONNECTED_AND_HEALTHY),
        (replace(PASSIVE, active=DOWN, followed=False), S.DISCONNECTED_AND_RESYNCHRONIZING),
        (replace(PASSIVE, active=DOWN, followed=None), S.UNKNOWN),
        (replace(PASSIVE, replication=ReplicationSeen(unseen="no doveadm")), S.DISCONNECTED_AND_HEALTHY),
        (replace(PASSIVE, replication=ReplicationSeen(unseen="no doveadm"), followed=None), S.UNKNOWN),
        (replace(PASSIVE, replication=ReplicationSeen(never=1, mailboxes=4)), S.INITIALIZING),
        (replace(PASSIVE, replication=ReplicationSeen(waiting=2, lag=timedelta(seconds=5), mailboxes=4)), S.HEALTHY),
        (
            replace(PASSIVE, replication=ReplicationSeen(waiting=2, lag=timedelta(hours=1), mailboxes=4)),
            S.RESYNCHRONIZING,
        ),
        (replace(PASSIVE, replication=ReplicationSeen(failed=1, lag=timedelta(seconds=5), mailboxes=4)), S.HEALTHY),
        (replace(PASSIVE, replication=ReplicationSeen(failed=1, lag=timedelta(hours=1), mailboxes=4)), S.FAILED),
    ],
)
def test_what_is_seen_says_how_it_stands(around, state):
    copy = copy_of("DB1", "be2", around, settings=MoveSettings(), now=NOW)

    assert state is copy.state, copy.because
    assert copy.because
    assert state.is_active == around.is_active


def a_look(*syncs: MailboxSync, after: float = 0, before: Replicated | None = None) -> Replicated:
    """What the replicator said, that many seconds after NOW."""
    return replicated({one.mailbox: one for one in syncs}, at=NOW + timedelta(seconds=after), before=before)


def lag_of(*syncs: MailboxSync, after: float = 0, before: Replicated | None = None) -> float | None:
    lag = replication_of([one.mailbox for one in syncs], a_look(*syncs, after=after, before=before)).lag
    return None if lag is None else lag.total_seconds()


def test_the_lag_is_that_of_the_mailbox_that_lacks_most():
    syncs = [a_sync("anna", waiting=True, ago=3), a_sync("boris", failed=True, ago=40), a_sync("carla", ago=4000)]

    seen = replication_of(["anna", "boris", "carla"], a_look(*syncs))

    assert (1, 1, 0, timedelta(seconds=40)) == (seen.waiting, seen.failed, seen.never, seen.lag)


def test_what_nobody_waits_for_lacks_nothing_however_long_ago_it_was():
    assert 0 == lag_of(a_sync("anna", ago=90000))


def test_a_quiet_mailbox_that_gets_mail_lacks_no_more_than_since_it_was_last_seen_to_lack_nothing():
    quiet = a_look(a_sync("anna", ago=4000))

    assert 2 == lag_of(a_sync("anna", waiting=True, ago=4002), after=2, before=quiet)
    assert 4002 == lag_of(a_sync("anna", waiting=True, ago=4002), after=2), "with no look before nobody knows"


def test_what_lacks_something_goes_on_lacking_it_until_it_is_copied():
    quiet = a_look(a_sync("anna", ago=4000))
    first = a_look(a_sync("anna", failed=True, ago=4002), after=2, before=quiet)

    assert 62 == lag_of(a_sync("anna", failed=True, ago=4062), after=62, before=first)
    assert 1 == lag_of(a_sync("anna", waiting=True, ago=1), after=62, before=first), "it was copied meanwhile"
    again = a_look(a_sync("anna", ago=0), after=62, before=first)
    assert 3 == lag_of(a_sync("anna", waiting=True, ago=3), after=65, before=again)


def test_a_mailbox_that_is_new_to_the_replicator_is_as_far_behind_as_it_says():
    others = a_look(a_sync("boris"))

    assert 40 == lag_of(a_sync("anna", failed=True, ago=40), after=2, before=others)


@pytest.mark.parametrize(
    ("lag", "readable_ago", "followed", "state"),
    [
        (90, 80, None, S.DISCONNECTED_AND_HEALTHY),
        (90, 20, True, S.DISCONNECTED_AND_RESYNCHRONIZING),
        (90, None, True, S.DISCONNECTED_AND_HEALTHY),
        (90, None, False, S.DISCONNECTED_AND_RESYNCHRONIZING),
        (90, None, None, S.UNKNOWN),
    ],
)
def test_from_a_store_that_cannot_be_read_nothing_is_copied_and_the_other_copy_is_no_worse_for_it(
    lag, readable_ago, followed, state
):
    seen = ReplicationSeen(failed=2, lag=timedelta(seconds=lag), mailboxes=4)
    ago = None if readable_ago is None else timedelta(seconds=readable_ago)
    around = replace(PASSIVE, unread="permission denied", readable_ago=ago, replication=seen, followed=followed)

    copy = copy_of("DB1", "be2", around, settings=MoveSettings(), now=NOW)

    assert state is copy.state, copy.because
    assert "permission denied" in copy.because


def test_a_run_of_either_server_counts_and_what_is_to_be_copied_only_by_the_active_one_s_word():
    here = {one.mailbox: one for one in (a_sync("anna", waiting=True, ago=None), a_sync("boris", failed=True, ago=40))}
    there = {one.mailbox: one for one in (a_sync("anna", failed=True, ago=7), a_sync("boris", ago=90), a_sync("carla"))}

    merged = with_runs_of(here, [there])

    assert {"anna": a_sync("anna", waiting=True, ago=7), "boris": a_sync("boris", failed=True, ago=40)} == merged
    assert here == with_runs_of(here, [])


def test_a_mailbox_the_replicator_does_not_know_was_never_synchronised():
    seen = replication_of(["anna", "boris"], a_look(a_sync("anna", ago=None)))

    assert 2 == seen.never


def test_a_block_shows_and_says_who():
    copy = copy_of("DB1", "be2", replace(PASSIVE, blocked="anna: disks"), settings=MoveSettings(), now=NOW)

    assert (S.HEALTHY, "anna: disks") == (copy.state, copy.activation_blocked)


def test_what_is_copied_every_few_minutes_may_lag_by_as_much():
    settings = MoveSettings()
    ours = replace(PASSIVE, kind=CopyKind.SYNC)
    for lag, state in (
        (settings.sync_every, S.HEALTHY),
        (settings.sync_every + 2 * settings.lag_limit, S.RESYNCHRONIZING),
    ):
        seen = replace(ours, replication=ReplicationSeen(lag=lag, mailboxes=4))
        assert state is copy_of("DB1", "be2", seen, settings=settings, now=NOW).state


def test_on_shared_storage_nothing_lags():
    copy = copy_of("DB1", "be2", replace(PASSIVE, kind=CopyKind.SHARED_STORAGE), settings=MoveSettings(), now=NOW)

    assert timedelta(0) == copy.lag
