"""From the configuration's words to the ServiceControl and HostControl they mean."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from mailward.model.errors import ConfigError, Refused
from mailward.model.organization import Server
from mailward.platforms.command.host import BOOT, RESTART, CommandHost
from mailward.platforms.command.service import VERBS, CommandService
from mailward.platforms.commands import DaemonStarter, LocalRunner
from mailward.platforms.configuration_checks import CheckConfiguration, cannot_check
from mailward.platforms.dovecot.configuration_check import DoveconfCheck
from mailward.platforms.dovecot.service import DovecotService
from mailward.platforms.healers import Healers
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.reach.conversation import MailwardHost
from mailward.platforms.reach.remote_host import RemoteHost
from mailward.platforms.reach.remote_service import RemoteService
from mailward.platforms.reach.ssh import LARGEST_ANSWER, LOCAL, SshRunner, destination
from mailward.platforms.supervisor.host import SupervisedHost
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.platforms.systemd.host import SystemdHost
from mailward.platforms.systemd.systemd_service import SystemdService
from mailward.ports.host_control import HostControl
from mailward.ports.service_control import ServiceControl

KEY_VARIABLE, KNOWN_HOSTS_VARIABLE = "MAILWARD_SSH_KEY", "MAILWARD_KNOWN_HOSTS"
"""Environment of the manager: files to use instead of ~/.ssh/mailward and ~/.ssh/known_hosts of its user."""
_COMMAND = "command"
_SYSTEMD = "systemd"


def service_control_for(server: Server) -> ServiceControl | None:
    """
    Return the control of a server's IMAP service, or None when its configuration names none.

    Raises:
        ConfigError: `service` is of no known kind, or lacks what that kind needs.
    """
    service = server.host.service
    if service is None:
        return None
    if server.host.reach != LOCAL:
        return _remote(server, service)
    if service == _COMMAND:
        return _by_commands(server)
    kind, _, name = service.partition(":")
    if kind not in _KINDS or not name:
        known = ", ".join([*(f"{known}:…" for known in _KINDS), _COMMAND])
        raise ConfigError(f"server {server.name}: service = {service!r} is none of {known}")
    try:
        return _KINDS[kind](name, server)
    except Refused as refusal:
        raise ConfigError(f"server {server.name}: service = {service!r}: {refusal}") from refusal


def host_control_for(server: Server) -> HostControl | None:
    """
    Return the control of the machine a server runs on, or None when its configuration names none.

    Raises:
        ConfigError: `control` is of no known kind, or lacks what that kind needs.
    """
    control = server.host.control
    if control is None:
        return None
    kind, _, name = control.partition(":")
    if kind == "supervisor" and name and server.host.reach == LOCAL:
        return SupervisedHost(Path(name))
    if control == _SYSTEMD:
        return SystemdHost(LocalRunner()) if server.host.reach == LOCAL else RemoteHost(mailward_host_for(server))
    if control == _COMMAND:
        missing = [verb for verb in (RESTART, BOOT) if not server.host.commands.get(verb)]
        if missing:
            raise ConfigError(f'server {server.name}: control = "command" needs commands.{missing[0]} = ["…"]')
        return CommandHost(server.host.commands, looking=LocalRunner(), doing=DaemonStarter())
    known = f"supervisor:…, {_SYSTEMD}, {_COMMAND}" if server.host.reach == LOCAL else f"{_SYSTEMD}, {_COMMAND}"
    raise ConfigError(f"server {server.name}: control = {control!r} is none of {known}")


def _remote(server: Server, service: str) -> RemoteService:
    kind, _, unit = service.partition(":")
    if kind != _SYSTEMD or not unit:
        raise ConfigError(
            f"server {server.name}: service = {service!r} is for this machine; with reach = {server.host.reach!r} "
            f"only {_SYSTEMD}:UNIT is possible"
        )
    return RemoteService(unit, mailward_host_for(server))


def mailward_host_for(server: Server) -> MailwardHost:
    """
    The `mailward-host` of a server with reach = "ssh:…".

    Raises:
        ConfigError: `reach` leads nowhere.
    """
    try:
        to = destination(server.host.reach)
    except ConfigError as error:
        raise ConfigError(f"server {server.name}: reach = {error}") from error
    own = Path("~/.ssh").expanduser()
    return MailwardHost(
        SshRunner(
            to,
            key=Path(os.environ.get(KEY_VARIABLE) or own / "mailward"),
            known_hosts=Path(os.environ.get(KNOWN_HOSTS_VARIABLE) or own / "known_hosts"),
            runner=LocalRunner(largest=LARGEST_ANSWER),
        )
    )


def _by_commands(server: Server) -> CommandService:
    if "status" not in server.host.commands:
        raise ConfigError(f'server {server.name}: service = "command" needs commands.status = ["…"]; {_VERBS}')
    return CommandService(server.host.commands, looking=LocalRunner(), doing=DaemonStarter(), healers=_healers(server))


def _healers(server: Server) -> Healers:
    return Healers(server.host.healer_marks, whose=server.name)


def _check(server: Server) -> CheckConfiguration:
    return DoveconfCheck(LocalRunner()).check if server.platform == "dovecot" else cannot_check


_VERBS = f"also possible: {', '.join(VERBS[1:])}"
_KINDS: Mapping[str, Callable[[str, Server], ServiceControl]] = {
    "supervisor": lambda path, server: SupervisedService(
        Path(path), Healers(server.host.healer_marks, whose=server.name, packages=False)
    ),
    "pidfile": lambda path, server: PidFileService(Path(path), healers=_healers(server), check=_check(server)),
    "systemd": lambda unit, server: SystemdService(unit, LocalRunner(), healers=_healers(server), check=_check(server)),
    "doveadm": lambda config, server: DovecotService(Path(config), healers=_healers(server)),
}
