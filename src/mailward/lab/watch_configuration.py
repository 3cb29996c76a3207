"""The mailward configuration that watches a lab: complete, and written as an administrator would write it."""

from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from mailward.lab.blueprint import PUBLIC_NAME, Blueprint, LabDatabase, LabHost
from mailward.lab.certificates import certificate_file
from mailward.lab.dovecot_conf import BACKEND_TIMEOUT_S
from mailward.lab.files import make_directory, write_private
from mailward.lab.haproxy_conf import BACKEND, runtime_socket

WEB_PORT = 8143


class Timings(Enum):
    """How often a lab is probed."""

    DEFAULT = "default"
    """As mailward does by default."""
    SHORT = "short"
    """Every few seconds: what tests and impatient newcomers want. Time-outs stay as they are."""


def write_configuration(
    blueprint: Blueprint,
    *,
    timings: Timings = Timings.DEFAULT,
    mode: str | None = None,
    listen: str | None = None,
    more: str = "",
) -> Path:
    """
    Write mailward.toml for this lab and make its state directory.

    Args:
        blueprint: The lab.
        timings: How often to probe.
        mode: How far mailward may go (observe, recommend, approve, act), in every class of action; None leaves its
            defaults.
        listen: Where the dashboard listens; None: at an address of the lab.
        more: Further TOML, put at the end.

    Returns:
        The file.
    """
    directory = blueprint.directory / "mailward"
    make_directory(directory / "state", mode=0o700)
    file = directory / "mailward.toml"
    write_private(file, render_configuration(blueprint, timings=timings, mode=mode, listen=listen) + more)
    return file


def web_address(blueprint: Blueprint) -> str:
    """Where the dashboard of this lab listens unless told otherwise: an address that no other lab has."""
    return f"{blueprint.prober}:{WEB_PORT}"


def render_configuration(
    blueprint: Blueprint, *, timings: Timings, mode: str | None = None, listen: str | None = None
) -> str:
    """The text of mailward.toml."""
    parts = [
        _HEAD.format(
            shape=blueprint.shape.value,
            state=blueprint.directory / "mailward" / "state",
            listen=listen or web_address(blueprint),
            secrets=blueprint.secrets,
            port=blueprint.ports.imaps,
            prober=blueprint.prober,
            ca=blueprint.ca_file,
        )
    ]
    if blueprint.proxies:
        parts.append(
            _GROUPS.format(
                proxies=_list(host.name for host in blueprint.proxies),
                mailbox_servers=_list(host.name for host in blueprint.mailbox_servers),
                timeout=BACKEND_TIMEOUT_S,
                secrets=blueprint.secrets,
            )
        )
    else:
        parts.append(_ONE_BOX.format(name=blueprint.hosts[0].name))
    parts += [_server(blueprint, host, may_restart=bool(blueprint.proxies)) for host in blueprint.hosts]
    if not blueprint.proxies:
        parts.append(_access_point(blueprint, blueprint.hosts[0]))
    elif blueprint.balancer is not None:
        parts.append(_balanced_access_point(blueprint, blueprint.balancer))
    parts += [_database(database) for database in blueprint.databases]
    if blueprint.proxies:
        parts.append(_ROUTING.format(map=blueprint.map_file))
    if timings is Timings.SHORT:
        parts.append(_SHORT)
    if mode is not None:
        parts.append(_RECOVERY.format(mode=mode, waits=_SHORT_WAITS if timings is Timings.SHORT else ""))
    return "\n".join(parts)


def _server(blueprint: Blueprint, host: LabHost, *, may_restart: bool) -> str:
    text = _SERVER.format(
        name=host.name,
        fqdn=host.fqdn,
        address=host.address,
        door=host.control_socket,
        log=host.log,
        stores=_list([str(host.store)] if host.is_mailbox else []),
        certificate=certificate_file(host),
        restartable="true" if may_restart else "false",
        dovecot=host.configuration,
    )
    if host.is_proxy:
        text += _MAIL.format(address=host.address, port=blueprint.ports.lmtp)
    return text if host.peer is None else text + _PEER.format(address=host.address, port=blueprint.ports.doveadm)


def _access_point(blueprint: Blueprint, host: LabHost) -> str:
    return _ACCESS_POINT.format(
        name=PUBLIC_NAME,
        fqdn=host.fqdn,
        address=host.address,
        port=blueprint.ports.imaps,
        prober=blueprint.prober,
        ca=blueprint.ca_file,
        servers=_list([host.name]),
    )


def _balanced_access_point(blueprint: Blueprint, balancer: LabHost) -> str:
    plain = _ACCESS_POINT.format(
        name=PUBLIC_NAME,
        fqdn=PUBLIC_NAME,
        address=balancer.address,
        port=blueprint.ports.imaps,
        prober=blueprint.prober,
        ca=blueprint.ca_file,
        servers=_list(proxy.name for proxy in blueprint.proxies),
    )
    return plain + _CONTROL.format(socket=runtime_socket(balancer), backend=BACKEND)


def _database(database: LabDatabase) -> str:
    return f"[databases.{database.name}]\ncopies = {_list(database.copies)}\nmailboxes = {len(database.users)}\n"


def _list(words: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


_HEAD = """\
# A mailward lab ({shape}). Addresses and passwords are good for this run of it only.

[organization]
name = "lab"
identity = "mailward-lab"

[manager]
state_directory = "{state}"

[web]
listen = "{listen}"

# one account per mailbox server and per database that only probes use
[health_mailboxes]
user = "health-{{name}}"
password_file = "{secrets}/health-{{name}}.password"

[templates.dovecot]
platform = "dovecot"

[templates.dovecot.imap]
port = {port}
# an own address, so that a ban or a penalty that meets probes meets nobody else
source_address = "{prober}"
tls.ca_file = "{ca}"
"""

_GROUPS = """\
[groups.proxies]
servers = {proxies}
template = "dovecot"
roles = ["proxy"]
backend_timeout = "{timeout}s"

[groups.proxies.health_mailbox]
user = "health-proxy"
password_file = "{secrets}/health-proxy.password"

[groups.mailbox-servers]
servers = {mailbox_servers}
template = "dovecot"
roles = ["mailbox"]
"""

_ONE_BOX = """\
[groups.mailbox-servers]
servers = ["{name}"]
template = "dovecot"
roles = ["mailbox"]
"""

_SERVER = """\
[servers.{name}]
known_as = ["{fqdn}"]
imap.host = "{address}"
imap.tls.expected_name = "{fqdn}"
host.service = "supervisor:{door}"
host.control = "supervisor:{door}"
restartable = {restartable}
host.log_files = ["{log}"]
host.store_paths = {stores}
host.certificate_file = "{certificate}"
host.doveadm = "{dovecot}"
"""

_MAIL = 'lmtp = "tcp:{address}:{port}"\n'

_PEER = 'host.replication_address = "tcp:{address}:{port}"\n'

_ROUTING = """\
# which copy of a database is active: the proxies look it up here
[routing]
map = "sqlite:{map}"
active = "SELECT name, active FROM databases"
mailboxes = "SELECT username FROM users WHERE \\"database\\" = :database"
switch = "UPDATE databases SET active = :target, hold_until = :hold_until WHERE name = :database AND active = :source"

[replication]
kind = "replicator"
"""

_ACCESS_POINT = """\
# the name and port users have in their mail programs
[access_points."{name}"]
servers = {servers}
imap.host = "{address}"
imap.port = {port}
imap.source_address = "{prober}"
imap.tls.ca_file = "{ca}"
imap.tls.expected_name = "{fqdn}"
"""

_CONTROL = """\
# by this a proxy is taken out of it and put back
control = "haproxy:{socket}"
backend = "{backend}"
"""

_RECOVERY = """\
[recovery]
mode = "{mode}"
load = "{mode}"
{waits}
[recovery.classes]
start = "{mode}"
reload = "{mode}"
restart = "{mode}"
access-point = "{mode}"
move = "{mode}"
server-restart = "{mode}"
"""

_SHORT_WAITS = """\
# waits as short as the intervals; how long a running service must have been broken before it is restarted stays
settle = "6s"
server_settle = "20s"
look_again = "2s"
observe = "10s"
"""

_SHORT = """\
[probes.ImapSelfTestProbe]
interval = "2s"

[probes.ImapDeepTestProbe]
interval = "3s"
write_turn_every = "6s"
passive_copy_interval = "5s"

[probes.ImapProxyTestProbe]
interval = "2s"

[probes.ImapCTPProbe]
interval = "1s"

[probes.DiskSpaceCheck]
interval = "3s"

# limits that a lab reaches within seconds
[probes.ImapCommandTimeCheck]
interval = "2s"
window = "20s"
stuck_after = "8s"

[probes.ImapQueueCheck]
interval = "2s"

[monitors.AverageCommandProcessingTimeGt60sMonitor]
threshold = "500ms"

[probes.HealthManagerCheck]
interval = "3s"

[probes.ImapReplicationCheck]
interval = "3s"

[moves]
poll_every = "2s"

# a window as short as the intervals: one fault after the other must not add up to a percentage
[monitors.ImapCTPMonitor.percent]
window = "20s"
"""
