"""Faults of the service itself: ended, stopped, hung, out of processes, or not IMAP at all."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence

from mailward.lab import accounts, control
from mailward.lab.blueprint import Blueprint, LabHost
from mailward.lab.faults import effects
from mailward.lab.faults.deeds import NOTHING, Deeds, ask, then
from mailward.lab.faults.fault import Memory
from mailward.lab.files import write_private
from mailward.lab.programs import program
from mailward.lab.supervisor import processes


def _crash(_blueprint: Blueprint, host: LabHost) -> Memory:
    control.ask(host.control_socket, "kill")
    effects.wait_until(lambda: effects.master_of(host) is None, f"the service of {host.name} to be gone")
    return NOTHING


def _crash_master(_blueprint: Blueprint, host: LabHost) -> Memory:
    pid = effects.master_of(host)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    effects.wait_until(lambda: effects.master_of(host) is None, f"the master of {host.name} to be gone")
    return NOTHING


def _stop_processes(title: str) -> Deeds:
    def inject(_blueprint: Blueprint, host: LabHost) -> Memory:
        effects.wait_until(lambda: bool(effects.service_processes(host, title)), f"{title} of {host.name} to be there")
        processes.send(signal.SIGSTOP, effects.service_processes(host, title))
        return NOTHING

    def heal(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
        processes.send(signal.SIGCONT, effects.service_processes(host, title))

    return inject, heal


def _crash_for_good(blueprint: Blueprint, host: LabHost) -> Memory:
    """The configuration is valid, and asks for a port that somebody has: nobody who starts the service is faster."""
    intruder = effects.launch(blueprint, "squatter", host.name)
    listener = f"service stats {{\n  inet_listener taken {{\n    port = {blueprint.ports.taken}\n  }}\n}}\n"
    write_private(host.fault_settings / "service-dead.conf", listener)
    _crash(blueprint, host)
    return {"intruder": intruder}


def _let_start(_blueprint: Blueprint, host: LabHost, memory: Memory) -> None:
    (host.fault_settings / "service-dead.conf").unlink(missing_ok=True)
    effects.dismiss(memory.get("intruder"))
    control.ask(host.control_socket, "start")


def _flap(_blueprint: Blueprint, host: LabHost) -> Memory:
    control.ask(host.control_socket, "flap", after_seconds=FLAPS_AFTER_S)
    effects.wait_until(lambda: effects.master_of(host) is None, f"the service of {host.name} to be gone")
    return NOTHING


def _flap_no_more(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    control.ask(host.control_socket, "flap")
    control.ask(host.control_socket, "start")


def _break_configuration(_blueprint: Blueprint, host: LabHost) -> Memory:
    write_private(host.fault_settings / "configuration-broken.conf", "no_such_setting = of Dovecot\n")
    return NOTHING


def _mend_configuration(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    (host.fault_settings / "configuration-broken.conf").unlink(missing_ok=True)


def _exhaust(_blueprint: Blueprint, host: LabHost) -> Memory:
    control.ask(host.control_socket, "freeze", titles=["/imap-login"], until_boot=True)
    return NOTHING


def _relieve(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
    control.ask(host.control_socket, "freeze", titles=[])


#: Long enough that whoever started it has seen it healthy.
FLAPS_AFTER_S = 12

SERVICE_FAILED: Deeds = (_crash, then(ask("start")))
MASTER_KILLED: Deeds = (_crash_master, then(ask("start")))
SERVICE_STOPPED: Deeds = (ask("stop"), then(ask("start")))
SERVICE_HUNG: Deeds = (ask("hang"), then(ask("resume")))
SERVICE_DEAD: Deeds = (_crash_for_good, _let_start)
SERVICE_FLAPPING: Deeds = (_flap, _flap_no_more)
CONFIGURATION_BROKEN: Deeds = (_break_configuration, _mend_configuration)
HOST_EXHAUSTED: Deeds = (_exhaust, _relieve)
LOGIN_HUNG: Deeds = _stop_processes("imap-login")
AUTH_HUNG: Deeds = _stop_processes("auth")


def _fill_queue(blueprint: Blueprint, host: LabHost) -> Memory:
    """Nobody takes connections any more, and more come than wait."""
    _hang_logins(blueprint, host)
    return {"intruder": effects.launch(blueprint, "queue", host.name)}


def _empty_queue(blueprint: Blueprint, host: LabHost, memory: Memory) -> None:
    effects.dismiss(memory.get("intruder"))
    _let_log_in(blueprint, host, memory)


_hang_logins, _let_log_in = LOGIN_HUNG
QUEUE_FULL: Deeds = (_fill_queue, _empty_queue)


def settings(kind: str, text: str) -> Deeds:
    """Settings that a fault adds to the host's configuration."""

    def inject(_blueprint: Blueprint, host: LabHost) -> Memory:
        effects.change_settings(host, kind, text)
        return NOTHING

    def heal(_blueprint: Blueprint, host: LabHost, _memory: Memory) -> None:
        effects.change_settings(host, kind, None)

    return inject, heal


#: The auth process cannot even be loaded; the master starts it again and again, ever more slowly.
AUTH_BROKEN: Deeds = settings("auth-broken", "service auth {\n  vsz_limit = 1 M\n}\n")


def _crowded(kind: str, text: str, users: Callable[[Blueprint, LabHost], Sequence[str]]) -> Deeds:
    inject_settings, heal_settings = settings(kind, text)

    def inject(blueprint: Blueprint, host: LabHost) -> Memory:
        inject_settings(blueprint, host)
        return {"intruder": effects.launch(blueprint, "crowd", host.name, *users(blueprint, host))}

    def heal(blueprint: Blueprint, host: LabHost, memory: Memory) -> None:
        effects.dismiss(memory.get("intruder"))
        heal_settings(blueprint, host, memory)

    return inject, heal


CONNECTION_LIMIT: Deeds = _crowded(
    "connection-limit",
    "mail_max_userip_connections = 1\n",
    accounts.health_accounts,
)
PROCESS_LIMIT: Deeds = _crowded(
    "process-limit",
    "service imap {\n  process_limit = 1\n}\n",
    lambda blueprint, _host: blueprint.databases[0].users[:1],
)


def _replace_by_stranger(blueprint: Blueprint, host: LabHost) -> Memory:
    subprocess.run(
        [program("doveadm"), "-c", str(host.configuration), "service", "stop", "imap-login"],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=10,
    )
    return {"intruder": effects.launch(blueprint, "stranger", host.name)}


def _send_stranger_away(_blueprint: Blueprint, host: LabHost, memory: Memory) -> None:
    effects.dismiss(memory.get("intruder"))
    effects.reload(host)


GARBAGE: Deeds = (_replace_by_stranger, _send_stranger_away)
