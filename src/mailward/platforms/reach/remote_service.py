"""
ServiceControl for a unit of systemd on another machine: service = "systemd:UNIT" with reach = "ssh:…".

The answers mean what they mean on the spot. Files there cannot be looked at, and an end is found out by asking again.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.dovecot.configuration_check import judged, wants_plain_check
from mailward.platforms.polled_exits import polled_exits
from mailward.platforms.reach.conversation import MailwardHost, words
from mailward.platforms.systemd.reading import raise_unless_done, read_properties, status_of
from mailward.ports.service_control import ConfigurationCheck, ServiceDeed

_LOOK_S = 15.0
_DEED_S = 110.0
_LOOK_AGAIN = timedelta(seconds=5)


class RemoteService:
    """One unit of another machine."""

    def __init__(self, unit: str, host: MailwardHost, *, look_again: timedelta = _LOOK_AGAIN) -> None:
        """
        Args:
            unit: The unit that the other end must have configured as well.
            host: The other end.
            look_again: How often to ask whether the service has ended.
        """
        self._unit = unit
        self._host = host
        self._look_again = look_again

    async def status(self) -> ServiceStatus:
        """
        Ask for the unit's state.

        Raises:
            TemporaryFailure: The host was not reached, or there is no such unit.
        """
        answer = await self._answer("status")
        status = status_of(self._unit, self._properties(answer))
        stuck = self._stuck(answer)
        if status.state is not ServiceState.RUNNING or not stuck:
            return status
        in_kernel = all(state == "D" for _, state in stuck)
        how = "waits in the kernel (D state)" if in_kernel else "was stopped by a signal"
        because = f"{', '.join(sorted({name for name, _ in stuck}))} {how}"
        return replace(status, state=ServiceState.HUNG, because=because, in_kernel=in_kernel)

    def exits(self) -> AsyncIterator[ServiceStatus]:
        """
        Yield the status whenever the service has ended, found out by asking.

        Raises:
            TemporaryFailure: The host was not reached.
        """
        return polled_exits(self.status, every=self._look_again)

    async def start(self) -> None:
        """Start the unit, also when systemd has given up on it."""
        await self._forgive()
        await self._do(ServiceDeed.START)

    async def stop(self) -> None:
        """Stop the unit, sessions included."""
        await self._do(ServiceDeed.STOP)

    async def restart(self) -> None:
        """Restart the unit, also when systemd has given up on it."""
        await self._forgive()
        await self._do(ServiceDeed.RESTART)

    async def reload(self) -> None:
        """Have the service read its configuration again."""
        await self._do(ServiceDeed.RELOAD)

    async def enable(self) -> None:
        """Have systemd start the unit at boot."""
        await self._do(ServiceDeed.ENABLE)

    async def check_configuration(self) -> ConfigurationCheck:
        """
        Have doveconf check the configuration that the other end names.

        Raises:
            TemporaryFailure: The host was not reached.
        """
        try:
            finished = await self._host.run("check", seconds=_LOOK_S)
            if wants_plain_check(finished):
                finished = await self._host.run("check-plain", seconds=_LOOK_S)
        except Refused as refusal:
            return ConfigurationCheck(is_valid=None, because=str(refusal))
        return judged(finished, f"the configuration of {self._unit} on {self._host.runner.where}")

    async def others_at_work(self) -> tuple[str, ...]:
        """
        Who else is at work on that machine: systemd itself, package managers, the marks it was told of.

        Raises:
            TemporaryFailure: The host was not reached, or could not look.
        """
        answer = self._checked(await self._host.ask("others-at-work", seconds=_LOOK_S))
        others = answer.get("others")
        if not isinstance(others, list):
            raise TemporaryFailure(f"mailward-host on {self._host.runner.where} does not say who else is at work")
        return tuple(words(one) or "somebody who is not named" for one in others)

    def command(self, deed: ServiceDeed) -> tuple[str, ...]:
        """The argv of ssh."""
        return self._host.runner.words((deed.value,))

    async def _do(self, deed: ServiceDeed) -> None:
        *_, verb = self.command(deed)
        raise_unless_done(self.command(deed), await self._host.run(verb, seconds=_DEED_S))

    async def _forgive(self) -> None:
        """Have systemd forget that the unit was started too often; this also makes sure that it is the right unit."""
        shown = self._properties(await self._answer("status"))
        if shown.get("Result") == "start-limit-hit":
            raise_unless_done(("reset-failed",), await self._host.run("reset-failed", seconds=_LOOK_S))

    async def _answer(self, request: str) -> Mapping[str, Any]:
        answer = self._checked(await self._host.ask(request, seconds=_LOOK_S))
        finished = self._host.finished(request, answer)
        if finished.status != 0:
            raise TemporaryFailure(f"{self._host.runner.where}: {finished.said()}")
        return answer

    def _properties(self, answer: Mapping[str, Any]) -> Mapping[str, str]:
        return read_properties(self._unit, self._host.finished("status", answer).output)

    def _stuck(self, answer: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Name and state of each process that does not run."""
        try:
            return [(words(name), words(state)) for name, state in answer.get("stuck") or ()]
        except (TypeError, ValueError) as error:
            raise TemporaryFailure(
                f"mailward-host on {self._host.runner.where} does not say which processes are stuck"
            ) from error

    def _checked(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        there = words(answer.get("unit"))
        if there.removesuffix(".service") != self._unit.removesuffix(".service"):
            raise TemporaryFailure(
                f"mailward-host on {self._host.runner.where} is set up for {there}, not for {self._unit}: "
                "make unit in its mailward-host.ini and host.service here agree"
            )
        return answer
