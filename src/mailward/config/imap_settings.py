"""
What the IMAP service of one server is set to, as far as known, and where each value is known from (Get-ImapSettings).

The configuration says how mailward reaches the server; where its Dovecot is on this machine, doveconf says the rest.
What is not known is said not to be available, with the reason, and never guessed: not even a vendor's default.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mailward.config.imap_setting import NOT_SET, ImapSetting, row, yes_or_no
from mailward.config.imap_settings_dovecot import ask_dovecot, by_doveconf
from mailward.config.load import read
from mailward.config.show import DEFAULT, Shown, show
from mailward.model.durations import write_duration
from mailward.model.errors import TemporaryFailure
from mailward.model.organization import ImapEndpoint, Organization, Server
from mailward.platforms.commands import LocalRunner, Runner
from mailward.platforms.protocol_logs import protocol_logs_for
from mailward.ports.protocol_log import ProtocolLog

_ENDPOINT = ("imap.host", "imap.port", "imap.security")


async def imap_settings(
    path: Path, name: str, *, runner: Runner | None = None, logs: Mapping[str, ProtocolLog] | None = None
) -> tuple[ImapSetting, ...]:
    """
    Everything known of the IMAP service of the server called *name*.

    Args:
        path: The configuration.
        name: A server, by any of its names.
        runner: Runs doveconf; on this machine by default.
        logs: The protocol logs by server; those of the organization by default.

    Raises:
        WrongConfiguration: There are mistakes; the text lists them all.
        NotFound: There is no such server; the text names the nearest.
    """
    organization = read(path).snapshot().organization
    server = organization.server_named(name)
    written = {shown.key: shown for shown in show(path)}
    asked = await ask_dovecot(server, runner if runner is not None else LocalRunner())
    log = (protocol_logs_for(organization) if logs is None else logs).get(server.name)
    rows = (*_configured(server, organization, written), *by_doveconf(server, asked), *await _protocol_log(log))
    return tuple(replace(row, server=server.name) for row in rows)


# From the configuration


def _configured(server: Server, organization: Organization, written: dict[str, Shown]) -> Iterator[ImapSetting]:
    here = f"servers.{server.name}"

    def origin(*keys: str, of: str = here) -> str:
        """Where any of the keys was written; what is not written is a default."""
        found = [written[f"{of}.{key}"].origin for key in keys if f"{of}.{key}" in written]
        return ", ".join(dict.fromkeys(one for one in found if one != DEFAULT)) or DEFAULT

    yield row("Roles", ", ".join(sorted(role.value for role in server.roles)), origin("roles"))
    yield row("Platform", server.platform, origin("platform"))
    yield row("Endpoint", _endpoint(server.imap), origin(*_ENDPOINT), exchange="InternalConnectionSettings")
    for known in organization.access_points.values():
        if server.name in known.servers:
            where = origin(*_ENDPOINT, of=f"access_points.{known.name}")
            shown = f"{known.name}: {_endpoint(known.imap)}"
            yield row("AccessPoint", shown, where, exchange="ExternalConnectionSettings")
    tls = server.imap.tls
    yield row("CertificateName", tls.expected_name or server.imap.host, origin("imap.tls.expected_name"))
    yield row("ProbesAcceptFrom", tls.minimum_version, origin("imap.tls.minimum_version"))
    yield row("ProxyProtocol", yes_or_no(server.imap.proxy_protocol), origin("imap.proxy_protocol"))
    if server.is_proxy:
        yield row("BackendTimeout", write_duration(server.backend_timeout), origin("backend_timeout"))
    for setting, key, value in (
        ("Service", "host.service", server.host.service),
        ("CertificateFileWatched", "host.certificate_file", server.host.certificate_file),
        ("LogFiles", "host.log_files", ", ".join(server.host.log_files)),
    ):
        yield row(setting, value or None, origin(key) if value else f"{here}.{key}", unknown=NOT_SET)


def _endpoint(imap: ImapEndpoint) -> str:
    return f"{imap.host}:{imap.port} ({imap.security.value})"


# From nobody yet


async def _protocol_log(log: ProtocolLog | None) -> tuple[ImapSetting, ...]:
    """Whether conversations of health mailboxes are written down there, and where."""
    value, location, because = None, None, "it is no mailbox server whose Dovecot host.doveadm names"
    if log is not None:
        try:
            standing = await log.standing()
        except TemporaryFailure as failure:
            because = str(failure)
        else:
            because = standing.because if not standing.is_available else "its host"
            value = yes_or_no(standing.is_on) if standing.is_available else None
            location = (standing.directory or None) if standing.is_available else None
    return (
        row("ProtocolLog", value, because, exchange="ProtocolLogEnabled"),
        row("ProtocolLogLocation", location, because, exchange="LogFileLocation"),
    )
