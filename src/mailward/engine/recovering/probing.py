"""
Re-probing for a recovery: which probes tell whether the problem stands, and what they said.

After a deed the service may need a moment: readiness is found out by probing until it answers or its time to settle is
over, never by waiting a fixed while.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from mailward.engine.recovering.facts import Facts
from mailward.engine.recovering.world import World
from mailward.model import items
from mailward.model.errors import MailwardError
from mailward.model.probing import ProbeResult
from mailward.model.recovery import Operation, OperationKind
from mailward.model.wire import moment_to_text
from mailward.monitors.definition import Reading
from mailward.monitors.samples import ProbeKey, sample_of
from mailward.ports.operations import TRANSCRIPT_OF, reference_to

AGAIN_AFTER, AGAIN_AFTER_MOST = timedelta(milliseconds=300), timedelta(seconds=3)
"""Between two tries while a service settles; doubled each time up to the most."""
ANSWERS_WITHIN = timedelta(seconds=60)
"""A probe ends by its own deadline; one that does not is our own fault."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What a re-probe found."""

    is_healthy: bool | None
    """None: nothing could be learned."""
    because: str
    evidence: Mapping[str, object]


class Probing:
    """Runs the probes that a recovery asks for."""

    def __init__(self, world: World, facts: Facts) -> None:
        """*world* runs them; *facts* compares certificates."""
        self._world = world
        self._facts = facts

    def keys_of(self, operation: Operation) -> tuple[ProbeKey, ...]:
        """
        The probes that tell whether the problem of *operation* stands.

        The monitor's associated probe, and for a whole server its own test too. Empty when the configuration no longer
        has any of them.
        """
        coverage = self._world.coverage()
        wanted: dict[ProbeKey, None] = {}
        if operation.kind in (OperationKind.MAILBOX_SERVER, OperationKind.PROXY, OperationKind.CERTIFICATE):
            own = items.PROXY_TEST_PROBE if operation.kind is OperationKind.PROXY else items.SELF_TEST_PROBE
            for probe in (own, items.PROXY_TEST_PROBE, items.SELF_TEST_PROBE):
                key = ProbeKey(probe=probe, server=operation.server, target=operation.server)
                if coverage.plans(key):
                    wanted[key] = None
                    break
        definition = next((one for one in coverage.monitors if one.key == operation.cause), None)
        if definition is not None and operation.kind is not OperationKind.CERTIFICATE:
            wanted.update(dict.fromkeys(key for key in definition.probes[:1] if coverage.plans(key)))
        return tuple(wanted)

    async def look(self, operation: Operation, *, settle: timedelta | None) -> Looked:
        """
        Probe now; with *settle* until all is well or that time is over.

        Every probe must succeed for the problem to be gone; one that could say nothing leaves it unknown.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (settle.total_seconds() if settle is not None else 0.0)
        pause = AGAIN_AFTER
        while True:
            looked = await self._once(operation)
            if looked.is_healthy is True or loop.time() >= deadline:
                return looked
            await asyncio.sleep(pause.total_seconds())
            pause = min(2 * pause, AGAIN_AFTER_MOST)

    async def _once(self, operation: Operation) -> Looked:
        keys = self.keys_of(operation)
        if not keys:
            return Looked(is_healthy=None, because="no probe of it is configured any more", evidence={"healthy": None})
        try:
            async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
                results = await asyncio.gather(*(self._world.ask(key) for key in keys))
        except TimeoutError:
            because = f"no result came within {ANSWERS_WITHIN.total_seconds():g} s"
            return Looked(is_healthy=None, because=because, evidence={"healthy": None})
        except MailwardError as failure:
            return Looked(is_healthy=None, because=str(failure), evidence={"healthy": None})
        if operation.kind is OperationKind.LOAD:
            return self._by_its_rule(operation, tuple(results))
        looked = _judged(tuple(results))
        if operation.kind is not OperationKind.CERTIFICATE:
            return looked
        stale = await self._facts.certificate_is_stale(operation.server)
        well = stale is False and looked.is_healthy is not False
        because = "the certificate served is the one on disk" if well else "the certificate on disk is not served yet"
        return Looked(
            is_healthy=None if stale is None else well, because=because, evidence={**looked.evidence, "healthy": well}
        )

    def _by_its_rule(self, operation: Operation, results: tuple[ProbeResult, ...]) -> Looked:
        """A counter is too high by the rule of the monitor that broke; a look at it succeeds all the same."""
        definition = next((one for one in self._world.coverage().monitors if one.key == operation.cause), None)
        readings = {definition.rule.read(sample_of(result)) for result in results} if definition is not None else set()
        healthy = _HEALTHY.get(next(iter(readings))) if len(readings) == 1 else None
        looked = _judged(results)
        return Looked(is_healthy=healthy, because=looked.because, evidence={**looked.evidence, "healthy": healthy})


_HEALTHY = {Reading.WELL: True, Reading.BAD: False}


def _judged(results: tuple[ProbeResult, ...]) -> Looked:
    failed = [result for result in results if result.result.is_failure]
    silent = [result for result in results if not result.result.is_failure and not result.is_healthy]
    healthy = False if failed else None if silent else True
    told = failed or silent or list(results)
    evidence: dict[str, object] = {"healthy": healthy, "results": [_brief(result) for result in results]}
    if failed:
        evidence[TRANSCRIPT_OF] = [reference_to(result) for result in failed]
    return Looked(is_healthy=healthy, because="; ".join(_said(result) for result in told), evidence=evidence)


def _said(result: ProbeResult) -> str:
    what = f"{result.probe} of {result.server}"
    what += f", {result.target}" if result.target != result.server else ""
    if result.is_healthy:
        return f"{what}: {result.result.value}"
    return f"{what}: {result.result.value}: {result.why}" if result.why else f"{what}: {result.result.value}"


def _brief(result: ProbeResult) -> dict[str, object]:
    """One result in a few facts."""
    return {
        "probe": result.probe,
        "server": result.server,
        "target": result.target,
        "at": moment_to_text(result.at),
        "result": result.result.value,
        "mailbox_server": result.mailbox_server,
    }
