"""The rows of `mailward report --rollup`: health sets over groups of servers (Get-HealthReport -RollupGroup)."""

from collections.abc import Iterable, Mapping, Sequence

from mailward.health.order import RANK, worst
from mailward.health.settings import RollupSettings
from mailward.model.health import HealthSetReport, RollupReport
from mailward.model.monitoring import AlertValue
from mailward.model.organization import Organization

_WORKS = frozenset({AlertValue.HEALTHY, AlertValue.DEGRADED})
_NAMES_MAX = 6


def rollup(
    reports: Iterable[HealthSetReport], organization: Organization, settings: RollupSettings
) -> tuple[RollupReport, ...]:
    """
    Health sets over groups of servers, worst first.

    A group is as healthy as its worst server, but only Degraded instead of Unhealthy while at least
    `minimum_online_percent` of its servers work (are Healthy or Degraded). Where the set is disabled a server is not
    counted.
    """
    by_set: dict[str, dict[str, HealthSetReport]] = {}
    for row in reports:
        by_set.setdefault(row.health_set, {})[row.server] = row
    groups = groups_of(organization, settings)
    rows = [
        _group_report(group, health_set, [of_server[name] for name in servers if name in of_server], settings)
        for health_set, of_server in by_set.items()
        for group, servers in groups.items()
        if any(name in of_server for name in servers)
    ]
    rows.sort(key=lambda row: (RANK[row.alert_value], row.group, row.health_set))
    return tuple(rows)


def groups_of(organization: Organization, settings: RollupSettings) -> Mapping[str, tuple[str, ...]]:
    """
    Group -> its servers: the configured groups, then the remaining servers by role in groups of `group_size`.

    Access points make a group of their own.
    """
    groups: dict[str, list[str]] = {}
    rest: dict[str, list[str]] = {"proxies": [], "mailbox servers": []}
    for server in organization.servers.values():
        for group in server.groups:
            groups.setdefault(group, []).append(server.name)
        if not server.groups:
            rest["proxies" if server.is_proxy else "mailbox servers"].append(server.name)
    rest["access points"] = list(organization.access_points)
    for role, names in rest.items():
        for start in range(0, len(names), settings.group_size):
            end = min(start + settings.group_size, len(names))
            title = role if len(names) <= settings.group_size else f"{role} {start + 1}-{end}"
            groups[title] = names[start:end]
    return {name: tuple(servers) for name, servers in groups.items()}


def _group_report(
    group: str, health_set: str, rows: Sequence[HealthSetReport], settings: RollupSettings
) -> RollupReport:
    counted = [row for row in rows if row.alert_value is not AlertValue.DISABLED]
    working = sum(row.alert_value in _WORKS for row in counted)
    healthy = sum(row.alert_value is AlertValue.HEALTHY for row in counted)
    value = worst(row.alert_value for row in rows)
    is_enough = 100 * working >= settings.minimum_online_percent * len(counted)
    if value is AlertValue.UNHEALTHY and is_enough:
        value = AlertValue.DEGRADED
    return RollupReport(
        group=group,
        health_set=health_set,
        alert_value=value,
        healthy_servers=healthy,
        servers=len(counted),
        because=_because(counted, working, settings),
    )


def _because(counted: Sequence[HealthSetReport], working: int, settings: RollupSettings) -> str:
    if not counted:
        return "disabled on every server"
    bad = sorted(
        (row for row in counted if row.alert_value is not AlertValue.HEALTHY),
        key=lambda row: (RANK[row.alert_value], row.server),
    )
    works = f"{working} of {len(counted)} work"
    if not bad:
        return works
    percent = 100 * working // len(counted)
    names = ", ".join(f"{row.server} {row.alert_value.value}" for row in bad[:_NAMES_MAX])
    more = f" and {len(bad) - _NAMES_MAX} more" if len(bad) > _NAMES_MAX else ""
    return f"{works} ({percent} %, {settings.minimum_online_percent} % are needed): {names}{more}"
