"""
Whether load balancers should send clients to a server: the answer of /health/SERVER.

Rules, the first that applies:

1. People's holds win always: maintenance of the server; ServerWideOffline or the server's own component (ImapProxy of a
   proxy, Imap of any other) made Inactive or Draining by any requester but mailward itself.
2. What mailward finds itself takes a server out too: its own hold (requester HealthAPI), or the server's own service
   monitor being Unhealthy by a verdict that means something. But never the last one: where no other server behind the
   same access point (or, behind none, of the same role) is well, it stays. An outage of all of them has a cause that
   taking them out does not mend, and our own error must not become one.
3. Everything else serves: Degraded, Unavailable, nothing known yet. Unknown never acts.

While actions are paused, a monitor alone takes nothing out: sending clients elsewhere is an action.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from mailward.health.components import keeps
from mailward.model.health import Serving
from mailward.model.holds import WHOLE_ORGANIZATION, Component, HeldState, Hold, HoldKind, Requester
from mailward.model.items import PROXY_TEST_MONITOR, SELF_TEST_MONITOR
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.organization import Organization, Server
from mailward.model.verdict import Confidence, Tier, Verdict

_MONITORS = (PROXY_TEST_MONITOR, SELF_TEST_MONITOR)


def serving(
    server: str,
    *,
    organization: Organization,
    statuses: Iterable[MonitorStatus],
    holds: Iterable[Hold],
    now: datetime,
) -> Serving:
    """
    Say whether clients should be sent to *server*, by the rules above.

    Args:
        server: Its short name, FQDN, or any name it shows. One that is proxy and mailbox server is judged as a proxy:
            that is what clients are sent to.
        organization: All servers, and who stands behind which access point.
        statuses: Of every monitor; only the proxy and self tests are read.
        holds: Present ones; those not in force at *now* are passed over.
        now: The moment of the question.

    Raises:
        Refused: There is no such server (NotFound); the text names the nearest.
    """
    scene = _Scene(organization, statuses, [hold for hold in holds if hold.is_in_force(now)])
    this = organization.server_named(server)
    ordered = scene.held(this, by_mailward=False)
    found = scene.held(this, by_mailward=True) or scene.fault(this)
    if ordered is not None:
        return Serving(server=this.name, is_serving=False, because=ordered)
    if found is None:
        return Serving(server=this.name, is_serving=True, because=scene.nothing_against(this))
    kept = scene.reason_to_keep(this)
    if kept is not None:
        return Serving(server=this.name, is_serving=True, because=f"{found}; but {kept}")
    return Serving(server=this.name, is_serving=False, because=found)


class _Scene:
    """What is known at one moment, and the questions the rules ask of it."""

    def __init__(self, organization: Organization, statuses: Iterable[MonitorStatus], in_force: Sequence[Hold]) -> None:
        self._organization = organization
        self._in_force = in_force
        self._statuses: Mapping[tuple[str, str], MonitorStatus] = {
            (status.key.server, status.key.item): status for status in statuses if status.key.item in _MONITORS
        }

    def held(self, server: Server, *, by_mailward: bool) -> str | None:
        """Whose hold keeps clients away: mailward's own (HealthAPI), or anybody else's."""
        holds = sorted(
            (hold for hold in self._in_force if _keeps_away(hold, server) and _is_mailwards(hold) is by_mailward),
            key=lambda hold: (
                hold.kind is HoldKind.COMPONENT_STATE,
                hold.state is not HeldState.INACTIVE,
                hold.since,
                hold.id,
            ),
        )
        return _words(holds[0]) if holds else None

    def fault(self, server: Server) -> str | None:
        """What the server's own service monitor says against it."""
        status = self._status(server)
        if status is None or status.state is not AlertValue.UNHEALTHY or not _means_something(status.verdict):
            return None
        verdict = f" ({status.verdict.because})" if status.verdict is not None else ""
        return f"{status.key.item} is Unhealthy: {status.because}{verdict}"

    def nothing_against(self, server: Server) -> str:
        """Why clients are welcome."""
        status = self._status(server)
        if status is None:
            return "nothing is known against it"
        if status.state is AlertValue.UNHEALTHY:
            return f"{status.key.item} is Unhealthy, but the fault is not known to be the server's: {status.because}"
        return f"{status.key.item} is {status.state.value}"

    def reason_to_keep(self, server: Server) -> str | None:
        """Why clients are sent to *server* whatever mailward has found."""
        if self.held(server, by_mailward=True) is None:
            for hold in self._in_force:
                if hold.kind is HoldKind.PAUSE and (hold.is_on(WHOLE_ORGANIZATION) or hold.is_on(server.name)):
                    return f"actions are paused by {hold.by_whom}"
        for where, others in self._neighbourhoods(server):
            if not any(self._is_well(other) for other in others):
                return f"nothing better is left {where}"
        return None

    def _is_well(self, server: Server) -> bool:
        held = self.held(server, by_mailward=False) or self.held(server, by_mailward=True)
        return held is None and self.fault(server) is None

    def _neighbourhoods(self, server: Server) -> Iterator[tuple[str, list[Server]]]:
        """Where clients would go instead: behind each of its access points, or in its role."""
        servers = self._organization.servers
        points = [point for point in self._organization.access_points.values() if server.name in point.servers]
        for point in points:
            yield (
                f"behind {point.name}",
                [servers[name] for name in point.servers if name != server.name and name in servers],
            )
        if not points:
            alike = [one for one in servers.values() if one.is_proxy is server.is_proxy and one is not server]
            yield f"among the {'proxies' if server.is_proxy else 'mailbox servers'}", alike

    def _status(self, server: Server) -> MonitorStatus | None:
        return self._statuses.get((server.name, PROXY_TEST_MONITOR if server.is_proxy else SELF_TEST_MONITOR))


def _keeps_away(hold: Hold, server: Server) -> bool:
    return keeps(hold, server.name, Component.IMAP_PROXY if server.is_proxy else Component.IMAP)


def _is_mailwards(hold: Hold) -> bool:
    return hold.kind is HoldKind.COMPONENT_STATE and hold.requester is Requester.HEALTH_API


def _means_something(verdict: Verdict | None) -> bool:
    """A monitor without verdict speaks for itself; one whose verdict blames the measuring, or nobody, does not."""
    if verdict is None:
        return True
    return verdict.tier is not Tier.MONITORING and verdict.confidence is not Confidence.UNKNOWN


def _words(hold: Hold) -> str:
    if hold.component is None:
        return f"maintenance by {hold.by_whom}"
    requester = f" for {hold.requester.value}" if hold.requester is not None else ""
    return f"{hold.component.value} is {hold.value}{requester}, by {hold.by_whom}"
