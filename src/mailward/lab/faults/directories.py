"""Faults of what knows the users: account files of mailbox servers, and the map all proxies share."""

import shutil
from collections.abc import Callable
from contextlib import suppress

from mailward.lab import accounts, control
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.faults import effects
from mailward.lab.faults.deeds import NOTHING, Deeds, Inject, aside, then
from mailward.lab.faults.fault import Memory
from mailward.lab.files import write_private


def _rewritten(name: str, text: Callable[[Blueprint, LabHost], str]) -> Deeds:
    def inject(blueprint: Blueprint, host: LabHost) -> Memory:
        file = host.passwords / name
        before = file.read_text()
        write_private(file, text(blueprint, host), owner=accounts.auth_owner(blueprint))
        effects.reload(host)
        return {"before": before}

    def heal(blueprint: Blueprint, host: LabHost, memory: Memory) -> None:
        write_private(host.passwords / name, str(memory["before"]), owner=accounts.auth_owner(blueprint))
        effects.reload(host)

    return inject, heal


PROBE_PASSWORD: Deeds = _rewritten(
    "health", lambda blueprint, host: "".join(accounts.health_password_lines(blueprint, host, wrong=True))
)
PROBE_ACCOUNT_MISSING: Deeds = _rewritten("health", lambda _blueprint, _host: "")
OVER_QUOTA: Deeds = _rewritten(
    "health-users", lambda blueprint, host: "".join(accounts.health_user_lines(blueprint, host, quota="1B"))
)


def _make_unreadable(_blueprint: Blueprint, host: LabHost) -> Memory:
    host.passwords.chmod(0)
    effects.reload(host)
    return NOTHING


def _make_readable(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    host.passwords.chmod(0o755)
    effects.reload(host)


def _move_directory_away(_blueprint: Blueprint, host: LabHost) -> Memory:
    host.passwords.rename(aside(host.passwords))
    effects.reload(host)
    return NOTHING


def _bring_directory_back(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    with suppress(FileNotFoundError):
        aside(host.passwords).rename(host.passwords)
    effects.reload(host)


DIRECTORY_UNREADABLE: Deeds = (_make_unreadable, _make_readable)
DIRECTORY_MISSING: Deeds = (_move_directory_away, _bring_directory_back)


#: The map faults are given any of the proxies: all of them share it.


def _reload_proxies(blueprint: Blueprint) -> None:
    for proxy in blueprint.proxies:
        effects.reload(proxy)


def _map_missing(blueprint: Blueprint, _host: LabHost) -> Memory:
    blueprint.map_file.rename(aside(blueprint.map_file))
    _reload_proxies(blueprint)
    return NOTHING


def _map_corrupt(blueprint: Blueprint, _host: LabHost) -> Memory:
    shutil.copy2(blueprint.map_file, aside(blueprint.map_file))
    blueprint.map_file.write_bytes(b"no database was ever here\n" * 400)
    _reload_proxies(blueprint)
    return NOTHING


def _map_back(blueprint: Blueprint, _host: LabHost, _memory: Memory) -> None:
    with suppress(FileNotFoundError):
        aside(blueprint.map_file).replace(blueprint.map_file)
    _reload_proxies(blueprint)


def _map_locked(blueprint: Blueprint, _host: LabHost) -> Memory:
    return {"intruder": effects.launch(blueprint, "lock")}


def _map_unlocked(_blueprint: Blueprint, _host: LabHost, memory: Memory) -> None:
    effects.dismiss(memory.get("intruder"))


def _map_freeze(titles: list[str]) -> Inject:
    def deed(blueprint: Blueprint, _host: LabHost) -> Memory:
        for proxy in blueprint.proxies:
            control.ask(proxy.control_socket, "freeze", titles=titles)
        return NOTHING

    return deed


MAP_MISSING: Deeds = (_map_missing, _map_back)
MAP_CORRUPT: Deeds = (_map_corrupt, _map_back)
MAP_LOCKED: Deeds = (_map_locked, _map_unlocked)
#: The workers that ask the map never get an answer; nor do those that replace them.
MAP_HUNG: Deeds = (_map_freeze(["/auth -w"]), then(_map_freeze([])))
