import hashlib
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from mailward.model.errors import TemporaryFailure
from mailward.model.organization import HostAccess, ImapEndpoint, Role, Server
from mailward.platforms.local.host import LocalHost

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def a_host(*, patience=timedelta(seconds=5), **access):
    server = Server(
        name="be1",
        roles=frozenset({Role.MAILBOX}),
        imap=ImapEndpoint(host="127.0.0.1"),
        host=HostAccess(**access),
    )
    return LocalHost(server, patience=patience)


async def test_a_host_nothing_is_configured_of_shows_nothing():
    host = a_host()

    assert ((), (), None) == (
        await host.log_lines(since=LONG_AGO),
        await host.disks(),
        await host.certificate_on_disk(),
    )


async def test_lines_of_several_logs_come_in_the_order_of_time(tmp_path):
    (tmp_path / "a.log").write_text("2026-11-24T12:00:01Z one\n2026-11-24T12:00:03Z three\n")
    (tmp_path / "b.log").write_text("2026-11-24T12:00:02Z two\n")
    host = a_host(log_files=(str(tmp_path / "a.log"), str(tmp_path / "b.log")))

    lines = await host.log_lines(since=LONG_AGO)

    assert [("be1", "one"), ("be1", "two"), ("be1", "three")] == [
        (line.server, line.text.split()[-1]) for line in lines
    ]


async def test_one_log_that_is_missing_does_not_hide_the_other(tmp_path):
    (tmp_path / "a.log").write_text("2026-11-24T12:00:01Z one\n")
    host = a_host(log_files=(str(tmp_path / "nosuch"), str(tmp_path / "a.log")))

    assert 1 == len(await host.log_lines(since=LONG_AGO))


async def test_a_host_whose_only_log_is_missing_could_not_be_asked(tmp_path):
    with pytest.raises(TemporaryFailure, match="nosuch on be1: No such file"):
        await a_host(log_files=(str(tmp_path / "nosuch"),)).log_lines(since=LONG_AGO)


async def test_space_under_a_mail_store(tmp_path):
    (usage,) = await a_host(store_paths=(str(tmp_path),)).disks()

    assert (str(tmp_path), False) == (usage.path, usage.read_only)
    assert 0 < usage.free_bytes <= usage.total_bytes


async def test_a_read_only_file_system_is_told():
    (usage,) = await a_host(store_paths=("/sys",)).disks()

    assert usage.read_only == ("ro" in sys_mount_options())


def sys_mount_options():
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return next(line.split()[3].split(",") for line in mounts if line.split()[1] == "/sys")


async def test_a_store_that_is_not_there_could_not_be_asked(tmp_path):
    with pytest.raises(TemporaryFailure, match="No such file"):
        await a_host(store_paths=(str(tmp_path / "nosuch"),)).disks()


async def test_the_fingerprint_of_the_certificate_on_disk(tmp_path):
    issued = trustme.CA().issue_cert("mail.example")
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    (tmp_path / "cert.pem").write_bytes(b"a comment before it\n" + chain)
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    found = await a_host(certificate_file=str(tmp_path / "cert.pem")).certificate_on_disk()

    assert hashlib.sha256(der).hexdigest() == found


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"])
async def test_a_file_without_a_certificate_could_not_be_asked(content, tmp_path):
    (tmp_path / "cert.pem").write_bytes(content)

    with pytest.raises(TemporaryFailure, match="holds no"):
        await a_host(certificate_file=str(tmp_path / "cert.pem")).certificate_on_disk()


async def test_a_file_system_that_hangs_costs_one_thread_and_a_sentence(tmp_path):
    pipe = tmp_path / "cert.pem"
    os.mkfifo(pipe)  # opening it hangs until somebody writes
    host = a_host(patience=timedelta(milliseconds=50), certificate_file=str(pipe))

    with pytest.raises(TemporaryFailure, match="its file system hangs"):
        await host.certificate_on_disk()
    with pytest.raises(TemporaryFailure, match="has not answered an earlier look"):
        await host.certificate_on_disk()

    os.close(os.open(pipe, os.O_WRONLY))
