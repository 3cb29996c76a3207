"""From the settings under a server's `host` to how its host is seen and controlled."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mailward.config.filling import file_name, filled, given, in_place, located
from mailward.model.organization import HostAccess, LmtpEndpoint

_COMMANDS = "commands."


def host_access(name: str, told: Mapping[str, Any], directory: Path) -> HostAccess:
    """
    Make a server's host access.

    Args:
        name: The server's.
        told: Dotted key below `host` -> value.
        directory: Where relative file names start.
    """
    service, control, certificate = told.get("service"), told.get("control"), told.get("certificate_file")
    doveadm = told.get("doveadm")
    return HostAccess(
        commands={
            key.removeprefix(_COMMANDS): tuple(in_place(word, name) for word in words)
            for key, words in told.items()
            if key.startswith(_COMMANDS)
        },
        **given(
            service=None if service is None else _service(name, service, directory),
            reach=filled(told.get("reach"), name),
            control=None if control is None else located(directory, in_place(control, name)),
            healer_marks=_files(name, told.get("healer_marks"), directory),
            log_files=_files(name, told.get("log_files"), directory),
            store_paths=_files(name, told.get("store_paths"), directory),
            doveadm=None if doveadm is None else file_name(directory, in_place(doveadm, name)),
            replication_address=filled(told.get("replication_address"), name),
            certificate_file=None if certificate is None else file_name(directory, in_place(certificate, name)),
        ),
    )


def lmtp_endpoint(address: str | None, *, source_address: str | None) -> LmtpEndpoint | None:
    """Where mail is handed over, by "tcp:HOST:PORT" or "unix:/SOCKET"; an IPv6 address may stand in brackets."""
    if address is None:
        return None
    kind, _, rest = address.partition(":")
    if kind == "unix":
        return LmtpEndpoint(host=rest, port=None)
    host, _, port = rest.rpartition(":")
    return LmtpEndpoint(host=host.strip("[]"), port=int(port), source_address=source_address)


def _service(name: str, service: str, directory: Path) -> str:
    text = in_place(service, name)
    return text if text.startswith("systemd:") else located(directory, text)


def _files(name: str, paths: Iterable[str] | None, directory: Path) -> tuple[str, ...] | None:
    return None if paths is None else tuple(file_name(directory, in_place(path, name)) for path in paths)
