"""doveadm on this machine: what is run, in which order, and what its answers mean."""

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.dovecot.doveadm import LocalDoveadm, complaint, rows_of
from mailward.platforms.dovecot.programs import program

DOVEADM = (program("doveadm"), "-c", "/srv/proxy1/dovecot.conf")
LIST = ("doveadm", "proxy", "list")


def here(runner):
    return LocalDoveadm("/srv/proxy1/dovecot.conf", runner)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (("proxy", "list"), ("-f", "json", "proxy", "list")),
        (("auth", "cache", "flush"), ("auth", "cache", "flush")),
        (("replicator", "status"), ("-f", "json", "replicator", "status", "*")),
    ],
)
async def test_what_is_run_are_the_words_of_a_rehearsal(request_, words, recording):
    runner = recording()

    await here(runner).run(*request_)

    assert [(*DOVEADM, *words)] == runner.argvs == [here(runner).words(*request_)]


async def test_a_list_to_synchronise_is_read_and_the_words_are_those_of_a_rehearsal(recording):
    runner = recording()

    await here(runner).run("sync", "tcp:192.0.2.7:12345", mailboxes=["anna", "o'neil", "größe"])

    words = (*DOVEADM, "sync", "-F", "/dev/stdin", "tcp:192.0.2.7:12345")
    assert [words] == runner.argvs == [here(runner).words("sync", "tcp:192.0.2.7:12345")]
    assert ["anna\no'neil\ngröße\n".encode()] == runner.given


async def test_one_mailbox_is_synchronised_by_its_name(recording):
    runner = recording()

    await here(runner).run("sync", "tcp:192.0.2.7:12345", mailboxes=["anna"])

    assert [(*DOVEADM, "sync", "-u", "anna", "tcp:192.0.2.7:12345")] == runner.argvs


async def test_where_each_mailbox_has_a_program_of_its_own_the_first_that_fails_is_named_and_the_last(recording, ended):
    runner = recording(ended(output="1 users updated\n"), ended(75, errors="Fatal: net_connect_unix failed"))

    finished = await here(runner).run("replicator", "replicate", mailboxes=["anna", "boris", "carla"])

    assert ended(75, errors="boris: Fatal: net_connect_unix failed") == finished
    assert ["anna", "boris"] == [argv[-1] for argv in runner.argvs]


async def test_once_the_time_is_over_no_program_is_started(ended):
    now, ran = [0.0], []

    class Slow:
        async def run(self, argv, *, timeout, given=b""):
            ran.append((argv[-1], timeout))
            now[0] += 6
            return ended()

    with pytest.raises(TemporaryFailure, match="carla: its turn did not come within 11 s"):
        await LocalDoveadm("/srv/be1/dovecot.conf", Slow(), clock=lambda: now[0]).run(
            "replicator", "replicate", mailboxes=["anna", "boris", "carla"]
        )

    assert [("anna", 11), ("boris", 5)] == ran


@pytest.mark.parametrize("name", ["*", "ann?", "-A", "--", "", "a\nb", "a\0b", "x" * 256])
@pytest.mark.parametrize("request_", [("proxy", "kick"), ("replicator", "replicate"), ("sync", "tcp:192.0.2.7:1")])
async def test_a_name_that_means_something_else_is_refused_and_nothing_is_run(name, request_, recording):
    runner = recording()

    with pytest.raises(Refused, match="the mailbox name '"):
        await here(runner).run(*request_, mailboxes=["anna", name])

    assert [] == runner.argvs


async def test_a_doveadm_that_does_not_end_is_unknown(recording):
    with pytest.raises(TemporaryFailure, match="did not end"):
        await here(recording(TemporaryFailure("it did not end within 8 s"))).run("proxy", "list")


@pytest.mark.parametrize(
    ("status", "errors"),
    [
        # 2.3.19, a proxy that does not run
        (0, "Error: connect(/run/ipc) failed: Connection refused\nError: LIST-FULL failed: ipc connect failed\n"),
        (0, "Error: LIST-FULL failed: Disconnected\n"),
        (75, "Fatal: net_connect_unix(/run/replicator-doveadm) failed: Connection refused\n"),
        (0, "Fatal: something\n"),
        (1, ""),
    ],
)
def test_whatever_is_complained_of_is_a_failure_also_with_status_0(status, errors, ended):
    finished = ended(status, output="[]", errors=errors)

    assert complaint(finished)
    with pytest.raises(TemporaryFailure, match="doveadm proxy list: "):
        rows_of(finished, LIST)


def test_a_warning_is_no_failure(ended):
    assert complaint(ended(errors="doveconf: Warning: Obsolete setting in dovecot.conf:3\n")) is None


@pytest.mark.parametrize("output", ["nonsense", "{}", "[1]", "null", "[[]]", '[{"username": "an', "[" * 100_000, '"x"'])
def test_an_answer_that_cannot_be_read_is_unknown(output, ended):
    with pytest.raises(TemporaryFailure, match="doveadm proxy list: its answer cannot be read"):
        rows_of(ended(output=output), LIST)


def test_no_answer_is_an_empty_list(ended):
    assert [] == rows_of(ended(output=""), LIST) == rows_of(ended(output="[]"), LIST)
