"""From the configuration's words to the ServiceControl they mean."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mailward.model.errors import ConfigError
from mailward.model.organization import Server
from mailward.platforms.commands import LocalRunner
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.platforms.systemd.systemd_service import SystemdService
from mailward.ports.service_control import ServiceControl

_KINDS: Mapping[str, Callable[[str], ServiceControl]] = {
    "supervisor": lambda path: SupervisedService(Path(path)),
    "pidfile": lambda path: PidFileService(Path(path)),
    "systemd": lambda unit: SystemdService(unit, LocalRunner()),
}


def service_control_for(server: Server) -> ServiceControl | None:
    """
    Return the control of a server's IMAP service, or None when its configuration names none.

    Raises:
        ConfigError: `service` is not of a known kind.
    """
    if server.host.service is None:
        return None
    kind, _, name = server.host.service.partition(":")
    if kind not in _KINDS or not name:
        known = ", ".join(f"{known}:…" for known in _KINDS)
        raise ConfigError(f"server {server.name}: service = {server.host.service!r} is none of {known}")
    return _KINDS[kind](name)
