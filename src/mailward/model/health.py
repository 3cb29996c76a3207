"""Health sets as seen from outside: the rows of `mailward health` and `mailward report`."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from mailward.model.items import HealthGroup
from mailward.model.monitoring import AlertValue
from mailward.model.verdict import Verdict


class ComponentState(Enum):
    """Whether a server component takes part in the service; NOT_APPLICABLE for monitors without a component."""

    ONLINE = "Online"
    OFFLINE = "Offline"
    DRAINING = "Draining"
    NOT_APPLICABLE = "NotApplicable"


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorHealth:
    """One row of `mailward health` (Get-ServerHealth)."""

    server: str
    state: ComponentState
    name: str
    target_resource: str
    health_set_name: str
    alert_value: AlertValue
    server_component: str | None
    since: datetime
    because: str
    verdict: Verdict | None = None
    mailbox_server: str | None = None
    last_result_at: datetime | None = None
    flapping: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthSetReport:
    """One row of `mailward report` (Get-HealthReport)."""

    server: str
    state: ComponentState
    health_set: str
    group: HealthGroup
    alert_value: AlertValue
    last_transition: datetime | None
    monitor_count: int
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RollupReport:
    """One row of `mailward report --rollup`: a health set over a group of servers."""

    group: str
    health_set: str
    alert_value: AlertValue
    healthy_servers: int
    servers: int
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """Whether load balancers should send clients to a server: the answer of /health/SERVER."""

    server: str
    is_serving: bool
    because: str
