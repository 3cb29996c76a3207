"""Who has a session that leads to the source of a move, as the proxies say."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from mailward.engine.recovering.looking import bounded
from mailward.engine.recovering.world import World
from mailward.model.copies import ProxiedSession
from mailward.model.evidence import ServiceState
from mailward.ports.mailbox_routing import ProxyControl


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionsSeen:
    """What the proxies said of their sessions at one moment."""

    sessions: tuple[ProxiedSession, ...]
    unseen: dict[str, str]
    """Proxies that could not be asked, and why."""
    stopped: frozenset[str]
    """Those that were stopped with their sessions: they remember nothing, and pass nobody on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxiedSessions:
    """The sessions of every proxy, and which of them lead to one server."""

    world: World
    source: str

    def proxies(self) -> Mapping[str, ProxyControl]:
        """Those that can be asked and told."""
        organization = self.world.organization()
        return {name: one for name, one in self.world.controls().proxies.items() if name in organization.servers}

    async def look(self) -> SessionsSeen:
        """Ask every proxy now."""
        controls = self.proxies()
        said = await asyncio.gather(*(bounded(control.sessions()) for control in controls.values()))
        found: list[ProxiedSession] = []
        unseen: dict[str, str] = {}
        stopped: set[str] = set()
        for name, (sessions, why) in zip(controls, said, strict=True):
            if sessions is not None:
                found.extend(sessions)
            elif await self._was_stopped(name):
                stopped.add(name)
            else:
                unseen[name] = why  # also one that crashed: its sessions may live on without it (field notes §E)
        for proxy in self.world.organization().proxies:
            if proxy.name not in controls and not await self._was_stopped(proxy.name):
                unseen[proxy.name] = f"servers.{proxy.name}.host.doveadm is not configured"
        return SessionsSeen(sessions=tuple(found), unseen=unseen, stopped=frozenset(stopped))

    async def known_addresses(self) -> Mapping[str, str]:
        """Address -> mailbox server."""
        servers = self.world.organization().mailbox_servers
        found = await asyncio.gather(*(self.world.addresses_of(server.imap.host) for server in servers))
        return {address: server.name for server, own in zip(servers, found, strict=True) for address in own}

    def on_source(
        self,
        sessions: Sequence[ProxiedSession],
        mailboxes: Set[str],
        *,
        addresses: Mapping[str, str],
        ended: Set[str],
    ) -> tuple[str, ...]:
        """
        Those of *mailboxes* with a session that may lead to the source.

        Only the known address of another server says that it leads elsewhere. Where a proxy tells no address (Dovecot
        2.4), what was *ended* since the switch (in small letters) has come back to the target.
        """
        folded = {name.casefold() for name in mailboxes}
        own: set[str] = set()
        for session in sessions:
            name = session.mailbox.casefold()
            elsewhere = addresses.get(session.address or "", self.source) != self.source
            came_back = session.address is None and name in ended
            if name in folded and not (elsewhere or came_back):
                own.add(session.mailbox)  # as the proxy spells it, which is asked to end it
        return tuple(sorted(own))

    async def _was_stopped(self, proxy: str) -> bool:
        """Whether its host says that somebody stopped it."""
        control = self.world.controls().services.get(proxy)
        if control is None:
            return False
        status, _ = await bounded(control.status())
        return status is not None and status.state is ServiceState.STOPPED
