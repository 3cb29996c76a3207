"""
The configuration file's schema: every section and key, with its meaning under it.

Nothing is required by these tables: what must be there can come from a template, a group or a default, and is asked for
after they are put together. The reference page and `config schema` are made from here.
"""

from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, Field

from mailward.alerts.settings import EscalationSettings
from mailward.config.fields import (
    AT_HOME,
    Argv,
    FileName,
    Listen,
    Port,
    PositiveDuration,
    ProxyNetwork,
    Table,
    Text,
    WebAddress,
    table_of,
    table_with,
)
from mailward.config.languages import LanguageTag
from mailward.config.schema_acting import COMMANDS, RecoveryTable, haproxy_name, lmtp_address, reach_address
from mailward.config.schema_routing import Replication, ReplicationAddress, ReplicationTable, RoutingTable
from mailward.config.schema_telling import NotifyTable
from mailward.failover.settings import MoveSettings
from mailward.health.settings import RollupSettings
from mailward.model import items
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import FIELD_OF_ITEM, MonitorSettings
from mailward.ports.store import Retention


class OrganizationTable(Table):
    """What the whole is called."""

    name: Text | None = None
    """The organization's name, as tables and alerts show it. Required."""
    identity: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$")] | None = None
    """
    The token by which probes recognise their own messages in a health mailbox. Default: "mailward". Two managers that
    share health mailboxes need two identities.
    """
    language: LanguageTag | None = None
    """
    The language people are told in. Names of items, AlertValue, commands and the reasons of verdicts are English in
    each. Default: "en".
    """
    documentation: WebAddress | None = None
    """
    Where your people read what a monitor means: the address under which the folder docs/ of this version is found, or
    any address with `{monitor}` in it. Every alert links there. Default: alerts name the command and the page.
    """


class HealthMailboxTable(Table):
    """An account only probes use. Its password is kept elsewhere; give exactly one of the three places."""

    user: Text | None = None
    """The name to log in with. `{name}` stands for the server's or database's name in lower case."""
    password_file: FileName | None = None
    """A file that holds nothing but the password. It should be readable by mailward alone."""
    password_environment: Text | None = None
    """The environment variable that holds the password."""
    password_credential: Text | None = None
    """The systemd credential (`LoadCredential=`) that holds the password."""
    login_as: Text | None = None
    """
    With a master user: the name to authenticate as; `user` is then whose mailbox is opened. A master user opens every
    mailbox, so prefer real accounts.
    """


class TlsTable(Table):
    """What a certificate and a handshake must satisfy."""

    ca_file: FileName | None = None
    """PEM file of the authorities to trust. Default: the system's."""
    minimum_version: Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] | None = None
    """The oldest version of TLS to accept. Default: "TLSv1.2"."""
    expected_name: Text | None = None
    """The name the certificate must carry. Default: the host that is connected to."""
    verify: bool | None = None
    """Whether the certificate must verify. Default: true. Off, an attacker on the path reads the health mailbox."""


class ImapTable(Table):
    """How to reach one IMAP service."""

    host: Text | None = None
    """DNS name or address. Default: the server's or access point's own name. `{name}` stands for it in lower case."""
    port: Port | None = None
    """The port it listens on. Default: 993, or 143 when `security` is not "tls"."""
    security: Literal["tls", "starttls", "plain"] | None = None
    """TLS from the first byte, by STARTTLS, or none at all. Default: "tls"."""
    tls: TlsTable | None = None
    source_address: Text | None = None
    """
    The local address probes come from. An own one keeps a server's penalties and bans away from whatever else runs on
    this host, and the other way round.
    """
    proxy_protocol: bool | None = None
    """Whether the server expects a PROXY protocol v2 header, as back ends behind a load balancer do. Default: false."""
    allow_plaintext_auth: bool | None = None
    """Whether a password may be sent on an unencrypted connection. Default: false."""


SERVICE = r"^((systemd|pidfile|supervisor|doveadm):[^\x00-\x1f]+|command)$"
CONTROL = r"^(supervisor:[^\x00-\x1f]+|systemd|command)$"
ACCESS_POINT_CONTROL = r"^(haproxy:[^\x00-\x1f]+|health-page)$"

HaproxyName = Annotated[Text, AfterValidator(haproxy_name)]

CommandsTable = table_with(
    "CommandsTable",
    "The words of each command, one list each; no shell sees them.",
    {verb: (Argv, meaning) for verb, meaning in COMMANDS.items()},
)


class HostTable(Table):
    """How mailward sees the host of a server; every part may be absent and then shows as not available."""

    service: Annotated[str, Field(pattern=SERVICE), AT_HOME] | None = None
    """
    How its IMAP service is watched and controlled: "systemd:UNIT", "doveadm:CONFIG" (a Dovecot that nothing
    supervises), "pidfile:FILE", "supervisor:SOCKET", or "command" with the words of `host.commands`.
    """
    reach: Annotated[Text, AfterValidator(reach_address)] | None = None
    """
    Where its commands run: "local", or "ssh:USER@HOST" or "ssh:USER@HOST:PORT", where the forced command
    `mailward-host` answers. Default: "local".
    """
    commands: CommandsTable | None = None  # type: ignore[valid-type] # its keys have hyphens
    control: Annotated[str, Field(pattern=CONTROL), AT_HOME] | None = None
    """
    How the machine itself is restarted: "systemd", "supervisor:SOCKET", or "command" with `restart-server` and
    `boot-id` of `host.commands`. Without it that is not available.
    """
    healer_marks: list[FileName] | None = None
    """
    Files whose existence says that somebody else is at work on this host, such as a cluster manager; nothing is done to
    it meanwhile.
    """
    log_files: list[FileName] | None = None
    """Log files of the IMAP service, searched for the session of a failed probe."""
    store_paths: list[FileName] | None = None
    """Directories of mail stores whose file systems are watched for space and inodes."""
    certificate_file: FileName | None = None
    """The certificate the service is configured with, to notice one that was renewed but not loaded."""
    doveadm: FileName | None = None
    """
    The dovecot.conf by which `doveadm` reaches this server's Dovecot: a proxy's sessions and caches, a mailbox server's
    replication. Needed to move databases. With `reach` "ssh:…" it says that doveadm is used there; the file is the one
    that `mailward-host` is configured with.
    """
    replication_address: ReplicationAddress | None = None
    """
    Mailbox servers: where the others reach this one to synchronise, as `doveadm sync` takes it: "tcp:HOST:PORT" or
    "tcps:HOST:PORT". A mailbox server behind ssh has it among the `peers` of its `mailward-host`, letter for letter.
    """


class ServerTable(Table):
    """A host with the role proxy, mailbox, or both. Templates and groups take the same keys."""

    roles: list[Literal["proxy", "mailbox"]] | None = None
    """What the server does: "proxy" passes clients on, "mailbox" holds mailboxes. Required."""
    platform: Literal["dovecot", "imap"] | None = None
    """The kind of software; "imap" is anything that speaks it. Default: "imap"."""
    imap: ImapTable | None = None
    health_mailbox: HealthMailboxTable | None = None
    """Mailbox servers: the local health mailbox, outside every database."""
    host: HostTable | None = None
    backend_timeout: PositiveDuration | None = None
    """Proxies: how long the proxy itself waits for a mailbox server before it gives up. Default: "15s"."""
    known_as: list[Text] | None = None
    """Further names under which the server shows itself: its FQDN, the name in its ID reply."""
    lmtp: Annotated[Text, AfterValidator(lmtp_address)] | None = None
    """
    Proxies: where mail is handed over for delivery, "tcp:HOST:PORT" or "unix:/SOCKET". Before a move of a database is
    called done, a test message is delivered there to its health mailbox, read and removed. Default: that is not tried.
    """
    sentinel: bool | None = None
    """Whether to keep one idle session open whose end triggers an immediate probe. Default: false."""
    site: Text | None = None
    """Where it stands. One service per role and site is restarted at a time. Default: none, one site for all."""
    restartable: bool | None = None
    """
    Whether mailward may ever restart the machine itself; needs `host.control`. Default: false. Without it that action
    does not exist for this server.
    """


class GroupTable(ServerTable):
    """Settings for several servers at once."""

    servers: list[Text] | None = None
    """
    Names of servers, or patterns such as "be*". An empty list means no server; a pattern that matches none is a
    mistake. Required.
    """
    template: Text | None = None
    """The template these servers start from."""


class AccessPointTable(Table):
    """The public name and port users connect to."""

    imap: ImapTable | None = None
    servers: list[Text] | None = None
    """The proxies behind it; without proxies, the mailbox server."""
    backend_timeout: PositiveDuration | None = None
    """How long a proxy behind it waits for a mailbox server. Default: the longest of its servers'."""
    control: Annotated[str, Field(pattern=ACCESS_POINT_CONTROL), AT_HOME] | None = None
    """
    How a proxy is taken out of it: "haproxy:SOCKET" (HAProxy's runtime socket, level admin), or "health-page" (the load
    balancer polls /health/SERVER). Without it no proxy can be taken out.
    """
    backend: HaproxyName | None = None
    """HAProxy: the name of the backend the proxies are in. Required with "haproxy:"."""
    members: dict[str, HaproxyName] | None = None
    """HAProxy: names of servers here with their names in the backend, where the two differ."""


class DatabaseTable(Table):
    """A mailbox database: the group of mailboxes that fails over as one."""

    copies: list[Text] | None = None
    """The mailbox servers that hold a copy, the preferred one first. Required."""
    active: Text | None = None
    """The server of the active copy. Default: the first of `copies`."""
    health_mailbox: HealthMailboxTable | None = None
    """
    The account in this database that only probes use. Without one, here or by `[health_mailboxes]`, nothing in the
    database can be read and no user's way to it is probed.
    """
    mailboxes: Annotated[int, Field(ge=0)] | None = None
    """How many mailboxes it holds, to say how many users a fault meets."""
    replication: Replication | None = None
    """How its copies come to be alike. Default: `replication.kind`; with one copy, "single"."""


class ManagerTable(Table):
    """The manager itself."""

    state_directory: FileName | None = None
    """Where it keeps its database and its lock. Default: $STATE_DIRECTORY (systemd), else /var/lib/mailward."""
    socket: FileName | None = None
    """Where it listens for the command line. Default: api.sock in the state directory."""
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    """The least of what it logs. Default: "info"."""


class WebTable(Table):
    """The dashboard, and the API over TCP; without this table there is neither. A change takes effect at a restart."""

    listen: Listen | None = None
    """
    The IP address and port to listen on, "127.0.0.1:8143" or "[::1]:8143". While nobody can log in it is an address of
    the loopback interface, and whoever is on this machine may look and not change; `mailward users add` lets people log
    in. Default: "127.0.0.1:8143".
    """
    public_url: WebAddress | None = None
    """
    The address under which people reach it, where that is a name or a reverse proxy stands before it: requests for
    other names are refused, cookies go by https alone where it begins so, and links in alerts begin with it.
    """
    certificate_file: FileName | None = None
    """
    PEM file of the certificate and its chain, to be served by TLS without a reverse proxy; needs `key_file`. A renewed
    one takes effect at a restart.
    """
    key_file: FileName | None = None
    """PEM file of the certificate's key. It should be readable by mailward alone."""
    trusted_proxies: list[ProxyNetwork] | None = None
    """
    Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed, so that attempts to log in are counted
    and recorded by the client's address. Default: none.
    """
    session_lasts: PositiveDuration | None = None
    """After how long people have to log in again, whatever they do. Default: "12h"."""
    session_idle: PositiveDuration | None = None
    """
    After how long without a page asked for they have to; a page that refreshes itself does not count. Default: "2h".
    """


#: Probe item -> TOML key -> field of ProbingSettings.
PROBE_KEYS: dict[str, dict[str, str]] = {
    items.SELF_TEST_PROBE: {"interval": "self_test_interval", "timeout": "self_test_timeout"},
    items.DEEP_TEST_PROBE: {
        "interval": "deep_test_interval",
        "timeout": "deep_test_timeout",
        "write_turn_every": "write_turn_every",
        "passive_copy_interval": "passive_copy_interval",
        "passive_copy_timeout": "passive_copy_timeout",
    },
    items.PROXY_TEST_PROBE: {"interval": "proxy_test_interval", "timeout": "proxy_test_timeout"},
    items.CTP_PROBE: {"interval": "ctp_interval", "margin": "ctp_margin"},
    items.COMMAND_TIME_CHECK: {
        "interval": "command_time_interval",
        "timeout": "command_time_timeout",
        "window": "command_window",
        "stuck_after": "stuck_after",
        "stuck_sessions": "stuck_sessions",
    },
    items.QUEUE_CHECK: {"interval": "queue_interval", "timeout": "queue_timeout"},
    items.DISK_SPACE_CHECK: {"interval": "disk_interval", "timeout": "disk_timeout"},
    items.HEALTH_MANAGER_CHECK: {"interval": "health_manager_interval"},
    items.REPLICATION_CHECK: {"interval": "replication_interval", "timeout": "replication_timeout"},
}
PROBES_KEYS = {"jitter_percent": "jitter_percent", "back_off_max": "back_off_max"}
FLAPPING = "flapping"


_MONITOR_DEFAULTS = MonitorSettings()

ProbesTable = table_of(
    ProbingSettings(),
    name="ProbesTable",
    keys=PROBES_KEYS,
    more={item: table_of(ProbingSettings(), name=f"{item}Table", keys=keys) for item, keys in PROBE_KEYS.items()},
)
MonitorsTable = table_of(
    _MONITOR_DEFAULTS,
    name="MonitorsTable",
    keys={FLAPPING: FLAPPING},
    more={
        item: table_of(getattr(_MONITOR_DEFAULTS, field), name=f"{item}Table") for item, field in FIELD_OF_ITEM.items()
    },
)
RetentionTable = table_of(Retention(), name="RetentionTable")
MovesTable = table_of(MoveSettings(), name="MovesTable")
RollupTable = table_of(RollupSettings(), name="RollupTable")
EscalationTable = table_of(EscalationSettings(), name="EscalationTable")


class Configuration(Table):
    """A whole configuration."""

    organization: OrganizationTable | None = None
    health_mailboxes: HealthMailboxTable | None = None
    """The health mailbox of every mailbox server and database that does not name its own."""
    templates: dict[str, ServerTable] | None = None
    """Server settings by a name, for groups to start from."""
    groups: dict[str, GroupTable] | None = None
    """Several servers at once."""
    servers: dict[str, ServerTable] | None = None
    access_points: dict[str, AccessPointTable] | None = None
    databases: dict[str, DatabaseTable] | None = None
    routing: RoutingTable | None = None
    moves: MovesTable | None = None  # type: ignore[valid-type] # made from a settings class
    """How databases are moved."""
    replication: ReplicationTable | None = None
    probes: ProbesTable | None = None  # type: ignore[valid-type] # made from a settings class
    """How often and how long to probe; one table per probe."""
    monitors: MonitorsTable | None = None  # type: ignore[valid-type] # made from a settings class
    """How to judge; one table per monitor."""
    recovery: RecoveryTable | None = None  # type: ignore[valid-type] # made from a settings class
    notify: dict[str, NotifyTable] | None = None
    """Who is told, by a name for each channel."""
    escalation: EscalationTable | None = None  # type: ignore[valid-type] # made from a settings class
    rollup: RollupTable | None = None  # type: ignore[valid-type] # made from a settings class
    retention: RetentionTable | None = None  # type: ignore[valid-type] # made from a settings class
    manager: ManagerTable | None = None
    web: WebTable | None = None


def table_at(path: tuple[str | int, ...]) -> type[Table] | None:
    """The table of the schema at *path*, in which names somebody chose stand for themselves; None: no table there."""
    table: type[Table] | None = Configuration
    named = False
    for key in path:
        if table is None:
            return None
        if named:
            named = False
        else:
            field = table.model_fields.get(str(key))
            table, named = (None, False) if field is None else table_in(field.annotation)
    return None if named else table


def table_in(kind: Any) -> tuple[type[Table] | None, bool]:
    """The table that a field of that type holds, and whether it holds one for each of many names."""
    for part in get_args(kind) or (kind,):
        if get_origin(part) is dict:
            below = get_args(part)[1]
            return (below, True) if isinstance(below, type) and issubclass(below, Table) else (None, False)
        if isinstance(part, type) and issubclass(part, Table):
            return part, False
    return None, False


def keys_at(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The keys that are known in the table at *path*."""
    table = table_at(path)
    return () if table is None else tuple(table.model_fields)


def leaf_keys(table: type[Table], above: tuple[str, ...] = ()) -> tuple[tuple[str, ...], ...]:
    """The keys of *table* and of the tables within it, in the order of the schema; not those below chosen names."""
    found: list[tuple[str, ...]] = []
    for key, field in table.model_fields.items():
        below, named = table_in(field.annotation)
        if below is None:
            found.append((*above, key))
        elif not named:
            found += leaf_keys(below, (*above, key))
    return tuple(found)
