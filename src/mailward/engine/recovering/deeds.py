"""
The deeds: what a step that acts does, in which exact words, and how to find out afterwards whether it was done.

A deed that was begun by a manager that died is looked at before anything is repeated: the service's count of starts and
its present master, the machine's boot id, the load balancer's own answer.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from mailward.model.errors import MailwardError, Refused
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.recovery import Step, StepName
from mailward.model.wire import to_plain
from mailward.ports.access_point_control import PUT_BACK, TAKE_OUT, AccessPointControl, Member, Membership
from mailward.ports.host_control import HostControl
from mailward.ports.service_control import ServiceControl, ServiceDeed

#: What was begun and shows no trace by then was not done; a start that is under way shows within this time.
SHOWS_WITHIN = timedelta(seconds=5)
#: A restart may be between its stop and its start for so long (supervisor and systemd give up later, and say so).
BETWEEN_STOP_AND_START = timedelta(seconds=30)

_SERVICE_DEEDS: Mapping[StepName, ServiceDeed] = {
    StepName.START_SERVICE: ServiceDeed.START,
    StepName.RESTART_SERVICE: ServiceDeed.RESTART,
    StepName.RELOAD_SERVICE: ServiceDeed.RELOAD,
    StepName.STOP_SERVICE: ServiceDeed.STOP,
    StepName.ENABLE_SERVICE: ServiceDeed.ENABLE,
}
_RUNS = frozenset({ServiceState.RUNNING, ServiceState.HUNG})


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What looking back at a deed found."""

    was_done: bool | None
    """None: it cannot be told yet, or at all."""
    because: str
    half_done: bool = False
    """A restart that ended between its stop and its start: what is stopped was not stopped on purpose."""


class Deed(Protocol):
    """One thing that can be done to one server."""

    def command(self) -> tuple[str, ...]:
        """The exact words. Refused when the platform cannot do it."""
        ...

    async def before(self) -> Mapping[str, object]:
        """What to remember for `look`, taken just before the intent. TemporaryFailure when it cannot be seen."""
        ...

    async def do(self) -> Mapping[str, object]:
        """Do it; what is worth keeping of how it went."""
        ...

    async def look(self, step: Step, now: datetime) -> Found:
        """Find out whether *step*, which has an intent and no outcome, was done."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceChange:
    """Something done to a service."""

    control: ServiceControl
    deed: ServiceDeed
    is_stale: Callable[[], Awaitable[bool | None]]
    """Whether the served certificate differs from the one on disk: what tells whether a reload was done."""

    def command(self) -> tuple[str, ...]:
        """The service control's own words."""
        return self.control.command(self.deed)

    async def before(self) -> Mapping[str, object]:
        """The service's status."""
        return {"service": to_plain(await self.control.status())}

    async def do(self) -> Mapping[str, object]:
        """Call the service control."""
        match self.deed:
            case ServiceDeed.START:
                await self.control.start()
            case ServiceDeed.STOP:
                await self.control.stop()
            case ServiceDeed.RESTART:
                await self.control.restart()
            case ServiceDeed.RELOAD:
                await self.control.reload()
            case ServiceDeed.ENABLE:
                await self.control.enable()
        return {}

    async def look(self, step: Step, now: datetime) -> Found:
        """Compare the service with what it was before."""
        if self.deed is ServiceDeed.ENABLE:
            return Found(was_done=False, because="enabling what is enabled changes nothing")
        if self.deed is ServiceDeed.RELOAD:
            stale = await self.is_stale()
            return Found(
                was_done=None if stale is None else not stale,
                because="the certificate served is "
                + ("not comparable" if stale is None else "still the old one" if stale else "the one on disk"),
            )
        try:
            status = await self.control.status()
        except MailwardError as failure:
            return Found(was_done=None, because=str(failure))
        if self.deed is ServiceDeed.STOP:
            return Found(was_done=status.state is ServiceState.STOPPED, because=status.because)
        return _started_since(step, status, now)


def _started_since(step: Step, status: ServiceStatus, now: datetime) -> Found:
    before = step.evidence.get("service")
    known = before if isinstance(before, Mapping) else {}
    began_anew = _is_another(status, known, step.started)
    if began_anew:  # whatever became of it since
        return Found(was_done=True, because=f"it was started since: {status.because}")
    age = now - step.started
    if status.state is ServiceState.STOPPED and step.name is StepName.RESTART_SERVICE:
        if age < BETWEEN_STOP_AND_START:
            return Found(was_done=None, because=f"it may be between its stop and its start: {status.because}")
        ran = known.get("state") in {state.value for state in _RUNS}
        return Found(was_done=False, because=f"it was stopped and not started: {status.because}", half_done=ran)
    if age < SHOWS_WITHIN:  # also where the clock went back: then it is not known how long ago it was
        return Found(was_done=None, because=f"it may still be under way: {status.because}")
    return Found(was_done=False, because=f"it was not started since: {status.because}")


def _is_another(status: ServiceStatus, before: Mapping[str, object], intended: datetime) -> bool:
    """Whether this is another run of the service than the one before the deed."""
    starts = before.get("starts")
    if isinstance(starts, int) and status.starts is not None and status.starts != starts:
        return True
    if status.pid is None or status.pid == before.get("pid"):
        return False
    if before.get("pid") is not None:
        return True  # another process is proof, whatever the clocks say
    return status.since is None or status.since >= intended.astimezone(UTC) - timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerRestart:
    """The restart of a machine."""

    control: HostControl

    def command(self) -> tuple[str, ...]:
        """The host control's own words."""
        return self.control.command()

    async def before(self) -> Mapping[str, object]:
        """The boot id."""
        return {"boot_id": await self.control.boot_id()}

    async def do(self) -> Mapping[str, object]:
        """Have it restart."""
        await self.control.restart()
        return {}

    async def look(self, step: Step, now: datetime) -> Found:
        """Compare boot ids; a host that does not answer may just be restarting."""
        try:
            present = await self.control.boot_id()
        except MailwardError as failure:
            return Found(was_done=None, because=f"the host does not answer: {failure}")
        if present != step.evidence.get("boot_id"):
            return Found(was_done=True, because="the host has booted since")
        if now - step.started < BETWEEN_STOP_AND_START:
            return Found(was_done=None, because="the host has not gone down yet")
        return Found(was_done=False, because="the host has not booted since")


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessPointChange:
    """Taking a proxy out of the access points it is behind, or putting it back where we took it out."""

    controls: Mapping[str, AccessPointControl]
    """By the name of the access point."""
    server: str
    out: bool
    among: tuple[str, ...] | None = None
    """Putting back: the access points it was taken out of; None: all, as a person orders it."""

    def command(self) -> tuple[str, ...]:
        """The words for every access point, one after the other."""
        verb = TAKE_OUT if self.out else PUT_BACK
        if not self.controls:
            raise Refused(f"no access point that {self.server} is behind can be asked to take it out or put it back")
        return tuple(word for _, control in self._meant() for word in control.command(verb, self.server))

    async def before(self) -> Mapping[str, object]:
        """What each access point says of it, and of which it is about to be taken out."""
        said = [(name, await self._member(control)) for name, control in self._meant()]
        return {
            "membership": [member.membership.value for _, member in said],
            "taken_out_of": [name for name, member in said if not member.was_ordered],
        }

    async def do(self) -> Mapping[str, object]:
        """Tell every access point; what somebody else ordered there stays as it is."""
        for _, control in self._meant():
            if not self.out:
                await control.put_back(self.server)
            elif not (await self._member(control)).was_ordered:
                await control.take_out(self.server)
        return {}

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002 - an access point tells at any time
        """
        Ask every access point; doing it twice changes nothing, so one that is half done is not done.

        A load balancer may find by its own checks that a proxy is down: only an order counts as taken out, and one
        that is put back counts as such also while those checks still fail.
        """
        try:
            said = [await self._member(control) for _, control in self._meant()]
        except MailwardError as failure:
            return Found(was_done=None, because=str(failure))
        words = ", ".join(member.because or member.membership.value for member in said)
        if not said or any(member.membership is Membership.UNKNOWN for member in said):
            return Found(was_done=None, because=f"not every access point knows it: {words}")
        if self.out:
            done = all(member.membership is Membership.OUT and member.was_ordered for member in said)
        else:
            done = not any(member.was_ordered for member in said)
        return Found(was_done=done, because=f"the access point says: {words}")

    def _meant(self) -> list[tuple[str, AccessPointControl]]:
        return [(name, control) for name, control in self.controls.items() if self.among is None or name in self.among]

    async def _member(self, control: AccessPointControl) -> Member:
        unknown = Member(server=self.server, membership=Membership.UNKNOWN, because="it does not know it")
        return next((member for member in await control.members() if member.server == self.server), unknown)


class Unavailable:
    """A deed the platform cannot do."""

    def __init__(self, because: str) -> None:
        """*because* says why."""
        self._because = because

    def command(self) -> tuple[str, ...]:
        """Refused."""
        raise Refused(self._because)

    async def before(self) -> Mapping[str, object]:
        """Nothing."""
        return {}

    async def do(self) -> Mapping[str, object]:
        """Refused."""
        raise Refused(self._because)

    async def look(self, step: Step, now: datetime) -> Found:  # noqa: ARG002
        """It was never done."""
        return Found(was_done=None, because=f"it cannot be looked at: {self._because}")


def service_deed(step: StepName) -> ServiceDeed | None:
    """What a step does to a service, or None."""
    return _SERVICE_DEEDS.get(step)
