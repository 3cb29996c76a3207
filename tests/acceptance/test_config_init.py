"""From a Dovecot that never heard of mailward to a green table, and new passwords that no probe notices."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from grp import getgrgid
from pathlib import Path
from pwd import getpwuid
from time import monotonic, sleep

import pytest
import trustme

from mailward.app import examine
from mailward.config.initial import detect, initial, write
from mailward.config.load import load
from mailward.lab.accounts import hashed
from mailward.lab.lab import missing_programs
from mailward.lab.manager_process import ManagerProcess
from mailward.model.errors import ConfigError, Refused, TemporaryFailure
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Organization
from mailward.model.probing import ResultType
from mailward.platforms.dovecot.accounts import cancel_rotation, create
from mailward.platforms.dovecot.detection import Detected
from mailward.platforms.dovecot.passwd_files import health_files
from mailward.platforms.dovecot.probe_account import Account, accounts_for
from mailward.platforms.dovecot.rotation import rotate

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason=f"this machine has no {', '.join(missing_programs())}")

_DOVECOT = """
protocols = imap
listen = {address}
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/dovecot.log
ssl = yes
ssl_cert = <{directory}/cert.pem
ssl_key = <{directory}/key.pem
mail_location = maildir:~/Maildir
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 0
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
passdb {{
  driver = passwd-file
  args = {directory}/users
}}
userdb {{
  driver = static
  args = home={directory}/mail/%u
}}
"""

_ROOTLESS = """
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
service imap-login {{
  chroot =
}}
service anvil {{
  chroot =
}}
"""

_OFTEN = """
[probes.ImapSelfTestProbe]
interval = "1s"

[probes.ImapDeepTestProbe]
interval = "1s"
write_turn_every = "3s"

[probes.ImapCTPProbe]
interval = "1s"

[probes.DiskSpaceCheck]
interval = "1s"
"""


@dataclass(kw_only=True)
class Box:
    """One host with a Dovecot as any administrator may have it, and nothing of ours."""

    directory: Path
    master: subprocess.Popen[bytes]
    address: str
    port: int

    @property
    def config(self) -> Path:
        return self.directory / "dovecot.conf"

    @property
    def mailward(self) -> Path:
        return self.directory / "mailward"

    def include(self, file: Path) -> None:
        """The administrator's step."""
        with self.config.open("a") as stream:
            stream.write(f"!include {file}\n")
        self.master.send_signal(signal.SIGHUP)

    def knows(self, user: str) -> bool:
        """Whether it has read what was included; asked so, a no counts as no failed login."""
        command = ["doveadm", "-c", str(self.config), "user", "-x", "service=imap", user]
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0

    def auth_test(self, user: str, password: str, *, service: str, source: str) -> bool:
        words = ("auth", "test", "-x", f"service={service}", "-x", f"rip={source}", user, password)
        command = ["doveadm", "-c", str(self.config), *words]
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The box once mailward was set up for it."""

    box: Box
    found: Detected
    organization: Organization
    accounts: tuple[Account, ...]


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = monotonic() + seconds
    while True:
        with suppress(TemporaryFailure):
            if condition():
                return
        assert monotonic() < deadline, "it never came"
        sleep(0.05)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    directory = Path(tempfile.mkdtemp(prefix="mailward-init-"))
    directory.chmod(0o755)
    address = f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}.44"
    with socket.create_server((address, 0)) as listener:
        port = listener.getsockname()[1]
    write_box(directory, address, port)
    with (directory / "console.log").open("wb") as output:
        command = [shutil.which("dovecot") or "/usr/sbin/dovecot", "-F", "-c", str(directory / "dovecot.conf")]
        master = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        until(lambda: answers(address, port))
        yield Box(directory=directory, master=master, address=address, port=port)
    finally:
        master.terminate()
        master.wait(20)
        shutil.rmtree(directory)


def write_box(directory: Path, address: str, port: int) -> None:
    rootless = os.geteuid() != 0
    uid, gid = (os.getuid(), os.getgid()) if rootless else (5000, 5000)
    text = _DOVECOT.format(address=address, directory=directory, port=port, uid=uid, gid=gid)
    if rootless:
        text += _ROOTLESS.format(user=getpwuid(uid).pw_name, group=getgrgid(gid).gr_name)
    (directory / "dovecot.conf").write_text(text)
    (directory / "users").write_text(f"anna:{hashed('annas password')}::::::\n")
    (directory / "mail").mkdir()
    os.chown(directory / "mail", uid, gid)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    certificate = authority.issue_cert("mail.example.org", common_name="mail.example.org")
    certificate.cert_chain_pems[0].write_to_path(str(directory / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))


def answers(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


@pytest.fixture(scope="module")
def watched(box: Box) -> Watched:
    (before,) = detect(box.config)
    files = initial(
        before,
        host_name="mail1.example.org",
        directory=box.mailward,
        state_directory=box.mailward / "state",
        passwd_directory=box.directory / "passwd",
        ca_file=box.directory / "ca.pem",
    )
    unchanged = box.config.read_text()
    write(files)
    assert unchanged == box.config.read_text()
    with pytest.raises(ConfigError, match="does not include mailward's accounts yet"):
        health_files(before)
    box.include(box.directory / "passwd" / "mailward.conf")
    (found,) = detect(box.config)
    organization = load(box.mailward / "mailward.toml").organization
    accounts = accounts_for(organization, found)
    create(health_files(found), accounts)
    until(lambda: all(box.knows(account.user) for account in accounts))
    (box.mailward / "conf.d").mkdir()
    (box.mailward / "conf.d" / "often.toml").write_text(_OFTEN)
    return Watched(box=box, found=found, organization=organization, accounts=accounts)


@pytest.fixture(scope="module")
def manager(watched: Watched) -> Iterator[ManagerProcess]:
    with ManagerProcess(watched.box.mailward / "mailward.toml") as running:
        yield running


def test_the_dovecot_that_runs_is_found_by_its_master_and_described(box, watched):
    assert box.config.resolve() in {found.config for found in detect()}
    assert (box.address, box.port, True) == (
        watched.found.listeners[0].address,
        watched.found.listeners[0].port,
        watched.found.listeners[0].is_tls,
    )
    assert ("mail.example.org",) == watched.found.certificate.names
    assert (box.directory / "mail",) == watched.found.stores
    assert (box.directory / "dovecot.log",) == watched.found.log_files
    assert box.directory / "run" == watched.found.base_dir
    assert (False, True, ("passwd-file",)) == (
        watched.found.is_proxy,
        watched.found.has_penalty,
        watched.found.passdbs[-1:],
    )


def test_what_was_written_leads_to_a_green_table(manager):
    until(lambda: is_green(manager))

    names = {row.name for row in manager.client.health()}
    assert {"ImapSelfTestMonitor", "ImapDeepTestMonitor", "ImapCTPMonitor"} <= names


async def test_every_account_logs_in_and_opens_its_mailbox(watched):
    for account in watched.accounts:
        assert await logs_in(watched, account, account.password_file.read_text().strip())


def test_the_accounts_can_neither_submit_mail_nor_log_in_from_elsewhere(box, watched):
    account = watched.accounts[0]
    password = account.password_file.read_text().strip()
    ours = account.allow_nets[0].partition("/")[0]

    assert box.auth_test(account.user, password, service="imap", source=ours)
    assert not box.auth_test(account.user, password, service="smtp", source=ours)
    assert not box.auth_test(account.user, password, service="imap", source="192.0.2.7")


def test_users_log_in_as_before(box, watched):
    assert box.auth_test("anna", "annas password", service="imap", source="192.0.2.7")
    assert not box.auth_test("anna", "another", service="imap", source="192.0.2.7")


def test_making_the_accounts_again_changes_nothing(watched):
    before = [account.password_file.read_text() for account in watched.accounts]

    assert () == create(health_files(watched.found), watched.accounts)
    assert before == [account.password_file.read_text() for account in watched.accounts]


async def test_passwords_are_changed_without_one_failed_probe(watched, manager):
    until(lambda: is_green(manager))
    files = health_files(watched.found)
    former = [account.password_file.read_text() for account in watched.accounts]
    last = manager.client.results(limit=1)[0].at

    await rotate(
        files,
        watched.accounts,
        prove=lambda account, password: logs_in(watched, account, password),
        settle=timedelta(seconds=4),
    )

    until(lambda: is_green(manager))
    since = [result for result in manager.client.results(limit=1000) if result.at > last]
    assert len(since) > 10
    assert [] == [result for result in since if result.result is not ResultType.SUCCEEDED]
    assert all(old != account.password_file.read_text() for old, account in zip(former, watched.accounts, strict=True))
    assert "" == files.old.read_text()


async def test_a_new_password_that_is_not_accepted_leaves_the_former_one_in_force(watched, manager):
    former = [account.password_file.read_text() for account in watched.accounts]

    async def refused(account: Account, password: str) -> bool:
        return False

    with pytest.raises(TemporaryFailure, match="is refused with its new password; the former one stays in use"):
        await rotate(health_files(watched.found), watched.accounts, prove=refused)

    assert former == [account.password_file.read_text() for account in watched.accounts]
    until(lambda: is_green(manager))


async def test_a_rotation_that_is_under_way_is_not_begun_twice(watched):
    async def begun_again(account: Account, password: str) -> bool:
        with pytest.raises(Refused, match="is being changed already"):
            await rotate(health_files(watched.found), watched.accounts, prove=begun_again)
        return False

    with pytest.raises(TemporaryFailure):
        await rotate(health_files(watched.found), watched.accounts, prove=begun_again)
    cancel_rotation(health_files(watched.found), watched.accounts)


async def logs_in(watched: Watched, account: Account, password: str) -> bool:
    endpoint = watched.organization.servers["mail1"].imap
    return (await examine(endpoint, user=account.user, password=password, deep=True)).result is ResultType.SUCCEEDED


def is_green(manager: ManagerProcess) -> bool:
    rows = manager.client.health()
    return bool(rows) and all(row.alert_value is AlertValue.HEALTHY for row in rows)
