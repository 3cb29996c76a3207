"""
The only place that picks implementations: `examine` for one-shot checks, `run_manager` for the manager.

Everything below meets its neighbours as ports; here the ports get the real thing.
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from socket import gethostname
from socket import socket as Socket  # noqa: N812 - `socket` is the path everywhere here
from typing import TYPE_CHECKING

from mailward.diagnosis.verdict import diagnose_alone
from mailward.engine.answers import Answers
from mailward.engine.engine import Engine
from mailward.engine.parts import Parts, Platform, RepairParts
from mailward.model import items
from mailward.model.errors import ConfigError, TemporaryFailure
from mailward.model.organization import HealthMailbox, ImapEndpoint, Organization, SecretKind, SecretRef
from mailward.model.probing import ProbeResult
from mailward.model.target import ProbeTarget, Turn
from mailward.network import TcpNetwork
from mailward.network.lmtp_delivery import LmtpDelivery
from mailward.platforms.access_points import access_point_control_for
from mailward.platforms.counting import counters_for
from mailward.platforms.local.file_secrets import FileSecrets
from mailward.platforms.local.host import LocalHost
from mailward.platforms.local.notify_socket import notify_socket
from mailward.platforms.local.self_check import descriptors
from mailward.platforms.local.stop_file import why_stopped
from mailward.platforms.local.system_chance import SystemChance
from mailward.platforms.local.system_clock import SystemClock
from mailward.platforms.moving import proxy_controls_for, replication_for, routing_for
from mailward.platforms.protocol_logs import protocol_logs_for
from mailward.platforms.services import host_control_for, service_control_for
from mailward.ports.probe import Probe
from mailward.ports.secrets import Secrets
from mailward.ports.settings import Settings
from mailward.probes.customer_touch_point import ImapCTPProbe
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.delivery import LmtpDeliveryProbe
from mailward.probes.equipment import Equipment
from mailward.probes.proxy_test import ImapProxyTestProbe
from mailward.probes.self_test import ImapSelfTestProbe
from mailward.probes.sentinel import ImapSentinel

if TYPE_CHECKING:
    from ssl import SSLContext

    from starlette.applications import Starlette

    from mailward.ports.faults import Faults
    from mailward.storage.sqlite import SqliteStore
    from mailward.web.keyring import Keyring
    from mailward.web.settings import WebSettings


_log = logging.getLogger("mailward")


class GivenPassword:
    """The one password somebody typed for `mailward check`; it is kept nowhere."""

    def __init__(self, password: str) -> None:
        """Keep *password* for as long as the check takes."""
        self._password = password

    def reveal(self, ref: SecretRef) -> str:  # noqa: ARG002 - there is only one
        """Return it."""
        return self._password


class Bell:
    """Who stored events rings it; the engine that should hear it comes into being later."""

    def __init__(self) -> None:
        """Nobody hears it yet."""
        self.answer: Callable[[], None] = lambda: None

    def ring(self) -> None:
        """Tell whoever listens."""
        self.answer()


async def examine(
    endpoint: ImapEndpoint,
    *,
    user: str | None = None,
    password: str | None = None,
    login_as: str | None = None,
    deep: bool = False,
    timeout: timedelta = timedelta(seconds=10),
) -> ProbeResult:
    """
    Examine one IMAP server without any configuration.

    Without a user it is met up to its capabilities, as by ImapProxyTestProbe; with one we log in, as
    ImapSelfTestProbe does; *deep* also opens the mailbox, read only. Nothing is ever written.
    """
    account = None
    if user is not None and password is not None:
        ref = SecretRef(kind=SecretKind.ENVIRONMENT, name="the password that was given")
        account = HealthMailbox(user=user, password=ref, login_as=login_as)
    probes = _probes(_equipment(TcpNetwork(), GivenPassword(password or "")))
    name = items.PROXY_TEST_PROBE if account is None else items.DEEP_TEST_PROBE if deep else items.SELF_TEST_PROBE
    target = ProbeTarget(
        probe=name,
        health_set=items.IMAP,
        server=endpoint.host,
        target=endpoint.host,
        endpoint=endpoint,
        timeout=timeout,
        account=account,
        turn=Turn.EXAMINE,
    )
    result = await probes[name].run(target)
    return replace(result, verdict=diagnose_alone(result))


async def run_manager(
    settings: Settings,
    *,
    state_directory: Path,
    socket: Path,
    web: "WebSettings | None" = None,
    faults: "Faults | None" = None,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """
    Watch the organization that *settings* describe until SIGTERM or SIGINT; SIGHUP reads them again.

    Args:
        settings: Where the configuration comes from.
        state_directory: Holds the store; one manager at a time, which a lock ensures.
        socket: Where the API is served.
        web: Where API and dashboard are served over TCP; None: nowhere.
        faults: What anybody on this machine may break there, and change whatever else: the demo. None: nothing.
        on_ready: Called once the API answers.

    Raises:
        ConfigError: The configuration, the store or the socket cannot be used.
        Refused: Another manager runs on this state directory.
    """
    # These load SQLAlchemy and starlette, which `mailward check` does not need.
    from mailward.platforms.local.state_directory import locked
    from mailward.storage.sqlite import SqliteStore

    snapshot = settings.load()
    with locked(state_directory):
        clock = SystemClock()
        bell = Bell()
        store = SqliteStore(state_directory / "mailward.db", clock=clock)
        doors = await _doors(web, store, state_directory, clock=clock, bell=bell, faults=faults)
        engine = Engine(snapshot, _parts(settings, store, clock, bell))
        bell.answer = engine.ledger.ring
        doors.bind(socket)
        stop = _stop_on_signals(engine)

        def answer() -> None:
            """Requests wait in the listeners' queues until there is something to answer from."""

            def ready() -> None:
                """Only now: what systemd starts after us may ask us at once."""
                on_ready()
                engine.announce()

            answers = Answers(engine)
            doors.open(answers, on_open=ready, on_end=stop.set)
            doors.serving.append(asyncio.create_task(_prepare(answers), name="the first pages"))
            _keep_what_is_there()

        try:
            await engine.run(stop, on_running=answer)
        finally:
            await doors.close()


async def _prepare(answers: Answers) -> None:
    """Nobody is to wait for what is counted once and kept."""
    await answers.prepare()
    _keep_what_is_there()


def _keep_what_is_there() -> None:
    """What is there now stays: a full garbage collection over it would make every probe late (measured)."""
    gc.collect()
    gc.freeze()


@dataclass(kw_only=True, slots=True)
class _Doors:
    """Where the manager is asked: its socket and, where `[web]` says so, a port."""

    keyring: "Keyring"
    clock: SystemClock
    web: "WebSettings | None"
    key: bytes
    """What sessions are signed with."""
    tls: "SSLContext | None"
    faults: "Faults | None"
    socket: Path | None = None
    listeners: list[Socket] = field(default_factory=list)
    serving: list[asyncio.Task[None]] = field(default_factory=list)

    def bind(self, socket: Path) -> None:
        """Listen, before anything is measured: a socket or address in use ends the start, one of `[web]` does not."""
        from mailward.web.serve import bind, bind_tcp

        self.socket = socket
        self.listeners.append(bind(socket))
        if self.web is not None:
            try:
                self.listeners.append(bind_tcp(self.web.host, self.web.port))
            except ConfigError as error:  # mail is watched all the same
                _log.error("there is no dashboard: %s", error)

    def open(self, manager: Answers, *, on_open: Callable[[], None], on_end: Callable[[], object]) -> None:
        """Answer from *manager* from now on; *on_open* once every door is open, *on_end* when one closes by itself."""
        from mailward.web.serve import serve

        closed = len(self.listeners)

        def opened() -> None:
            nonlocal closed
            closed -= 1
            if not closed:
                on_open()

        for app, listener, tls in zip(self._apps(manager), self.listeners, (None, self.tls), strict=False):
            task = asyncio.create_task(serve(app, listener, tls=tls, on_answering=opened), name="the API")
            task.add_done_callback(lambda _: on_end())
            self.serving.append(task)

    async def close(self) -> None:
        """Answer nobody any more, and leave no socket behind."""
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)
        await self.keyring.close()
        for listener in self.listeners:
            listener.close()
        if self.socket is not None and self.listeners:
            self.socket.unlink(missing_ok=True)

    def _apps(self, manager: Answers) -> Iterator["Starlette"]:
        from mailward.metrics.exposition import Exposition
        from mailward.web.access import Right
        from mailward.web.api import build_api
        from mailward.web.door import site_for

        exposition = Exposition(manager, self.clock)
        yield build_api(manager, clock=self.clock, exposition=exposition, keyring=self.keyring)
        if self.web is not None:
            yield site_for(
                manager,
                self.web,
                keyring=self.keyring,
                key=self.key,
                clock=self.clock,
                without_login=Right.VIEWER if self.faults is None else Right.OPERATOR,
                exposition=exposition,
                faults=self.faults,
            )


async def _doors(
    web: "WebSettings | None",
    store: "SqliteStore",
    state_directory: Path,
    *,
    clock: SystemClock,
    bell: Bell,
    faults: "Faults | None",
) -> _Doors:
    """
    What stands before the manager.

    Raises:
        ConfigError: Others could come in without a login, or what TLS needs cannot be used.
    """
    from mailward.storage.credentials import SqliteCredentials
    from mailward.web.door import refuse_open_door, tls_of
    from mailward.web.keyring import Keyring
    from mailward.web.sessions import signing_key

    keyring = Keyring(SqliteCredentials(store.database, stored=bell.ring), clock=clock)
    if web is not None and not web.is_loopback:
        # Whether somebody can log in must be known now; a store that cannot say it lets nobody in until it can.
        with suppress(TemporaryFailure):
            await store.open()
            refuse_open_door(web, await keyring.known())
    return _Doors(
        keyring=keyring,
        clock=clock,
        web=web,
        key=signing_key(state_directory / "session.key"),
        tls=None if web is None else tls_of(web),
        faults=faults,
    )


def _parts(settings: Settings, store: "SqliteStore", clock: SystemClock, bell: Bell) -> Parts:
    """What the engine is made of."""
    from mailward.notify.channels import notifier_for
    from mailward.storage.holds import SqliteHolds
    from mailward.storage.lease import SqliteLease
    from mailward.storage.operations import SqliteOperations
    from mailward.storage.outbox import SqliteOutbox

    network = TcpNetwork()
    secrets = FileSecrets()
    equipment = _equipment(network, secrets)
    return Parts(
        settings=settings,
        store=store,
        probes=_probes(equipment),
        platform=partial(_platform, secrets=secrets),
        clock=clock,
        chance=equipment.chance,
        loop_lag=network.loop_lag,
        sentinel=ImapSentinel(equipment),
        self_check=descriptors,
        service_manager=notify_socket(os.environ, pid=os.getpid()),
        repair=RepairParts(
            operations=SqliteOperations(store.database, stored=bell.ring),
            lease=SqliteLease(store.database),
            holds=SqliteHolds(store.database, stored=bell.ring),
            outbox=SqliteOutbox(store.database, stored=bell.ring),
            make_notifier=partial(notifier_for, secrets=secrets),
            stopped=why_stopped,
            owner=f"{gethostname()}/{os.getpid()}/{equipment.chance.token()[:8]}",
        ),
    )


def _stop_on_signals(engine: Engine) -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, engine.try_reload)
    return stop


def _equipment(network: TcpNetwork, secrets: Secrets) -> Equipment:
    return Equipment(network=network, secrets=secrets, clock=SystemClock(), chance=SystemChance())


def _probes(equipment: Equipment) -> Mapping[str, Probe]:
    probes: tuple[Probe, ...] = (
        ImapSelfTestProbe(equipment),
        ImapDeepTestProbe(equipment),
        ImapProxyTestProbe(equipment),
        ImapCTPProbe(equipment),
        LmtpDeliveryProbe(equipment, LmtpDelivery()),
    )
    return {probe.name: probe for probe in probes}


def _platform(organization: Organization, *, secrets: Secrets) -> Platform:
    """What is reached of each server's host: this machine's files, and the service where the configuration names it."""
    controls = {name: service_control_for(server) for name, server in organization.servers.items()}
    machines = {name: host_control_for(server) for name, server in organization.servers.items()}
    points = {name: access_point_control_for(point) for name, point in organization.access_points.items()}
    return Platform(
        hosts={
            name: LocalHost(server)
            for name, server in organization.servers.items()
            if server.host.log_files or server.host.store_paths or server.host.certificate_file
        },
        services={name: control for name, control in controls.items() if control is not None},
        machines={name: machine for name, machine in machines.items() if machine is not None},
        access_points={name: point for name, point in points.items() if point is not None},
        routing=routing_for(organization, secrets),
        proxies=proxy_controls_for(organization),
        replication=replication_for(organization),
        counters=counters_for(organization, SystemClock()),
        protocol_logs=protocol_logs_for(organization),
    )
