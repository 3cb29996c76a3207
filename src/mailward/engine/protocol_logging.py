"""
Protocol logs by hand: on, off, how one stands, and which mailbox server served a session.

What is logged are health mailboxes, never what people read and write. That it goes off in time is the port's promise;
here it is only said who had it switched, and why.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.diagnosis.served import served_sessions
from mailward.engine.shared_looks import SharedLooks
from mailward.model.durations import spoken
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.evidence import LogLine
from mailward.model.organization import Organization
from mailward.model.protocol_log import LONGEST, LoggedSession, ProtocolLogStanding
from mailward.monitors.planning import names_of_servers
from mailward.ports.clock import Clock
from mailward.ports.host import Host
from mailward.ports.protocol_log import ProtocolLog

logger = logging.getLogger(__name__)

SESSIONS_MOST = 20
_LOG_LINES_MOST = 400
"""Of each server: as many sessions of probes as an hour has."""


class ProtocolLogging:
    """The protocol logs of an organization, as people and recoveries use them."""

    def __init__(
        self,
        *,
        organization: Callable[[], Organization],
        clock: Clock,
        record: Callable[[Event], None],
        stopped: Callable[[], str | None],
    ) -> None:
        """*stopped* says why nothing at all may be done, which forbids to switch one on."""
        self._organization = organization
        self._clock = clock
        self._record = record
        self._stopped = stopped
        self._logs: Mapping[str, ProtocolLog] = {}
        self._hosts: Mapping[str, Host] = {}
        self._are_new = asyncio.Event()
        self._looks: SharedLooks[ProtocolLogStanding] = SharedLooks()

    def use(self, *, logs: Mapping[str, ProtocolLog], hosts: Mapping[str, Host]) -> None:
        """Switch and read these from now on, by server."""
        self._logs, self._hosts = logs, hosts
        self._are_new.set()

    async def run(self) -> None:
        """
        Whenever there are other logs to look after, at the start too, see to it that those that are on go off in time.

        What was to switch them off may have been ended together with a manager before this one.
        """
        while True:
            await self._are_new.wait()
            self._are_new.clear()
            for server, log in self._logs.items():
                try:
                    await log.keep_deadline()
                except Refused:
                    pass  # it is not available there, so it is not on
                except TemporaryFailure as error:
                    logger.warning("whether the protocol log of %s goes off in time is not known: %s", server, error)

    async def standing(self, server: str) -> ProtocolLogStanding:
        """How it stands on that server now; who asks at the same time shares one look."""
        return await self._looks.look(server, self._log(server).standing)

    async def on(
        self, server: str, *, lasting: timedelta, actor: str, reason: str = "", dry_run: bool = False
    ) -> ProtocolLogStanding:
        """
        Log every health mailbox of that server for so long.

        Raises:
            Refused: It is not available there, has no health mailbox, or nothing may be done at all.
        """
        log, users = self._log(server), self._organization().health_mailboxes_on(server)
        if not timedelta(0) < lasting <= LONGEST:
            raise Refused(f"the protocol log can be on for {spoken(LONGEST)} at most")
        if not users:
            raise Refused(f"{server} has no health mailbox, and nobody else is ever logged")
        if (why := self._stopped()) is not None:
            raise Refused(f"nothing is switched on: {why}")
        before = await log.standing()
        if not before.is_available:
            raise Refused(before.because)
        until = self._clock.now() + lasting
        if dry_run:
            because = f"would log {', '.join(users)} below {before.directory} for {spoken(lasting)}"
            return replace(before, because=because)
        after = await log.on(users, until=until)
        self._tell(before, after, actor=actor, reason=reason)
        return after

    async def off(self, server: str, *, actor: str, reason: str = "", dry_run: bool = False) -> ProtocolLogStanding:
        """
        Log nothing there any more, and remove what was logged.

        Raises:
            Refused: It is not available there, or not all of what lay there was Dovecot's.
        """
        log = self._log(server)
        before = await log.standing()
        if not before.is_available:
            raise Refused(before.because)
        if dry_run:
            because = f"would remove what was logged of {', '.join(before.users)}" if before.is_on else "it is off"
            return replace(before, because=because)
        try:
            after = await log.off()
        except Refused:  # nothing is logged any more, although something was left
            self._tell(before, replace(before, users=()), actor=actor, reason=reason)
            raise
        self._tell(before, after, actor=actor, reason=reason)
        return after

    async def find(self, user: str, *, since: datetime) -> tuple[LoggedSession, ...]:
        """
        The sessions of a health mailbox since then, put together from the logs of both tiers.

        Raises:
            NotFound: It is no health mailbox of this organization.
            TemporaryFailure: None was found, and a log could not be read.
        """
        organization = self._organization()
        servers = [name for name in organization.servers if user in organization.health_mailboxes_on(name)]
        if not servers:
            raise NotFound(f"there is no health mailbox {user!r}; only those are looked for, never people's sessions")
        troubles: list[str] = []
        lines = await asyncio.gather(*(self._lines(host, user, since, troubles) for host in self._hosts.values()))
        logs = [self._logs[name] for name in servers if name in self._logs]
        said = await asyncio.gather(*(self._conversations(log, user, since, troubles) for log in logs))
        found = served_sessions(
            user,
            [line for some in lines for line in some],
            [one for some in said for one in some],
            names=_names(organization),
            limit=SESSIONS_MOST,
        )
        if not found and troubles:
            raise TemporaryFailure(f"no session of {user} was found, and {'; '.join(troubles)}")
        return found

    def _log(self, server: str) -> ProtocolLog:
        log = self._logs.get(server)
        if log is not None:
            return log
        if not self._organization().servers[server].is_mailbox:
            raise Refused(
                f"{server} is a proxy, which cannot read what it passes on: mailbox servers have the protocol log"
            )
        raise Refused(
            f"the protocol log of {server} is not reached: set servers.{server}.host.doveadm in the configuration"
        )

    async def _lines(self, host: Host, user: str, since: datetime, troubles: list[str]) -> tuple[LogLine, ...]:
        try:
            return await host.log_lines(since=since, mentioning=(user,), limit=_LOG_LINES_MOST)
        except TemporaryFailure as error:
            troubles.append(str(error))
            return ()

    async def _conversations(
        self, log: ProtocolLog, user: str, since: datetime, troubles: list[str]
    ) -> tuple[LoggedSession, ...]:
        try:
            return await log.conversations(user, since=since, limit=SESSIONS_MOST)
        except TemporaryFailure as error:
            troubles.append(str(error))
        except Refused:  # not available there: the servers' own logs may still say who served it
            pass
        return ()

    def _tell(self, before: ProtocolLogStanding, after: ProtocolLogStanding, *, actor: str, reason: str) -> None:
        """Nothing is told where it was off and stays so."""
        if not (before.is_on or after.is_on):
            return
        until = "" if after.until is None else f" until {after.until:%H:%M:%S} UTC"
        what = f"logged on {after.server}{until}: {', '.join(after.users)}" if after.is_on else "logged no more"
        self._record(
            Event(
                at=self._clock.now(),
                kind=EventKind.PROTOCOL_LOG_CHANGED,
                subject=after.server,
                because=f"conversations of health mailboxes are {what}{f'; {reason}' if reason else ''}",
                before="on" if before.is_on else "off",
                after="on" if after.is_on else "off",
                actor=actor,
                data={"users": list(after.users or before.users), "directory": after.directory},
            )
        )


def _names(organization: Organization) -> dict[str, str]:
    """Names and addresses servers are known by; one that two share is left out."""
    owners: dict[str, set[str]] = {}
    for server in organization.servers.values():
        owners.setdefault(server.imap.host.lower(), set()).add(server.name)
    shared = {name: next(iter(names)) for name, names in owners.items() if len(names) == 1}
    return {**shared, **dict(names_of_servers(organization))}
