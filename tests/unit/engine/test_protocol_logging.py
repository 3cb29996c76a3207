"""Protocol logs by hand: whom they are for, what is recorded, and how a session is found; on shipped fakes."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from mailward.engine.protocol_logging import ProtocolLogging
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.evidence import LogLine
from mailward.model.organization import (
    Database,
    HealthMailbox,
    ImapEndpoint,
    Organization,
    Role,
    SecretKind,
    SecretRef,
    Server,
)
from mailward.model.protocol_log import LoggedSession
from mailward.testing.platform import SetClock, TameHost
from mailward.testing.protocol_log import MemoryProtocolLog

MAILBOX = HealthMailbox(user="health-mbx1", password=SecretRef(kind=SecretKind.FILE, name="secret"))
TEN_MINUTES, HOUR = timedelta(minutes=10), timedelta(hours=1)
LOGIN = "imap-login: Info: Login: user=<health-db1>, rip=192.0.2.5, mpid=17, TLS, session=<abc>"
PROXIED = "imap-login: Info: proxy(health-db1,192.0.2.21:993): Started proxying to <192.0.2.21>: user=<health-db1>,"
PROXIED += " rip=192.0.2.5, session=<abc>"


def a_server(name: str, role: Role, address: str, mailbox: HealthMailbox | None = None) -> Server:
    return Server(name=name, roles=frozenset({role}), imap=ImapEndpoint(host=address), health_mailbox=mailbox)


class Desk:
    """An organization of a proxy and two mailbox servers, of which mbx1 and mbx2 have a copy of DB1."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.organization = Organization(
            name="example",
            servers={
                "proxy1": a_server("proxy1", Role.PROXY, "192.0.2.11"),
                "mbx1": a_server("mbx1", Role.MAILBOX, "192.0.2.21", MAILBOX),
                "mbx2": a_server("mbx2", Role.MAILBOX, "192.0.2.22"),
                "mbx3": a_server("mbx3", Role.MAILBOX, "192.0.2.23"),
            },
            databases={
                "DB1": Database(
                    name="DB1",
                    copies=("mbx1", "mbx2"),
                    active="mbx1",
                    health_mailbox=replace(MAILBOX, user="health-db1"),
                )
            },
        )
        users = {name: self.organization.health_mailboxes_on(name) for name in ("mbx1", "mbx2", "mbx3")}
        self.logs = {name: MemoryProtocolLog(name, some, clock=self.clock) for name, some in users.items()}
        self.hosts = {"proxy1": TameHost(), "mbx1": TameHost()}
        self.events = []
        self.stopped = None
        self.logging = ProtocolLogging(
            organization=lambda: self.organization,
            clock=self.clock,
            record=self.events.append,
            stopped=lambda: self.stopped,
        )
        self.logging.use(logs=self.logs, hosts=self.hosts)

    async def find(self):
        return await self.logging.find("health-db1", since=self.clock.now() - HOUR)

    def log_line(self, server: str, text: str) -> None:
        self.hosts[server].lines.append(LogLine(server=server, text=text, at=self.clock.now()))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_on_is_for_every_health_mailbox_of_the_server_and_is_an_event_with_who_and_why(desk):
    standing = await desk.logging.on("mbx1", lasting=TEN_MINUTES, actor="root", reason="slow logins")

    assert {"health-mbx1", "health-db1"} == set(standing.users)
    assert desk.clock.now() + TEN_MINUTES == standing.until
    (event,) = desk.events
    assert (EventKind.PROTOCOL_LOG_CHANGED, "mbx1", "off", "on", "root") == (
        event.kind,
        event.subject,
        event.before,
        event.after,
        event.actor,
    )
    assert "slow logins" in event.because


async def test_off_is_an_event_and_off_again_is_none(desk):
    await desk.logging.on("mbx1", lasting=TEN_MINUTES, actor="root")
    await desk.logging.off("mbx1", actor="root")
    await desk.logging.off("mbx1", actor="root")

    assert [("off", "on"), ("on", "off")] == [(event.before, event.after) for event in desk.events]


async def test_a_rehearsal_names_users_and_directory_and_does_nothing(desk):
    on = await desk.logging.on("mbx1", lasting=TEN_MINUTES, actor="root", dry_run=True)
    off = await desk.logging.off("mbx1", actor="root", dry_run=True)

    assert "would log health-mbx1, health-db1 below /run/rawlog for 10 min" == on.because
    assert "it is off" == off.because
    assert not (await desk.logging.standing("mbx1")).is_on
    assert [] == desk.events


@pytest.mark.parametrize("lasting", [timedelta(0), -TEN_MINUTES, HOUR + timedelta(seconds=1)])
async def test_no_time_and_too_long_a_time_are_refused(desk, lasting):
    with pytest.raises(Refused, match="1 h at most"):
        await desk.logging.on("mbx1", lasting=lasting, actor="root")


async def test_nothing_is_switched_on_while_nothing_may_be_done_but_off_always_can_be(desk):
    await desk.logging.on("mbx1", lasting=TEN_MINUTES, actor="root")
    desk.stopped = "the stop file exists"

    with pytest.raises(Refused, match="the stop file exists"):
        await desk.logging.on("mbx1", lasting=TEN_MINUTES, actor="root")
    assert not (await desk.logging.off("mbx1", actor="root")).is_on


async def test_a_proxy_a_server_without_mailbox_and_one_that_is_not_reached_say_why_not(desk):
    del desk.logs["mbx2"]

    for server, why in (("proxy1", "mailbox servers have"), ("mbx2", "host.doveadm"), ("mbx3", "no health mailbox")):
        with pytest.raises(Refused, match=why):
            await desk.logging.on(server, lasting=TEN_MINUTES, actor="root")


async def test_where_it_is_not_available_orders_are_refused_with_the_reason(desk):
    desk.logs["mbx1"].unavailable_because = "there is no rawlog_dir"

    assert not (await desk.logging.standing("mbx1")).is_available
    for dry_run in (True, False):
        with pytest.raises(Refused, match="rawlog_dir"):
            await desk.logging.on("mbx1", lasting=TEN_MINUTES, actor="root", dry_run=dry_run)
        with pytest.raises(Refused, match="rawlog_dir"):
            await desk.logging.off("mbx1", actor="root", dry_run=dry_run)


async def test_a_session_is_found_over_both_tiers_with_its_conversation(desk):
    await desk.logging.on("mbx1", lasting=TEN_MINUTES, actor="root")
    desk.log_line("proxy1", PROXIED)
    desk.log_line("mbx1", LOGIN)
    desk.logs["mbx1"].session(
        LoggedSession(
            user="health-db1", because="so", mailbox_server="mbx1", process=17, opened=desk.clock.now(), lines=()
        )
    )

    (one,) = await desk.find()

    assert ("mbx1", "proxy1", "abc", 17) == (one.mailbox_server, one.proxy, one.session, one.process)


async def test_the_address_a_proxy_names_is_that_of_a_server(desk):
    desk.log_line("proxy1", PROXIED)

    (one,) = await desk.find()

    assert ("mbx1", "proxy1") == (one.mailbox_server, one.proxy)


async def test_two_servers_at_one_address_are_not_told_apart_by_it(desk):
    servers = {**desk.organization.servers, "mbx4": a_server("mbx4", Role.MAILBOX, "192.0.2.21")}
    desk.organization = replace(desk.organization, servers=servers)
    desk.log_line("proxy1", PROXIED)

    (one,) = await desk.find()

    assert one.mailbox_server is None


async def test_what_cannot_be_read_is_told_where_nothing_is_found_and_passed_over_where_something_is(desk):
    desk.hosts["mbx1"].unreachable = "mbx1 is away"
    with pytest.raises(TemporaryFailure, match="no session of health-db1 was found, and .*mbx1 is away"):
        await desk.find()
    desk.hosts["mbx1"].unreachable = ""
    desk.logs["mbx2"].silent_because = "mbx2 does not answer"
    with pytest.raises(TemporaryFailure, match="mbx2 does not answer"):
        await desk.find()

    desk.log_line("proxy1", PROXIED)

    assert 1 == len(await desk.find())


async def test_a_log_that_is_not_available_is_no_trouble(desk):
    desk.logs["mbx1"].unavailable_because = desk.logs["mbx2"].unavailable_because = "not over ssh"

    assert () == await desk.find()


async def test_at_a_start_and_with_another_configuration_deadlines_are_kept_whatever_one_log_says(desk, caplog):
    kept = []
    for name, log in desk.logs.items():
        log.keep_deadline = partial(_keep, name, kept)
    running = asyncio.create_task(desk.logging.run())
    await _until(lambda: 3 == len(kept))

    desk.logging.use(logs=desk.logs, hosts=desk.hosts)

    await _until(lambda: 6 == len(kept))
    assert ["mbx1", "mbx2", "mbx3"] * 2 == kept
    assert "whether the protocol log of mbx2 goes off in time is not known: it hangs" in caplog.text
    running.cancel()


async def _keep(name, kept):
    kept.append(name)
    if name == "mbx1":
        raise Refused("not available")
    if name == "mbx2":
        raise TemporaryFailure("it hangs")


async def _until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


async def test_people_are_not_looked_for(desk):
    with pytest.raises(NotFound, match="no health mailbox 'anna'"):
        await desk.logging.find("anna", since=desk.clock.now() - HOUR)
