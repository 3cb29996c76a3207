"""Faults of mail stores."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from mailward.lab import accounts
from mailward.lab.blueprint import Blueprint, LabDatabase, LabHost
from mailward.lab.faults import effects
from mailward.lab.faults.deeds import NOTHING, Deeds, aside
from mailward.lab.faults.fault import Memory
from mailward.lab.faults.services import settings
from mailward.lab.files import make_directory
from mailward.lab.supervisor.mounts import let_go_of

#: Longer than a command may take on average before mailward calls it broken by default.
_SLOW_S = 70
_FULL_STORE_BYTES = 8 * 1024 * 1024


def _lock_store(_blueprint: Blueprint, host: LabHost) -> Memory:
    host.store.chmod(0)
    return NOTHING


def _unlock_store(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    host.store.chmod(0o755)


def _mount_read_only(_blueprint: Blueprint, host: LabHost) -> Memory:
    _run("mount", "--bind", str(host.store), str(host.store))
    _run("mount", "-o", "remount,ro,bind", str(host.store))
    return NOTHING


def _mount_full(_blueprint: Blueprint, host: LabHost) -> Memory:
    full = aside(host.store)
    make_directory(full)
    _run("mount", "-t", "tmpfs", "-o", f"mode=0755,size={_size_of(host.store) + _FULL_STORE_BYTES}", "lab", str(full))
    try:
        _run("cp", "-a", f"{host.store}/.", str(full))
        _fill(full / "ballast")
        _run("mount", "--bind", str(full), str(host.store))
    finally:
        let_go_of(full)
        full.rmdir()
    return NOTHING


def _fill(ballast: Path) -> None:
    """Write until not one more byte fits."""
    for piece in (65536, 1):
        with suppress(OSError), ballast.open("ab", buffering=0) as file:
            while file.write(bytes(piece)):
                pass


def _unmount(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    let_go_of(host.store)


def _slow_down(blueprint: Blueprint, host: LabHost) -> Memory:
    return {"intruder": effects.launch(blueprint, "slow", host.name, str(_SLOW_S))}


def _let_work(_blueprint: Blueprint, _host: LabHost, memory: Memory) -> None:
    effects.dismiss(memory.get("intruder"))


STORE_SLOW: Deeds = (_slow_down, _let_work)
STORE_UNREADABLE: Deeds = (_lock_store, _unlock_store)
STORE_READ_ONLY: Deeds = (_mount_read_only, _unmount)
STORE_FULL: Deeds = (_mount_full, _unmount)


def database_unreadable(database: LabDatabase) -> Deeds:
    """The store of one database cannot be opened; everything else on that host can."""

    def inject(_blueprint: Blueprint, host: LabHost) -> Memory:
        (host.store / database.name).chmod(0)
        return NOTHING

    def heal(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
        (host.store / database.name).chmod(0o700)

    return inject, heal


def database_replaced(database: LabDatabase) -> Deeds:
    """An empty store stands where the database's was, as when a file system is not mounted; replication rests."""
    rest, resume = settings("database-replaced", "plugin {\n  mail_replica =\n}\n")

    def inject(blueprint: Blueprint, host: LabHost) -> Memory:
        for server in _replicating(blueprint):
            rest(blueprint, server)
        store = host.store / database.name
        store.rename(aside(store))
        make_directory(store, mode=0o700, owner=accounts.mail_owner(blueprint))
        return NOTHING

    def heal(blueprint: Blueprint, host: LabHost, memory: Memory) -> None:
        store = host.store / database.name
        if aside(store).exists():
            shutil.rmtree(store, ignore_errors=True)
            aside(store).rename(store)
        for server in _replicating(blueprint):
            resume(blueprint, server, memory)

    return inject, heal


def _replicating(blueprint: Blueprint) -> list[LabHost]:
    return [host for host in blueprint.mailbox_servers if host.peer is not None]


def _size_of(path: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in path.rglob("*"))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
