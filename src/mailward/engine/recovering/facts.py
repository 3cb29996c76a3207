"""
Gathering what gates and premises look at: the circumstances of one server at one moment.

A host that cannot be asked leaves its fields unknown, with the reason; it never makes anything true.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from mailward.engine.recovering.deeds import (
    AccessPointChange,
    Deed,
    ServerRestart,
    ServiceChange,
    Unavailable,
    service_deed,
)
from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.moves.deeds import MoveDeeds
from mailward.engine.recovering.peers import OWN_MONITORS, peers_of, that_clients_are_sent_to
from mailward.engine.recovering.world import World
from mailward.model import items
from mailward.model.errors import Refused
from mailward.model.evidence import ServiceStatus
from mailward.model.holds import WHOLE_ORGANIZATION, Hold, HoldKind
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.organization import Database, Organization, Server
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Deed as BegunDeed
from mailward.model.recovery import Operation, OperationKind, OperationStatus, Step, StepName
from mailward.model.verdict import Verdict
from mailward.monitors.samples import ProbeKey
from mailward.ports.access_point_control import AccessPointControl, Membership
from mailward.recovery.circumstances import Circumstances, Place
from mailward.recovery.moves import begun_by, so_far
from mailward.recovery.premises import Around
from mailward.recovery.procedures import is_about_load
from mailward.recovery.wanted import Wanted

ASK_FOR = timedelta(seconds=60)
"""How long a probe that is asked for may take to come; it has its own deadline, but it may have been planned away."""
TEST_LASTS = timedelta(seconds=90)
"""An own test that is older says nothing of the present (three times the longest default interval)."""
_NOT_IN_VAIN = frozenset({OperationKind.BY_HAND, OperationKind.CERTIFICATE, OperationKind.MOVE, OperationKind.DRAIN})
"""
What a person orders, a certificate that was renewed, and users who were sent elsewhere are no remedy that did not last.
"""
_WORST = (AlertValue.UNHEALTHY, AlertValue.DEGRADED)


class Facts:
    """Looks around for the executor."""

    def __init__(self, world: World, move_deeds: MoveDeeds) -> None:
        """*world* is the engine."""
        self._world = world
        self._move_deeds = move_deeds
        self._placed: tuple[Organization, tuple[Place, ...]] | None = None

    # deeds

    def deed(self, step: StepName, server: str, steps: Sequence[Step] = (), operation: Operation | None = None) -> Deed:
        """
        The deed a step does to a server; one that is `Unavailable` says why.

        *steps* are those of *operation* so far: a proxy is put back where it was taken out, and nowhere else.
        """
        controls = self._world.controls()
        change = service_deed(step)
        if change is not None:
            control = controls.services.get(server)
            if control is None:
                return Unavailable(f"the service of {server} is not reached: the configuration names no host.service")
            return ServiceChange(control=control, deed=change, is_stale=lambda: self._is_stale_now(server))
        if step is StepName.RESTART_SERVER:
            host = controls.hosts.get(server)
            if host is None:
                return Unavailable(f"the machine {server} is not controlled: the configuration names no host.control")
            return ServerRestart(control=host)
        if step in (StepName.TAKE_OUT, StepName.PUT_BACK):
            out = step is StepName.TAKE_OUT
            among = None if out else _taken_out_of(server, steps)
            return AccessPointChange(controls=self._points_of(server), server=server, out=out, among=among)
        return self._move_deeds.deed(step, server, steps, operation)

    # circumstances

    async def around(
        self,
        wanted: Wanted,
        operation: Operation | None,
        steps: Sequence[Step],
        deeds: tuple[BegunDeed, ...],
        ended: Iterable[Operation],
    ) -> Circumstances:
        """
        Everything that bears on a wanted deed.

        Args:
            wanted: The deed.
            operation: The recovery it belongs to; None when a person asks.
            steps: What that has done so far.
            deeds: What throttles count.
            ended: Operations that ended lately, for remediation without effect.
        """
        world = self._world
        organization, server = world.organization(), world.organization().servers[wanted.server]
        in_force = world.mode(server.name, wanted.action, operation.cause if operation is not None else None)
        (service, unseen), (problem, _), (others, _), stale, in_point = await asyncio.gather(
            self._service(server.name),
            self._configuration_problem(server.name),
            self._others(server.name),
            self.certificate_is_stale(server.name, seen_after=_last_ended(server.name, deeds)),
            self._in_access_point(server.name),
        )
        peers = peers_of(server, world)
        if wanted.step is StepName.TAKE_OUT:
            peers = await that_clients_are_sent_to(peers, self._points_of(server.name), organization)
        broken = self._own_broken(server.name, operation)
        databases = await self._active_on(wanted)
        return Circumstances(
            now=world.clock.now(),
            place=_place(server),
            settings=world.settings(),
            mode=in_force.mode,
            mode_because=in_force.because,
            overridden_by=in_force.override,
            stopped=world.stopped(),
            holds=self.holds_on(server.name),
            store_trouble=world.store_trouble(),
            approved_at=operation.approved_at if operation is not None else None,
            approved_by=(operation.approved_by or "") if operation is not None else "",
            verdict=self.verdict(operation),
            alert=_worst(status.state for status in broken),
            broken_since=min((s.broken_since for s in broken if s.broken_since is not None), default=None),
            overloaded=self._is_overloaded(operation),
            own_test_fails=self._own_test_fails(server),
            service=service,
            service_unseen=unseen,
            configuration_problem=problem,
            others_at_work=others,
            certificate_is_stale=stale,
            unavailable=self._unavailable(wanted, operation, steps),
            peers=peers,
            places=self._places(organization),
            deeds=deeds,
            healed_at=_healed_at(server.name, ended),
            active_copies=None if databases is None else tuple(database.name for database in databases),
            other_copies=any(len(database.copies) > 1 for database in databases or ()),
            is_restartable=server.restartable,
            behind_access_point=any(server.name in point.servers for point in organization.access_points.values()),
            in_access_point=in_point,
        )

    def surroundings(self, operation: Operation, steps: Sequence[Step]) -> Around:
        """What premises look at beside the server itself."""
        database = operation.target.partition("/")[2] or None
        organization = self._world.organization()
        serving = self.serving_server(operation, steps)
        return Around(
            database=database if database in organization.databases else None,
            mailbox_server=serving,
            mailbox_server_alert=self.alert_of(serving) if serving is not None else None,
            moves=begun_by(steps),
            move=so_far(steps),
        )

    def serving_server(self, operation: Operation, steps: Sequence[Step] = ()) -> str | None:
        """
        The mailbox server that serves what a customer touch point asks for.

        As the logs of both tiers said (*steps*), else as a probe saw it, else as configured.
        """
        cause = operation.cause
        if cause is None or cause.item != items.CTP_MONITOR:
            return None
        organization = self._world.organization()
        collected = next((step for step in reversed(steps) if step.name is StepName.COLLECT), None)
        named = collected.evidence.get("mailbox_server") if collected is not None else None
        if isinstance(named, str) and named in organization.servers:
            return named
        status = self._world.status(cause)
        if status is not None and status.mailbox_server in organization.servers:
            return status.mailbox_server
        database = organization.databases.get(cause.target)
        return database.active if database is not None else None

    def alert_of(self, server: str) -> AlertValue | None:
        """The worst of a server's own service monitors; None when it has none."""
        states = [status.state for status in self._world.of_server(server) if _is_own(status, server)]
        if not states:
            return None
        return _worst(states) or (AlertValue.HEALTHY if AlertValue.HEALTHY in states else states[0])

    def fails_itself(self, server: str) -> bool:
        """Whether a monitor of the server's own service is broken."""
        alert = self.alert_of(server)
        return alert is not None and alert.is_broken

    def verdict(self, operation: Operation | None) -> Verdict | None:
        """The latest verdict of the monitor that broke, or of the server's own where its host reported a failure."""
        if operation is None:
            return None
        if operation.cause is not None:
            status = self._world.status(operation.cause)
            return status.verdict if status is not None else operation.verdict
        own = [status for status in self._world.of_server(operation.server) if _is_own(status, operation.server)]
        return next((status.verdict for status in own if status.verdict is not None), operation.verdict)

    def holds_on(self, server: str) -> tuple[Hold, ...]:
        """What is held on this server, or on the whole organization."""
        return tuple(
            hold
            for hold in self._world.holds()
            if hold.kind is not HoldKind.OVERRIDE and (hold.is_on(server) or hold.is_on(WHOLE_ORGANIZATION))
        )

    async def certificate_is_stale(self, server: str, *, seen_after: datetime | None = None) -> bool | None:
        """
        Whether the server serves another certificate than the one on its disk; None when it cannot be compared.

        What was served before *seen_after*, such as a deed on that server, says nothing of the present.
        """
        shown = max(
            (result for result in self._results(server) if result.certificate is not None),
            key=lambda result: result.at,
            default=None,
        )
        if shown is None or shown.certificate is None or (seen_after is not None and shown.at < seen_after):
            return None
        on_disk = await self._world.certificate_on_disk(shown)
        return None if on_disk is None else on_disk != shown.certificate.sha256

    async def _is_stale_now(self, server: str) -> bool | None:
        """The same by a handshake of this moment; an older one says nothing of a reload done since."""
        coverage = self._world.coverage()
        for key in _own_tests(server):
            if coverage.plans(key):
                with suppress(TimeoutError):
                    async with asyncio.timeout(ASK_FOR.total_seconds()):
                        await self._world.ask(key)
                        return await self.certificate_is_stale(server)
        return None

    def _results(self, server: str) -> Iterable[ProbeResult]:
        for key in _own_tests(server):
            result = self._world.latest(key)
            if result is not None:
                yield result

    async def _service(self, server: str) -> tuple[ServiceStatus | None, str]:
        control = self._world.controls().services.get(server)
        if control is None:
            return None, "the configuration names no host.service"
        return await bounded(control.status())

    async def _configuration_problem(self, server: str) -> tuple[str | None, str]:
        control = self._world.controls().services.get(server)
        if control is None:
            return None, ""
        check, unseen = await bounded(control.check_configuration())
        if check is None:
            return f"it could not be checked: {unseen}", unseen
        return (check.because if check.is_valid is False else None), ""

    async def _others(self, server: str) -> tuple[tuple[str, ...] | None, str]:
        control = self._world.controls().services.get(server)
        return ((), "") if control is None else await bounded(control.others_at_work())

    def _points_of(self, server: str) -> dict[str, AccessPointControl]:
        """The access points in front of a server, as far as they are controlled."""
        organization = self._world.organization()
        return {
            name: control
            for name, control in self._world.controls().access_points.items()
            if name in organization.access_points and server in organization.access_points[name].servers
        }

    async def _in_access_point(self, server: str) -> bool | None:
        points = self._points_of(server)
        if not points:
            return None
        said, _ = await bounded(AccessPointChange(controls=points, server=server, out=True).before())
        memberships = said.get("membership") if said is not None else None
        if not isinstance(memberships, list) or Membership.UNKNOWN.value in memberships:
            return None
        return any(one == Membership.IN.value for one in memberships)

    def _own_broken(self, server: str, operation: Operation | None) -> list[MonitorStatus]:
        """The broken monitors of the server's own service, and the one that broke if its verdict names the server."""
        found = [one for one in self._world.of_server(server) if _is_own(one, server) and one.state.is_broken]
        cause = operation.cause if operation is not None else None
        status = self._world.status(cause) if cause is not None else None
        if status is not None and status not in found and status.state.is_broken:
            names_it = status.verdict is not None and status.verdict.server == server
            return [*found, *([status] if names_it else [])]
        return found

    def _is_overloaded(self, operation: Operation | None) -> bool:
        cause = operation.cause if operation is not None else None
        status = self._world.status(cause) if cause is not None and is_about_load(cause) else None
        return status is not None and status.state.is_broken

    def _own_test_fails(self, server: Server) -> bool | None:
        probe = items.SELF_TEST_PROBE if server.is_mailbox else items.PROXY_TEST_PROBE
        result = self._world.latest(ProbeKey(probe=probe, server=server.name, target=server.name))
        if result is None or self._world.clock.now() - result.at > TEST_LASTS:
            return None
        return result.result.is_failure

    def _places(self, organization: Organization) -> tuple[Place, ...]:
        """Where every server stands; worked out once for each configuration."""
        if self._placed is None or self._placed[0] is not organization:
            self._placed = (organization, tuple(_place(known) for known in organization.servers.values()))
        return self._placed[1]

    async def _active_on(self, wanted: Wanted) -> tuple[Database, ...] | None:
        """What is active on a server; before it is restarted by the map of this moment, or it is not known."""
        if wanted.step is StepName.RESTART_SERVER and await self._world.read_routing() is not None:
            return None
        return self._world.organization().active_on(wanted.server)

    def _unavailable(self, wanted: Wanted, operation: Operation | None, steps: Sequence[Step]) -> str | None:
        try:
            self.deed(wanted.step, wanted.server, steps, operation).command()
        except Refused as refusal:
            return str(refusal)
        return None


def _taken_out_of(server: str, steps: Sequence[Step]) -> tuple[str, ...] | None:
    """The access points the operation took a proxy out of; None where it took it out of none: a person orders it."""
    taken = [step for step in steps if step.name is StepName.TAKE_OUT and step.server == server]
    named = [step.evidence.get("taken_out_of") for step in taken]
    listed = [str(name) for names in named if isinstance(names, list | tuple) for name in names]
    return tuple(dict.fromkeys(listed)) if taken else None


def _healed_at(server: str, ended: Iterable[Operation]) -> tuple[datetime, ...]:
    """When remedies that touched a server, and might have lasted, ended well."""
    return tuple(
        one.ended_at
        for one in ended
        if one.status is OperationStatus.HEALED
        and one.ended_at is not None
        and one.kind not in _NOT_IN_VAIN
        and server in (one.server, *_touched(one))
    )


def _touched(operation: Operation) -> tuple[str, ...]:
    """The servers its deeds touched, beside the one it is about."""
    touched = operation.data.get("touched")
    return tuple(str(name) for name in touched) if isinstance(touched, list | tuple) else ()


def _last_ended(server: str, deeds: Iterable[BegunDeed]) -> datetime | None:
    """When the last deed on a server ended."""
    return max((deed.ended for deed in deeds if deed.server == server and deed.ended is not None), default=None)


def _own_tests(server: str) -> tuple[ProbeKey, ...]:
    """The probes of a server itself, of which it has one or both."""
    probes = (items.PROXY_TEST_PROBE, items.SELF_TEST_PROBE)
    return tuple(ProbeKey(probe=probe, server=server, target=server) for probe in probes)


def _is_own(status: MonitorStatus, server: str) -> bool:
    return status.key.server == server and status.key.item in OWN_MONITORS


def _place(server: Server) -> Place:
    return Place(server=server.name, roles=frozenset(role.value for role in server.roles), site=server.site)


def _worst(states: Iterable[AlertValue]) -> AlertValue | None:
    found = set(states)
    return next((state for state in _WORST if state in found), None)
