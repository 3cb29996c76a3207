"""The schema of what mailward may do: `[recovery]`, and the commands by which a host is controlled."""

import re
from dataclasses import fields
from typing import Literal

from mailward.config.fields import Table, table_of, table_with
from mailward.model.errors import ConfigError
from mailward.model.recovery import ActionClass, Mode
from mailward.platforms.reach.ssh import LOCAL, destination
from mailward.recovery.settings import CLASS_DEFAULTS, RecoverySettings

#: Verb of `host.commands` -> what the command must do. Exit statuses are those of init scripts (LSB core 3.1).
COMMANDS = {
    "status": (
        "Says by its exit status how the service is: 0 runs, 1 or 2 failed, 3 stopped on purpose (left alone),"
        " 4 unknown, 150 hangs; 1 or 2 with nothing but a complaint is unknown as well. Its output may have the lines"
        " `pid=`, `since=` (seconds since 1970) and `starts=`."
    ),
    "start": "Starts the service.",
    "stop": "Stops the service and everything it started.",
    "restart": "Restarts the service.",
    "reload": "Has the running service read its configuration and certificates again.",
    "enable": "Has the service start with the machine.",
    "check": "Says by its exit status whether the configuration on disk would be accepted: 0 would, anything else not.",
    "restart-server": 'Restarts the machine; may return before it goes down. With `control = "command"`.',
    "boot-id": 'Prints what changes with every boot, on one line. With `control = "command"`.',
}
#: Those that control the machine; the others control the service.
HOST_COMMANDS = ("restart-server", "boot-id")

CLASSES = "classes"
_MEANINGS = {
    ActionClass.START: "Start a service that failed; one that was stopped on purpose is left alone.",
    ActionClass.RELOAD: "Reload a service that serves an old certificate or map.",
    ActionClass.RESTART: "Restart a running service.",
    ActionClass.ACCESS_POINT: "Take a proxy out of the access point, and put it back.",
    ActionClass.MOVE: "Move mailbox databases to other copies.",
    ActionClass.SERVER_RESTART: "Restart a server that its configuration names as `restartable`.",
}
_MODES = Literal[tuple(mode.value for mode in Mode)]  # type: ignore[valid-type] # a closed set made from the enum

ClassesTable: type[Table] = table_with(
    "ClassesTable",
    "The most each class of action may do; never more than `recovery.mode`. What is not written keeps its default.",
    {action.value: (_MODES, _MEANINGS[action]) for action in ActionClass},
    {action.value: mode.value for action, mode in CLASS_DEFAULTS.items()},
)
RecoveryTable: type[Table] = table_of(
    RecoverySettings(),
    name="RecoveryTable",
    keys={field.name: field.name for field in fields(RecoverySettings) if field.name != CLASSES},
    more={CLASSES: ClassesTable},
)


def reach_address(text: str) -> str:
    """
    Check where commands run.

    Raises:
        ValueError: It is neither this host nor an ssh destination.
    """
    if text == LOCAL:
        return text
    try:
        destination(text.replace("{name}", "name"))
    except ConfigError as error:
        raise ValueError('must be "local", "ssh:USER@HOST" or "ssh:USER@HOST:PORT"') from error
    return text


def lmtp_address(text: str) -> str:
    """
    Check where mail is handed over.

    Raises:
        ValueError: It is neither a port nor a socket.
    """
    kind, _, rest = text.partition(":")
    host, _, port = rest.rpartition(":")
    is_port = kind == "tcp" and bool(host) and port.isascii() and port.isdigit() and 0 < int(port) < 65536
    if not is_port and not (kind == "unix" and rest.startswith("/")):
        raise ValueError('must be "tcp:HOST:PORT" or "unix:/SOCKET"')
    return text


def haproxy_name(text: str) -> str:
    """
    Check a name in HAProxy: what its runtime socket takes for one word.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,128}", text):
        raise ValueError("must be a name in HAProxy: letters, digits, and any of _ . : -")
    return text
