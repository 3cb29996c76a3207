"""Proxies and replication in memory: what moves are tried on."""

from datetime import timedelta

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.testing.platform import NOON, SetClock
from mailward.testing.routing import MemoryMap, MemoryProxy, MemoryReplication, MemoryServers


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def servers(clock: SetClock) -> MemoryServers:
    return MemoryServers(clock, {"be1": "127.0.0.1", "be2": "127.0.0.2"})


@pytest.fixture
def routing() -> MemoryMap:
    return MemoryMap({"DB1": "be1"}, {"DB1": ("ada", "bob")})


@pytest.fixture
def proxy(routing: MemoryMap, servers: MemoryServers) -> MemoryProxy:
    return MemoryProxy(routing, servers)


@pytest.fixture
def replication(servers: MemoryServers) -> MemoryReplication:
    return MemoryReplication("be1", "be2", servers, ("ada", "bob"))


async def test_a_session_stays_where_the_map_led_at_login(proxy: MemoryProxy, routing: MemoryMap) -> None:
    assert "be1" == proxy.log_in("ada")
    await routing.switch("DB1", source="be1", target="be2")
    assert "be2" == proxy.log_in("bob")
    assert ["127.0.0.1", "127.0.0.2"] == [session.address for session in await proxy.sessions()]


async def test_a_cache_hides_a_change_of_the_map_until_it_is_emptied(
    routing: MemoryMap, servers: MemoryServers
) -> None:
    proxy = MemoryProxy(routing, servers, remembers=True)
    proxy.log_in("ada")
    routing.edit("DB1", "be2")
    assert "be1" == proxy.log_in("ada")
    await proxy.forget()
    assert "be2" == proxy.log_in("ada")


async def test_a_held_login_waits_and_goes_where_the_map_said_when_it_came(
    proxy: MemoryProxy, routing: MemoryMap, clock: SetClock
) -> None:
    await routing.switch("DB1", source="be1", target="be2", hold_until=NOON + timedelta(seconds=2))
    proxy.log_in("ada")
    assert (("ada",), False) == (proxy.pending(), proxy.write("ada", "too early"))
    routing.edit("DB1", "be1")
    clock.advance(timedelta(seconds=2))
    assert ["127.0.0.2"] == [session.address for session in await proxy.sessions()]


async def test_ending_a_session_whose_next_login_waits_for_a_dead_server_crashes_the_proxy(
    proxy: MemoryProxy, servers: MemoryServers
) -> None:
    proxy.log_in("bob")
    servers.dead.add("be1")
    proxy.log_in("ada")
    await proxy.end_sessions(["bob"])
    with pytest.raises(TemporaryFailure, match="KICK failed"):
        await proxy.end_sessions(["ada"])
    assert (1, ()) == (proxy.crashes, proxy.pending())


async def test_ended_sessions_are_gone_and_nothing_more_is_written_by_them(
    proxy: MemoryProxy, servers: MemoryServers
) -> None:
    proxy.log_in("ada")
    assert proxy.write("ada", "first")
    await proxy.end_sessions(["ada", "nobody"])
    assert not proxy.write("ada", "second")
    assert {"first"} == servers.messages("be1", "ada")


async def test_mail_is_copied_once_it_has_lain_for_the_lag(
    replication: MemoryReplication, servers: MemoryServers, clock: SetClock
) -> None:
    replication.lag = timedelta(seconds=5)
    servers.add("be1", "ada", "first")
    assert (await replication.status())["ada"].is_waiting
    clock.advance(timedelta(seconds=5))
    assert not (await replication.status())["ada"].is_waiting
    assert {"first"} == servers.messages("be2", "ada")


async def test_synchronising_merges_both_sides_and_names_what_fails(
    replication: MemoryReplication, servers: MemoryServers
) -> None:
    servers.add("be1", "ada", "here")
    servers.add("be2", "ada", "there")
    replication.failing["bob"] = "No space left on device"
    report = await replication.synchronise(["ada", "bob"], with_server="be2")
    assert (("ada",), (("bob", "No space left on device"),)) == (report.done, report.failed)
    assert {"here", "there"} == servers.messages("be1", "ada") == servers.messages("be2", "ada")


async def test_without_a_replicator_only_synchronising_copies(replication: MemoryReplication) -> None:
    replication.has_replicator = False
    with pytest.raises(Refused):
        await replication.status()
    assert ("ada",) == (await replication.synchronise(["ada"], with_server="be2")).done


async def test_nothing_is_copied_with_a_dead_server(replication: MemoryReplication, servers: MemoryServers) -> None:
    servers.dead.add("be2")
    assert (("ada", "be2 does not answer"),) == (await replication.synchronise(["ada"], with_server="be2")).failed
    servers.dead.add("be1")
    with pytest.raises(TemporaryFailure):
        await replication.synchronise(["ada"], with_server="be2")
