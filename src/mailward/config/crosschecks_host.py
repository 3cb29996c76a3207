"""
Mistakes in how a host or an access point is controlled: words that need each other, or would be passed over.

What is wrong here shows when a recovery wants to act, at the worst of moments; so it is said when it is written.
"""

from collections.abc import Iterator, Mapping

from mailward.config.filling import in_place
from mailward.config.layers import Setting, Settings
from mailward.config.mistakes import KeyPath, Mistake, hint, quoted
from mailward.config.open_secrets import told
from mailward.config.schema import AccessPointTable
from mailward.config.schema_acting import HOST_COMMANDS
from mailward.config.within import Within
from mailward.model.errors import ConfigError, Refused
from mailward.platforms.reach.mailward_host import is_peer
from mailward.platforms.reach.ssh import destination
from mailward.platforms.systemd.unit_names import require_unit_name

_HOST, _COMMANDS = "host", "commands"
_BY_COMMAND = "command"
_NEEDED_BY_SERVICE = ("status", "start")
#: What can be controlled on another host: `mailward-host` there knows systemd; a command runs here.
_ELSEWHERE = {"service": ("systemd",), "control": ("systemd", _BY_COMMAND)}
_HAPROXY = "haproxy:"
_DOVEADM = (_HOST, "doveadm")


def host_mistakes(within: Within, path: KeyPath, settings: Settings) -> Iterator[Mistake]:
    """Mistakes between the host settings of the server at *path*."""
    service, control = settings.get((_HOST, "service")), settings.get((_HOST, "control"))
    commands = {str(key[2]): setting for key, setting in settings.items() if key[:2] == (_HOST, _COMMANDS)}
    yield from _needed(within, service, commands, _NEEDED_BY_SERVICE)
    yield from _needed(within, control, commands, HOST_COMMANDS)
    for verb, command in commands.items():
        key, user = ("control", control) if verb in HOST_COMMANDS else ("service", service)
        if not _uses(user, command) and not within.was_given((*path, _HOST, key)):
            yield within.mistake(command.path, f'is used with host.{key} = "command" alone')
    yield from _secrets(within, commands)
    restartable = settings.get(("restartable",))
    if restartable is not None and restartable.value and control is None:
        text = 'needs host.control, by which the machine is restarted: "systemd", "supervisor:SOCKET" or "command"'
        if not within.was_given((*path, _HOST, "control")):
            yield within.mistake(restartable.path, text)
    yield from _out_of_reach(within, str(path[-1]), settings)
    yield from _unit(within, str(path[-1]), service)


def peer_mistakes(within: Within, servers: Mapping[str, Settings]) -> Iterator[Mistake]:
    """Addresses that a server behind ssh cannot be told to synchronise with, each once."""
    behind_ssh = [name for name, settings in servers.items() if _is_behind_ssh(settings) and _DOVEADM in settings]
    for name, settings in servers.items():
        address = settings.get((_HOST, "replication_address"))
        asking = next((other for other in behind_ssh if other != name), None)
        if address is not None and asking is not None and not is_peer(in_place(str(address.value), name)):
            text = f"is no address that {asking}, which is reached by ssh, can be told"
            yield within.mistake(address.path, f"{text}: tcp:HOST:PORT or tcps:HOST:PORT, HOST a name or IPv4")


def access_point_mistakes(within: Within, path: KeyPath, table: AccessPointTable) -> Iterator[Mistake]:
    """Mistakes in how proxies are taken out of the access point at *path*."""
    if table.control is not None and table.control.startswith(_HAPROXY):
        if table.backend is None:
            text = "is missing; name HAProxy's backend the proxies are in"
            yield from within.missing((*path, "backend"), text)
    elif not within.was_given((*path, "control")):
        for key in ("backend", "members"):
            if key in table.model_fields_set:
                yield within.mistake((*path, key), 'is used with control = "haproxy:SOCKET" alone')
    yield from _members(within, (*path, "members"), table.members or {}, table.servers or [])


def _needed(
    within: Within, setting: Setting | None, commands: Mapping[str, Setting], verbs: tuple[str, ...]
) -> Iterator[Mistake]:
    if setting is None or setting.value != _BY_COMMAND:
        return
    for verb in verbs:
        if verb not in commands:
            text = f'is missing; {setting.path[-1]} = "command" needs it'
            yield from within.missing((*setting.path[:-1], _COMMANDS, verb), text)


def _uses(user: Setting | None, command: Setting) -> bool:
    """Whether the command is used, or was a template's or group's and the server decided for something else."""
    if user is None:
        return False
    return user.value == _BY_COMMAND or (user.path[0] == "servers" and command.path[0] != "servers")


def _is_behind_ssh(settings: Settings) -> bool:
    reach = settings.get((_HOST, "reach"))
    return reach is not None and str(reach.value).startswith("ssh:")


def _out_of_reach(within: Within, name: str, settings: Settings) -> Iterator[Mistake]:
    if not _is_behind_ssh(settings):
        return
    reach = settings[_HOST, "reach"]
    try:
        destination(in_place(str(reach.value), name))
    except ConfigError as error:
        yield within.mistake(reach.path, f"leads nowhere for server {name}: {error}")
    for key, kinds in _ELSEWHERE.items():
        setting = settings.get((_HOST, key))
        if setting is not None and str(setting.value).partition(":")[0] not in kinds:
            instead = '"systemd:UNIT"' if key == "service" else '"systemd" or "command"'
            text = f"looks at this machine, but host.reach leads to another; use {instead}"
            yield within.mistake(setting.path, text)
    doveadm = settings.get(_DOVEADM)
    if doveadm is not None and not in_place(str(doveadm.value), name).startswith("/"):
        text = "names a file of this machine, but host.reach leads to another; use the name of its dovecot.conf there"
        yield within.mistake(doveadm.path, f'{text}, such as "/etc/dovecot/dovecot.conf"')


def _secrets(within: Within, commands: Mapping[str, Setting]) -> Iterator[Mistake]:
    for setting in commands.values():
        words = setting.value if isinstance(setting.value, list) else []
        for text in told(str(word) for word in words):
            yield within.mistake(setting.path, text)


def _unit(within: Within, name: str, service: Setting | None) -> Iterator[Mistake]:
    if service is None:
        return
    kind, _, unit = in_place(str(service.value), name).partition(":")
    if kind != "systemd":
        return
    try:
        require_unit_name(unit)
    except Refused as refusal:
        text = f'leads nowhere for server {name}: {refusal}; write it as systemctl does, such as "dovecot.service"'
        yield within.mistake(service.path, text)


def _members(within: Within, path: KeyPath, members: Mapping[str, str], servers: list[str]) -> Iterator[Mistake]:
    behind = {server.lower() for server in servers}
    owner: dict[str, str] = {}
    seen: set[str] = set()
    for server, there in members.items():
        if server.lower() not in behind and not within.was_given((*path[:-1], "servers")):
            text = f"names {quoted(server)}, which is not among its servers{hint(server, servers)}"
            yield within.mistake((*path, server), text)
        if server.lower() in seen:
            yield within.mistake((*path, server), f"names {quoted(server)} twice")
        seen.add(server.lower())
        first = owner.setdefault(there, server)
        if first != server:
            # the wrong proxy would be taken out
            yield within.mistake((*path, server), f"has the name {quoted(there)}, which {first} has")
