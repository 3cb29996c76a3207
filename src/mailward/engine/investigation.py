"""
What may explain a failure: fresh news of its neighbours and what the hosts in question show.

Gathering is bounded in time and shared: a hundred databases failing on one server ask its host once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from mailward.diagnosis.verdict import diagnose
from mailward.diagnosis.wording.logs import LOG_WORDS
from mailward.engine.recollection import Recollection
from mailward.model.errors import MailwardError
from mailward.model.evidence import DiskUsage, Evidence, LogLine, ProberEvidence, ServerEvidence, ServiceStatus
from mailward.model.organization import Organization
from mailward.model.probing import ProbeResult
from mailward.monitors.samples import ProbeKey, probe_key
from mailward.ports.clock import Clock
from mailward.ports.host import Host
from mailward.ports.service_control import ServiceControl

log = logging.getLogger(__name__)
Seen = TypeVar("Seen")

LOOK_FOR = timedelta(seconds=2)
"""A host that does not answer by then shows nothing; that is unknown, never down."""
LOOK_AGAIN_AFTER = timedelta(milliseconds=500)
CERTIFICATE_AGAIN_AFTER = timedelta(seconds=30)
"""How long what was read of a certificate file is believed: it is compared with every handshake."""
LOG_BEFORE = timedelta(seconds=2)
"""Hosts' clocks differ a little."""
LOG_MOST = timedelta(minutes=15)
"""What was logged longer ago explains nothing of now."""


class Investigation:
    """Looks around after a failure and asks diagnosis what it means."""

    def __init__(
        self,
        *,
        clock: Clock,
        hosts: Mapping[str, Host],
        services: Mapping[str, ServiceControl],
    ) -> None:
        self._clock = clock
        self._hosts = hosts
        self._services = services
        self._known = Recollection()
        self._failing_since: dict[ProbeKey, datetime] = {}
        self._well_at: dict[ProbeKey, datetime] = {}
        self._certificates: dict[str, tuple[datetime, str | None]] = {}
        self._looks: dict[str, tuple[datetime, asyncio.Task[ServerEvidence]]] = {}

    def use(self, *, hosts: Mapping[str, Host], services: Mapping[str, ServiceControl]) -> None:
        """Look at these hosts from now on: the configuration has changed."""
        self._hosts, self._services = hosts, services

    def remember(self, results: Iterable[ProbeResult]) -> None:
        """Know the last results, as after a restart."""
        for result in results:
            self._note(result)

    async def explain(self, result: ProbeResult, organization: Organization) -> ProbeResult:
        """Return *result* with its verdict, and know it as its target's latest from now on."""
        involved = involved_servers(result, organization)
        self._note(result, involved)
        if not result.result.is_failure or result.verdict is not None:
            return result
        key = probe_key(result)
        well_at, failing_since = self._well_at.get(key), self._failing_since[key]
        evidence = await self._evidence(result, involved, well_at)  # the next result may arrive meanwhile
        verdict = diagnose(
            result,
            organization=organization,
            neighbours=self._known.around(result, involved),
            evidence=evidence,
            now=self._clock.now(),
            broken_since=failing_since,
            well_at=well_at,
        )
        judged = replace(result, verdict=verdict)
        self._known.replace(judged)
        return judged

    def latest(self, key: ProbeKey) -> ProbeResult | None:
        """The last result of a probe, or None."""
        return self._known.latest(key)

    def failing_since(self, key: ProbeKey) -> datetime | None:
        """When the probe's present run of failures began, or None."""
        return self._failing_since.get(key)

    async def certificate_on_disk(self, result: ProbeResult) -> str | None:
        """The fingerprint of the certificate the probed server is configured with; None when it cannot be seen."""
        if result.certificate is None or result.server not in self._hosts:
            return None
        now, known = self._clock.now(), self._certificates.get(result.server)
        differs = known is not None and known[1] != result.certificate.sha256  # renewed and loaded since, perhaps
        if known is None or differs or now - known[0] > CERTIFICATE_AGAIN_AFTER:
            known = (now, await self._certificate(result.server))
            self._certificates[result.server] = known
        return known[1]

    def _note(self, result: ProbeResult, involved: Iterable[str] = ()) -> None:
        key = probe_key(result)
        self._known.note(result, involved)
        if result.result.is_failure:
            self._failing_since.setdefault(key, result.at)
        elif result.is_healthy:
            self._failing_since.pop(key, None)
            self._well_at[key] = result.at + result.took

    async def _evidence(self, result: ProbeResult, involved: Iterable[str], well_at: datetime | None) -> Evidence:
        """Logs are read from when all was last well: some faults are logged once, when they begin."""
        since = max(well_at or result.at, result.at - LOG_MOST) - LOG_BEFORE
        looks = await asyncio.gather(*(self._look(server, since) for server in involved))
        lag = max((phase.loop_lag for phase in result.phases), default=timedelta(0))
        return Evidence(servers=tuple(looks), prober=ProberEvidence(loop_lag=lag))

    async def _look(self, server: str, since: datetime) -> ServerEvidence:
        now = self._clock.now()
        known = self._looks.get(server)
        if known is None or now - known[0] > LOOK_AGAIN_AFTER:
            known = (now, asyncio.create_task(self._look_afresh(server, since)))
            self._looks[server] = known
        return await asyncio.shield(known[1])

    async def _look_afresh(self, server: str, since: datetime) -> ServerEvidence:
        service, lines, disks, on_disk = await asyncio.gather(
            self._service(server), self._log(server, since), self._disks(server), self._certificate(server)
        )
        return ServerEvidence(server=server, service=service, log=lines, disks=disks, certificate_on_disk=on_disk)

    async def _service(self, server: str) -> ServiceStatus | None:
        control = self._services.get(server)
        return None if control is None else await _seen(f"service of {server}", control.status())

    async def _log(self, server: str, since: datetime) -> tuple[LogLine, ...]:
        host = self._hosts.get(server)
        lines = (
            None
            if host is None
            else await _seen(f"log of {server}", host.log_lines(since=since, mentioning=LOG_WORDS, limit=200))
        )
        return lines or ()

    async def _disks(self, server: str) -> tuple[DiskUsage, ...]:
        host = self._hosts.get(server)
        disks = None if host is None else await _seen(f"disks of {server}", host.disks())
        return disks or ()

    async def _certificate(self, server: str) -> str | None:
        host = self._hosts.get(server)
        return None if host is None else await _seen(f"certificate of {server}", host.certificate_on_disk())


async def _seen(what: str, look: Awaitable[Seen]) -> Seen | None:
    """Wait for one look, within bounds; None when there was nothing to be seen."""
    try:
        async with asyncio.timeout(LOOK_FOR.total_seconds()):
            return await look
    except (MailwardError, TimeoutError) as failure:
        log.debug("%s not seen: %s", what, failure)
        return None


def involved_servers(result: ProbeResult, organization: Organization) -> tuple[str, ...]:
    """
    The servers a conversation may have passed, by our names: the one probed, those behind an access point, and the
    mailbox server that served it or holds the active copy of its database.
    """
    names = dict.fromkeys([result.server])
    point = organization.access_points.get(result.server)
    if point is not None:
        names.update(dict.fromkeys(point.servers))
    if result.mailbox_server is not None:
        names[result.mailbox_server] = None
    database = organization.databases.get(result.target)
    if database is not None:
        names[database.active] = None
    return tuple(name for name in names if name in organization.servers)
