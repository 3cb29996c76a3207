"""What every Host keeps: the machine's own, and the one that tests use."""

from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.model.evidence import DiskUsage, LogLine
from mailward.model.organization import HostAccess, ImapEndpoint, Role, Server
from mailward.platforms.local.host import LocalHost
from mailward.testing.platform import TameHost

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def a_server(**access):
    return Server(
        name="be1",
        roles=frozenset({Role.MAILBOX}),
        imap=ImapEndpoint(host="127.0.0.1"),
        host=HostAccess(**access),
    )


@pytest.fixture(params=["local", "tame"])
def make_host(request, tmp_path):
    """Makes a host whose log has one line a minute, from *words*."""

    def make(*words):
        lines = [
            LogLine(server="be1", text=f"2026-11-24T12:{minute:02}:00Z {word}", at=NOON + timedelta(minutes=minute))
            for minute, word in enumerate(words)
        ]
        if request.param == "tame":
            disk = DiskUsage(server="be1", path=str(tmp_path), free_bytes=1, total_bytes=2)
            return TameHost(lines=lines, disks=[disk])
        log = tmp_path / "dovecot.log"
        log.write_text("".join(f"{line.text}\n" for line in lines))
        return LocalHost(a_server(log_files=(str(log),), store_paths=(str(tmp_path),)))

    return make


@pytest.fixture(params=["local", "tame"])
def unreachable_host(request, tmp_path):
    if request.param == "tame":
        host = TameHost()
        host.unreachable = "the host is gone"
        return host
    nosuch = str(tmp_path / "nosuch")
    return LocalHost(a_server(log_files=(nosuch,), store_paths=(nosuch,), certificate_file=nosuch))


async def test_lines_come_with_their_moments_the_oldest_first(make_host):
    lines = await make_host("one", "two").log_lines(since=NOON)

    assert [("be1", NOON), ("be1", NOON + timedelta(minutes=1))] == [(line.server, line.at) for line in lines]


async def test_only_lines_since_the_moment(make_host):
    lines = await make_host("one", "two", "three").log_lines(since=NOON + timedelta(seconds=61))

    assert ["three"] == [line.text.split()[-1] for line in lines]


async def test_a_line_of_the_same_second_belongs_to_it(make_host):
    assert 1 == len(await make_host("one").log_lines(since=NOON + timedelta(milliseconds=900)))


async def test_only_lines_that_mention_a_word(make_host):
    lines = await make_host("user=<anna>", "user=<boris>", "SESSION").log_lines(
        since=NOON, mentioning=("Anna", "session")
    )

    assert ["user=<anna>", "SESSION"] == [line.text.split()[-1] for line in lines]


async def test_the_newest_lines_win(make_host):
    lines = await make_host("one", "two", "three").log_lines(since=NOON, limit=2)

    assert ["two", "three"] == [line.text.split()[-1] for line in lines]


async def test_every_mail_store_is_measured(make_host):
    (disk,) = await make_host().disks()

    assert 0 < disk.free_bytes <= disk.total_bytes


async def test_without_a_configured_certificate_there_is_none(make_host):
    assert await make_host().certificate_on_disk() is None


async def test_a_host_that_cannot_be_asked_raises(unreachable_host):
    for ask in (
        lambda: unreachable_host.log_lines(since=NOON),
        unreachable_host.disks,
        unreachable_host.certificate_on_disk,
    ):
        with pytest.raises(TemporaryFailure):
            await ask()
