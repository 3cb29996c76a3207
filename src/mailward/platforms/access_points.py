"""From the configuration's words to the AccessPointControl they mean."""

from pathlib import Path

from mailward.model.errors import ConfigError, Refused
from mailward.model.organization import HEALTH_PAGE, AccessPoint
from mailward.platforms.haproxy.access_point import HAProxyAccessPoint
from mailward.ports.access_point_control import TAKE_OUT, AccessPointControl

_HAPROXY = "haproxy"


def access_point_control_for(access_point: AccessPoint) -> AccessPointControl | None:
    """
    Return the control of an access point, or None when mailward sends it no orders: no `control`, or the health page.

    Raises:
        ConfigError: `control` is of no known kind, the backend is missing, or a name cannot be one in HAProxy.
    """
    if access_point.control in (None, HEALTH_PAGE):
        return None
    kind, _, socket = access_point.control.partition(":")
    if kind != _HAPROXY or not socket:
        raise ConfigError(
            f"{_where(access_point)}: control = {access_point.control!r} is none of {_HAPROXY}:SOCKET, {HEALTH_PAGE}"
        )
    if not access_point.backend:
        raise ConfigError(f'{_where(access_point)}: control = "haproxy:…" needs the name of the backend, backend = "…"')
    names = {server: access_point.members.get(server, server) for server in access_point.servers}
    control = HAProxyAccessPoint(Path(socket), access_point.backend, names)
    try:
        for server in names:
            control.command(TAKE_OUT, server)
    except Refused as refusal:
        raise ConfigError(f"{_where(access_point)}: {refusal}") from refusal
    return control


def _where(access_point: AccessPoint) -> str:
    return f"access point {access_point.name}"
