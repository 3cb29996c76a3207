"""
From settings that are known to be right to the values the other rooms work with.

Defaults are those of the values themselves, except where one follows from another setting.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from mailward.alerts.settings import EscalationSettings
from mailward.config.building_channels import channels
from mailward.config.building_host import host_access, lmtp_endpoint
from mailward.config.building_routing import replication_kind, routing_map
from mailward.config.filling import file_name, filled, given, in_place, located, secret
from mailward.config.languages import languages
from mailward.config.layers import (
    HEALTH_MAILBOX,
    KIND_OF_PASSWORD,
    PASSWORDS,
    Settings,
    database_settings,
    groups_of,
    server_settings,
)
from mailward.config.schema import AccessPointTable, Configuration, OrganizationTable, WebTable
from mailward.config.tuning import monitors, over, probing, recovery
from mailward.failover.settings import MoveSettings
from mailward.health.settings import RollupSettings
from mailward.model.organization import (
    AccessPoint,
    Database,
    HealthMailbox,
    ImapEndpoint,
    Organization,
    Role,
    Security,
    Server,
    TlsPolicy,
)
from mailward.ports.settings import Snapshot
from mailward.ports.store import Retention

#: In the configuration's directory: an administrator can make it with everything else out of order.
STOP_FILE = "STOP"
_TLS_PORT, _PLAIN_PORT = 993, 143


def build(configuration: Configuration, directory: Path) -> Snapshot:
    """
    Make the snapshot of a configuration in which no mistake was found.

    Args:
        configuration: What the files say, valid.
        directory: Where relative file names start.
    """
    organization = _Builder(configuration, directory).organization()
    told = channels(configuration, directory)
    return Snapshot(
        organization=organization,
        monitors=monitors(configuration),
        probing=probing(configuration),
        retention=over(Retention(), configuration.retention),
        rollup=over(RollupSettings(), configuration.rollup),
        recovery=recovery(configuration),
        moves=over(MoveSettings(), configuration.moves),
        escalation=over(EscalationSettings(), configuration.escalation),
        channels=told,
        languages=languages((organization.language, *(channel.language for channel in told))),
        stop_file=str(directory / STOP_FILE),
    )


class _Builder:
    """Makes the organization; holds what its parts share."""

    def __init__(self, configuration: Configuration, directory: Path) -> None:
        self._configuration = configuration
        self._directory = directory
        self._groups = groups_of(configuration)
        self._written = {name.lower(): name for name in configuration.servers or {}}

    def organization(self) -> Organization:
        """The whole."""
        settings, _ = server_settings(self._configuration)
        servers = {name: self._server(name, own) for name, own in settings.items()}
        own = {name: self._database(name, found) for name, found in database_settings(self._configuration).items()}
        about = self._configuration.organization or OrganizationTable()
        return Organization(
            **given(
                name=about.name, identity=about.identity, language=about.language, documentation=about.documentation
            ),
            dashboard=str((self._configuration.web or WebTable()).public_url or "").rstrip("/"),
            servers=servers,
            databases=own,
            access_points={
                name: self._access_point(name, table, servers)
                for name, table in (self._configuration.access_points or {}).items()
            },
            routing=routing_map(self._configuration.routing, self._directory),
        )

    def _server(self, name: str, settings: Settings) -> Server:
        imap = self._endpoint(name, _below(settings, "imap"))
        lmtp = filled(_value(settings, "lmtp"), name)
        return Server(
            name=name,
            roles=frozenset(Role(role) for role in _value(settings, "roles")),
            imap=imap,
            health_mailbox=self._health_mailbox(name, _below(settings, HEALTH_MAILBOX)),
            host=host_access(name, _below(settings, "host"), self._directory),
            groups=self._groups[name],
            known_as=frozenset(in_place(known, name) for known in _value(settings, "known_as") or ()),
            **given(
                platform=_value(settings, "platform"),
                backend_timeout=_value(settings, "backend_timeout"),
                sentinel=_value(settings, "sentinel"),
                site=filled(_value(settings, "site"), name),
                lmtp=lmtp_endpoint(lmtp, source_address=imap.source_address),
                restartable=_value(settings, "restartable"),
            ),
        )

    def _access_point(self, name: str, table: AccessPointTable, servers: Mapping[str, Server]) -> AccessPoint:
        behind = tuple(self._written[server.lower()] for server in table.servers or ())
        timeouts = [servers[server].backend_timeout for server in behind if servers[server].is_proxy]
        longest: timedelta | None = max(timeouts, default=None)
        endpoint = table.imap.model_dump(exclude_unset=True) if table.imap is not None else {}
        return AccessPoint(
            name=name,
            imap=self._endpoint(name, _flat(endpoint)),
            servers=behind,
            members={self._written[server.lower()]: there for server, there in (table.members or {}).items()},
            **given(
                backend_timeout=table.backend_timeout or longest,
                control=None if table.control is None else located(self._directory, in_place(table.control, name)),
                backend=filled(table.backend, name),
            ),
        )

    def _database(self, name: str, settings: Settings) -> Database:
        copies = tuple(self._written[copy.lower()] for copy in _value(settings, "copies"))
        active = _value(settings, "active")
        return Database(
            name=name,
            copies=copies,
            active=copies[0] if active is None else self._written[active.lower()],
            health_mailbox=self._health_mailbox(name, _below(settings, HEALTH_MAILBOX)),
            mailboxes=_value(settings, "mailboxes"),
            replication=replication_kind(_value(settings, "replication"), self._configuration, copies=len(copies)),
        )

    def _endpoint(self, name: str, told: Mapping[str, Any]) -> ImapEndpoint:
        security = Security(told.get("security", Security.TLS.value))
        return ImapEndpoint(
            host=in_place(told.get("host", "{name}"), name),
            port=told.get("port", _TLS_PORT if security is Security.TLS else _PLAIN_PORT),
            security=security,
            tls=TlsPolicy(
                **given(
                    ca_file=self._file(name, told.get("tls.ca_file")),
                    minimum_version=told.get("tls.minimum_version"),
                    expected_name=filled(told.get("tls.expected_name"), name),
                    verify=told.get("tls.verify"),
                )
            ),
            **given(
                source_address=told.get("source_address"),
                proxy_protocol=told.get("proxy_protocol"),
                allow_plaintext_auth=told.get("allow_plaintext_auth"),
            ),
        )

    def _health_mailbox(self, name: str, told: Mapping[str, Any]) -> HealthMailbox | None:
        if "user" not in told:
            return None
        place = next(key for key in PASSWORDS if key in told)
        return HealthMailbox(
            user=in_place(told["user"], name),
            password=secret(self._directory, KIND_OF_PASSWORD[place], in_place(told[place], name)),
            login_as=filled(told.get("login_as"), name),
        )

    def _file(self, name: str, path: str | None) -> str | None:
        return None if path is None else file_name(self._directory, in_place(path, name))


def _value(settings: Settings, key: str) -> Any:
    setting = settings.get((key,))
    return None if setting is None else setting.value


def _below(settings: Settings, table: str) -> dict[str, Any]:
    """The settings of one table, with dotted keys below it."""
    return {
        ".".join(str(part) for part in key[1:]): setting.value for key, setting in settings.items() if key[0] == table
    }


def _flat(table: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in table.items():
        result |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return result
