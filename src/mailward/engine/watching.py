"""
Watching between probes: the exit of a service's master where the host is reached, and sentinels.

Both only hasten probes. A service that exits is an event; whether anything is broken the probes say.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta

from mailward.model.errors import MailwardError
from mailward.model.evidence import ServiceStatus
from mailward.model.target import ProbeTarget
from mailward.ports.sentinel import Sentinel
from mailward.ports.service_control import ServiceControl

log = logging.getLogger(__name__)

WATCH_AGAIN_AFTER = timedelta(seconds=5)
"""After a watch broke: long enough not to fill a log, short against any probe interval."""

OnExit = Callable[[str, ServiceStatus], None]
OnSilence = Callable[[str, str], None]


class Watching:
    """One task for each service and sentinel; all of them end with the engine."""

    def __init__(self, *, on_exit: OnExit, on_silence: OnSilence) -> None:
        self._on_exit = on_exit
        self._on_silence = on_silence
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def use(
        self,
        *,
        services: Mapping[str, ServiceControl],
        sentinels: Mapping[str, ProbeTarget],
        sentinel: Sentinel | None,
    ) -> None:
        """Watch exactly these from now on."""
        self.stop()
        for server, control in services.items():
            self._begin("service", server, self._watch_service(server, control))
        if sentinel is not None:
            for server, target in sentinels.items():
                self._begin("sentinel", server, self._watch_session(server, target, sentinel))

    def stop(self) -> None:
        """End every watch."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def _begin(self, kind: str, server: str, watch: Coroutine[None, None, None]) -> None:
        self._tasks[(kind, server)] = asyncio.create_task(watch, name=f"{kind} watch of {server}")

    async def _watch_service(self, server: str, control: ServiceControl) -> None:
        while True:
            try:
                async for status in control.exits():
                    self._on_exit(server, status)
            except MailwardError as failure:
                log.debug("watch of the service on %s: %s", server, failure)
            except Exception:
                log.exception("watch of the service on %s", server)
            await asyncio.sleep(WATCH_AGAIN_AFTER.total_seconds())

    async def _watch_session(self, server: str, target: ProbeTarget, sentinel: Sentinel) -> None:
        while True:
            try:
                self._on_silence(server, await sentinel.watch(target))
            except Exception:
                log.exception("sentinel of %s", server)
            await asyncio.sleep(WATCH_AGAIN_AFTER.total_seconds())
