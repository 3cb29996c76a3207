"""Replication against what `doveadm` of 2.3.19 and 2.4.1 were seen to say."""

import asyncio
import json
from datetime import timedelta

import pytest

from mailward.model.copies import MailboxSync, SyncReport
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.dovecot.doveadm import LocalDoveadm
from mailward.platforms.dovecot.replication import DovecotReplication

PEER = "tcp:192.0.2.7:12345"
#: 2.4.1 has no replicator and shows what it knows.
USAGE = "usage: doveadm [-Dv] [-f <formatter>] [-k] <command> [<args>]\n  altmove  ...\n"
REFUSED = "doveadm(anna): Fatal: connect(192.0.2.7:12345) failed: Connection refused\n"
#: 2.3.19, a mailbox that the peer does not have.
NOT_THERE = (
    "doveadm(boris): Error: remote(192.0.2.7:12345): doveadm(127.0.0.1,boris): User doesn't exist\n"
    "doveadm(boris): Error: Unknown user in remote\n"
    "doveadm: Error: Failed to iterate through some users\n"
)


def a_server(runner):
    return DovecotReplication(LocalDoveadm("/srv/be1/dovecot.conf", runner), {"be2": PEER})


def a_row(**keys):
    row = {
        "username": "anna",
        "priority": "none",
        "fast sync": "00:00:00",
        "full sync": "00:00:01",
        "success sync": "00:00:00",
        "failed": "-",
    }
    return row | {key.replace("_", " "): value for key, value in keys.items()}


async def status_of(row, recording, ended):
    return await a_server(recording(ended(output=json.dumps([row])))).status()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (a_row(), MailboxSync(mailbox="anna", is_waiting=False, has_failed=False, last_success=timedelta(0))),
        (
            a_row(username="größe@x", success_sync="-", fast_sync="-", full_sync="-"),
            MailboxSync(mailbox="größe@x", is_waiting=False, has_failed=False, last_success=None),
        ),
        (
            # the peer is down: the last try is fresh, the last success is not
            a_row(fast_sync="00:00:03", success_sync="01:02:03", failed="y"),
            MailboxSync(
                mailbox="anna",
                is_waiting=False,
                has_failed=True,
                last_success=timedelta(hours=1, minutes=2, seconds=3),
            ),
        ),
        (
            a_row(success_sync="1234:05:06"),
            MailboxSync(
                mailbox="anna",
                is_waiting=False,
                has_failed=False,
                last_success=timedelta(hours=1234, minutes=5, seconds=6),
            ),
        ),
        *(
            (
                a_row(priority=priority),
                MailboxSync(mailbox="anna", is_waiting=True, has_failed=False, last_success=timedelta(0)),
            )
            for priority in ("low", "high", "sync")
        ),
    ],
)
async def test_how_a_mailbox_stands(row, expected, recording, ended):
    assert {expected.mailbox: expected} == await status_of(row, recording, ended)


@pytest.mark.parametrize(
    "row",
    [
        {}, {"username": "anna"}, a_row(success_sync=""), a_row(success_sync="12:34"), a_row(success_sync="a:b:c"),
        a_row(success_sync="never"), a_row(success_sync="1:2:3:4"), a_row(success_sync="9" * 30 + ":0:0"),
        a_row(success_sync=None),
    ],
)  # fmt: skip
async def test_a_row_that_cannot_be_read_makes_all_unknown(row, recording, ended):
    with pytest.raises(TemporaryFailure, match="the replicator's answer cannot be read"):
        await status_of(row, recording, ended)


@pytest.mark.parametrize("output", ["", "[]"])
async def test_a_replicator_that_knows_nobody(output, recording, ended):
    assert {} == await a_server(recording(ended(output=output))).status()


async def test_a_replicator_that_does_not_run_is_unknown(recording, ended):
    errors = "Fatal: net_connect_unix(/run/replicator-doveadm) failed: Connection refused\n"

    with pytest.raises(TemporaryFailure, match=r"replicator status \*: Fatal: net_connect_unix"):
        await a_server(recording(ended(75, errors=errors))).status()


class OneCannot:
    """Has the first part fail once the second is under way, and notes what became of that one."""

    def __init__(self):
        self.second = asyncio.Event()
        self.ends = []

    async def run(self, argv, *, timeout, given=b""):
        if b"user000\n" in given:
            await self.second.wait()
            raise TemporaryFailure("no program can be started")
        self.second.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ends.append("ended")
            raise


async def test_what_else_is_under_way_ends_with_what_could_not_be_done():
    runner = OneCannot()

    async with asyncio.timeout(10):
        with pytest.raises(TemporaryFailure, match="no program can be started"):
            await a_server(runner).synchronise([f"user{number:03}" for number in range(200)], with_server="be2")

    assert ["ended"] == runner.ends


async def test_dovecot_2_4_has_no_replicator(recording, ended):
    server = a_server(recording(ended(64, errors=USAGE)))
    text = 'this Dovecot has no replicator: set replication.kind to "sync"'

    with pytest.raises(Refused, match=text):
        await server.status()
    with pytest.raises(Refused, match=text):
        await server.hasten(["anna"])


async def test_each_is_hastened(recording, ended):
    runner = recording(ended(output="1 users updated\n"))

    await a_server(runner).hasten(["anna", "o'neil"])

    assert [("replicate", "-p", "high", "--", name) for name in ("anna", "o'neil")] == [
        argv[4:] for argv in runner.argvs
    ]


async def test_one_who_is_not_hastened_is_named(recording, ended):
    runner = recording(ended(), ended(75, errors="Fatal: net_connect_unix(/run/x) failed: Permission denied\n"))

    with pytest.raises(TemporaryFailure, match=r"sooner: boris: Fatal: net_connect_unix\(/run/x\) failed"):
        await a_server(runner).hasten(["anna", "boris"])


async def test_one_who_cannot_be_named_keeps_nobody_from_being_hastened(recording):
    runner = recording()

    with pytest.raises(Refused, match="is a mask"):
        await a_server(runner).hasten(["*", "anna"])

    assert ["anna"] == [argv[-1] for argv in runner.argvs]


async def test_several_are_synchronised_by_one_process(recording):
    runner = recording()

    report = await a_server(runner).synchronise(["anna", "boris"], with_server="be2")

    assert SyncReport(done=("anna", "boris")) == report
    assert [a_server(runner).command(with_server="be2")] == runner.argvs
    assert [b"anna\nboris\n"] == runner.given


async def test_one_that_fails_is_named_and_the_others_are_done(recording, ended):
    runner = recording(ended(75, errors=NOT_THERE), ended(), ended(75, errors=NOT_THERE), ended())

    report = await a_server(runner).synchronise(["anna", "boris", "carla"], with_server="be2")

    assert ("anna", "carla") == report.done
    assert (("boris", "remote(192.0.2.7:12345): doveadm(127.0.0.1,boris): User doesn't exist"),) == report.failed
    assert ["anna", "boris", "carla"] == [argv[5] for argv in runner.argvs[1:]]


async def test_one_that_does_not_exist_is_not_counted_as_done_although_the_list_ends_with_0(recording, ended):
    skipped = ended(errors="doveadm(nosuch): Info: User no longer exists, skipping\n")
    runner = recording(skipped, ended(), ended(67, errors="doveadm(nosuch): Error: User doesn't exist\n"))

    report = await a_server(runner).synchronise(["anna", "nosuch"], with_server="be2")

    assert SyncReport(done=("anna",), failed=(("nosuch", "User doesn't exist"),)) == report


@pytest.mark.parametrize(
    ("status", "errors", "why"),
    [
        (75, REFUSED, "connect(192.0.2.7:12345) failed: Connection refused"),
        (75, "doveadm(anna): Error: doveadm authentication failed ()\n", "doveadm authentication failed ()"),
        (67, "doveadm(anna): Error: User doesn't exist\n", "User doesn't exist"),
        # 2.4.1
        (67, "Error: cmd sync: User doesn't exist\n", "Error: cmd sync: User doesn't exist"),
        (
            75,
            "Error: conn 192.0.2.7:12345: doveadm authentication failed ()\n",
            "Error: conn 192.0.2.7:12345: doveadm authentication failed ()",
        ),
        (
            75,
            "Error: cmd sync: Disconnected from remote: connect(192.0.2.7:12345) failed: Connection refused\n",
            "Error: cmd sync: Disconnected from remote: connect(192.0.2.7:12345) failed: Connection refused",
        ),
        (75, "", "exit status 75"),
        (75, "doveadm(anna): Error: \x1b[2Jno\n", "�[2Jno"),
        (0, "doveadm(anna): Error: it says so\n", "it says so"),
    ],
)
async def test_why_one_is_not_synchronised(status, errors, why, recording, ended):
    report = await a_server(recording(ended(status, errors=errors))).synchronise(["anna"], with_server="be2")

    assert SyncReport(done=(), failed=(("anna", why),)) == report


async def test_one_who_cannot_be_named_is_told_and_the_others_are_done(recording):
    runner = recording()

    report = await a_server(runner).synchronise(["-A", "anna", "*", "boris"], with_server="be2")

    assert ("anna", "boris") == report.done
    assert (
        ("-A", "its name begins like an option"),
        ("*", "its name is a mask, which can mean others as well"),
    ) == report.failed
    assert 1 == len(runner.argvs)


async def test_many_are_synchronised_in_parts(recording):
    runner = recording()
    names = tuple(f"user{number}" for number in range(250))

    report = await a_server(runner).synchronise(names, with_server="be2")

    assert names == report.done
    assert [100, 100, 50] == [given.count(b"\n") for given in runner.given]


async def test_nobody_to_synchronise(recording):
    runner = recording()

    assert SyncReport(done=()) == await a_server(runner).synchronise([], with_server="be2")
    assert [] == runner.argvs


async def test_a_server_that_nobody_told_how_to_reach_is_refused_with_the_key(recording):
    with pytest.raises(Refused, match=r"set servers\.be3\.host\.replication_address"):
        await a_server(recording()).synchronise(["anna"], with_server="be3")
    with pytest.raises(Refused, match=r"set servers\.be3\.host\.replication_address"):
        a_server(recording()).command(with_server="be3")
