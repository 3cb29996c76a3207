"""
Every account's INBOX, made before the lab starts and alike on every copy.

Left to themselves, the first log-in and the first replication of a new account make its INBOX at the same moment and
run into each other: Dovecot 2.3.19 panics with "locking failed: Resource deadlock avoided", or answers SELECT with
ALREADYEXISTS (once in about a hundred first log-ins, measured). A lab would then have faults nobody injected.
"""

import os
import shutil
import subprocess
from pathlib import Path

from mailward.lab.accounts import all_accounts, home, mail_owner
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.files import make_directory
from mailward.lab.programs import SEARCH_PATH, program
from mailward.model.errors import PermanentFailure


def make_mailboxes(blueprint: Blueprint) -> None:
    """
    Put an empty INBOX into every account's home on every host that holds it.

    Raises:
        PermanentFailure: Dovecot could not make one; the text is its own.
    """
    owner = mail_owner(blueprint)
    pattern = blueprint.directory / "new-mailbox"
    make_directory(pattern, mode=0o700, owner=owner)
    _make_inbox(blueprint.mailbox_servers[0], pattern)
    for host in blueprint.hosts:
        for user in all_accounts(blueprint):
            database = blueprint.database_of(user)
            if host.name in database.copies if database else user == blueprint.local_health_user(host):
                place = Path(home(blueprint, host, user))
                make_directory(place, mode=0o700, owner=owner)
                _copy(pattern, place / "sdbox", owner)
    shutil.rmtree(pattern)


def _make_inbox(host: LabHost, place: Path) -> None:
    command = [program("doveadm"), "-c", str(host.configuration)]
    for setting in (f"mail_location=sdbox:{place}", "mail_plugins=", "doveadm_port=0"):
        command += ["-o", setting]
    done = subprocess.run(
        [*command, "mailbox", "create", "INBOX"],
        env={"PATH": SEARCH_PATH, "HOME": str(place), "USER": "lab"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    if done.returncode != 0:
        raise PermanentFailure(f"doveadm could not make a mailbox: {done.stderr.strip()}")


def _copy(source: Path, target: Path, owner: tuple[int, int]) -> None:
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        os.chown(path, *owner)
