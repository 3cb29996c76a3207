"""From the configuration's words to the counters of each server's platform."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mailward.model.counters import RunningCommand
from mailward.model.errors import TemporaryFailure
from mailward.model.organization import Organization, Server
from mailward.platforms.commands import Finished, LocalRunner, Runner
from mailward.platforms.dovecot.counters import DovecotCounters, ShowRunning, ShowSockets, not_shown
from mailward.platforms.dovecot.doveadm import Doveadm
from mailward.platforms.dovecot.programs import program
from mailward.platforms.dovecot.running_commands import running_commands
from mailward.platforms.linux.listening_sockets import SHOW, ListeningSocket, parse
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.moving import doveadm_for
from mailward.platforms.reach.conversation import MailwardHost
from mailward.platforms.reach.ssh import LOCAL
from mailward.platforms.services import mailward_host_for
from mailward.ports.clock import Clock
from mailward.ports.counters import Counters

_STANDARD_PORTS = (143, 993)
_LOOK_S, _FAR_S = 5.0, 20.0
_LISTENING = "listening"


def counters_for(organization: Organization, clock: Clock) -> Mapping[str, Counters]:
    """The counters of every server whose platform counts, by server."""
    return {
        name: _counters(server, doveadm, clock)
        for name, server in organization.servers.items()
        if server.has_counters and (doveadm := doveadm_for(server)) is not None
    }


def _counters(server: Server, doveadm: Doveadm, clock: Clock) -> DovecotCounters:
    is_here = server.host.reach == LOCAL
    sockets: ShowSockets
    running: ShowRunning = not_shown
    if is_here:
        sockets = partial(_sockets_here, LocalRunner())
        running = _Running(server.host.doveadm or "", LocalRunner()).look
    else:
        sockets = partial(_sockets_there, mailward_host_for(server))
    return DovecotCounters(
        doveadm,
        address=server.imap.host,
        ports={server.imap.port, *_STANDARD_PORTS},
        sockets=sockets,
        running=running,
        clock=clock,
    )


async def _sockets_here(runner: Runner) -> tuple[ListeningSocket, ...]:
    return _read(await runner.run(SHOW, timeout=_LOOK_S))


async def _sockets_there(host: MailwardHost) -> tuple[ListeningSocket, ...]:
    return _read(await host.run(_LISTENING, seconds=_FAR_S))


def _read(finished: Finished) -> tuple[ListeningSocket, ...]:
    if finished.status != 0:
        raise TemporaryFailure(f"{' '.join(SHOW)}: {finished.said()}")
    return parse(finished.output)


class _Running:
    """The commands under way in the Dovecot of one configuration file on this machine."""

    def __init__(self, configuration: str, runner: Runner) -> None:
        self._configuration = configuration
        self._runner = runner
        self._pid_file: PidFileService | None = None

    async def look(self) -> tuple[RunningCommand, ...] | None:
        """None where its master is not found: then its own monitors have more to say."""
        if self._pid_file is None:
            argv = (program("doveconf"), "-c", self._configuration, "-h", "base_dir")
            base = (await self._runner.run(argv, timeout=_LOOK_S)).output.strip()
            if not base.startswith("/"):
                return None
            self._pid_file = PidFileService(Path(base) / "master.pid")
        master = self._pid_file.master()
        # a server may have thousands of sessions, and reading their titles must keep no probe waiting
        return None if master is None else await asyncio.to_thread(running_commands, master.pid)
