"""What the page on replication shows is what Dovecot takes, and what moves need."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

PAGE = "docs/how-to/replicate-dovecot-2.3.md"
_TEXT = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"</etc/ssl/mail/(\w+\.\w+)")


@pytest.fixture
def doveconf() -> str:
    """doveconf of Dovecot 2.3."""
    program = shutil.which("doveconf") or shutil.which("doveconf", path="/usr/sbin")
    if program is None:
        pytest.skip("Dovecot is not installed: apt-get install dovecot-core dovecot-imapd dovecot-lmtpd")
    version = subprocess.run([program, "-a"], capture_output=True, text=True, timeout=30, check=False).stdout
    if not version.startswith("# 2.3."):
        pytest.skip("this Dovecot is not of 2.3")
    return program


@pytest.mark.parametrize("mark", ["# dovecot.conf of be1", "# dovecot.conf of a proxy"])
def test_dovecot_takes_the_configurations(doveconf: str, pages: dict[str, str], tmp_path: Path, mark: str) -> None:
    assert "" == complaint(doveconf, block(pages[PAGE], mark), tmp_path)


def test_a_mistake_in_them_would_be_noticed(doveconf: str, pages: dict[str, str], tmp_path: Path) -> None:
    wrong = block(pages[PAGE], "# dovecot.conf of be1").replace("process_min_avail", "process_min")

    assert "process_min" in complaint(doveconf, wrong, tmp_path)


def test_the_environment_of_a_shared_host_name_is_added_to_and_not_replaced(
    doveconf: str, pages: dict[str, str], tmp_path: Path
) -> None:
    both = block(pages[PAGE], "# dovecot.conf of be1") + block(pages[PAGE], "# where both would have")

    assert "" == complaint(doveconf, both, tmp_path)
    told = said(doveconf, tmp_path, "-h", "import_environment")
    assert "TZ" in told
    assert "DOVECOT_HOSTNAME=be1" in told


def test_each_mailbox_server_has_the_address_by_which_the_map_sends_users_to_it(pages: dict[str, str]) -> None:
    """`doveadm proxy list` shows addresses: a session is known to lead to a server by them alone."""
    page = pages[PAGE]
    addresses = dict(re.findall(r"\('(be\d)', '[^']+', '([\d.]+)'\)", page))
    servers = configuration(page)["servers"]

    assert {"be1", "be2"} == set(addresses)
    assert addresses == {name: servers[name]["imap"]["host"] for name in addresses}


def test_each_copies_to_the_address_that_the_other_is_synchronised_by(pages: dict[str, str]) -> None:
    page = pages[PAGE]
    servers = configuration(page)["servers"]
    (here,) = re.findall(r"^  mail_replica = (\S+)", page, re.MULTILINE)
    (there,) = re.findall(r"`mail_replica = (\S+)`", page)

    assert here == servers["be2"]["host"]["replication_address"]
    assert there == servers["be1"]["host"]["replication_address"]


def block(page: str, mark: str) -> str:
    """The block of a page that begins with *mark*."""
    (found,) = (str(text) for text in _TEXT.findall(page) if text.startswith(mark))
    return found


def configuration(page: str) -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    """The configuration of mailward on the page."""
    (whole,) = re.findall(r"^```toml\n(\[organization\].*?)^```", page, re.MULTILINE | re.DOTALL)
    return tomllib.loads(whole)


def complaint(doveconf: str, text: str, directory: Path) -> str:
    """What doveconf has against a configuration, whose certificates and keys are files of this machine."""
    for name in set(_FILE.findall(text)):
        (directory / name).write_text("")
    (directory / "dovecot.conf").write_text(_FILE.sub(rf"<{directory}/\1", text))
    ran = _run(doveconf, directory, "-n")
    return ran.stderr.strip() or ("" if ran.returncode == 0 else f"it ends with {ran.returncode}")


def said(doveconf: str, directory: Path, *words: str) -> str:
    """What doveconf says of a configuration that was written before."""
    return _run(doveconf, directory, *words).stdout


def _run(doveconf: str, directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    argv = [doveconf, "-c", str(directory / "dovecot.conf"), *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
