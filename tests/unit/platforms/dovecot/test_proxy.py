"""ProxyControl against what `doveadm` of 2.3.19 and 2.4.1 were seen to say."""

import pytest

from mailward.model.copies import ProxiedSession
from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.dovecot.doveadm import LocalDoveadm
from mailward.platforms.dovecot.proxy import DovecotProxy

#: 2.3.19, `doveadm -f json proxy list`.
SESSIONS = (
    '[{"username":"anna","service":"imap","src-ip":"127.231.23.5","dest-ip":"127.231.23.21","dest-port":"29993"},'
    '{"username":"größe@example.org","service":"imap","src-ip":"127.231.23.5","dest-ip":"2001:db8::7","dest-port":"993"}]'
)
#: 2.4.1: one row for several connections, and no word of where to.
SESSIONS_2_4 = '[{"username":"anna","connections":"2","service":"imap","pids":"(4711)","ips":"(127.0.0.1)"}]'


def a_proxy(runner):
    return DovecotProxy(LocalDoveadm("/srv/proxy1/dovecot.conf", runner))


async def test_sessions_and_where_they_lead(recording, ended):
    sessions = await a_proxy(recording(ended(output=SESSIONS))).sessions()

    assert (
        ProxiedSession(mailbox="anna", address="127.231.23.21"),
        ProxiedSession(mailbox="größe@example.org", address="2001:db8::7"),
    ) == sessions


async def test_dovecot_2_4_does_not_say_where_they_lead(recording, ended):
    sessions = await a_proxy(recording(ended(output=SESSIONS_2_4))).sessions()

    assert (ProxiedSession(mailbox="anna", address=None),) == sessions


async def test_nobody_is_logged_in(recording, ended):
    assert () == await a_proxy(recording(ended(output="[]"))).sessions()


async def test_a_proxy_that_saw_nothing_is_unknown_although_it_ends_with_0(recording, ended):
    runner = recording(ended(output="[]", errors="Error: LIST-FULL failed: Disconnected\n"))

    with pytest.raises(TemporaryFailure, match="proxy list: Error: LIST-FULL failed: Disconnected"):
        await a_proxy(runner).sessions()


@pytest.mark.parametrize(
    "row", ["{}", '{"user": "anna"}', '{"username": null}', '{"username": ["anna"]}', '{"username": "a", "dest-ip": 7}']
)
async def test_a_session_that_cannot_be_read_is_not_passed_over(row, recording, ended):
    with pytest.raises(TemporaryFailure, match="list of sessions cannot be read"):
        await a_proxy(recording(ended(output=f"[{row}]"))).sessions()


async def test_sessions_are_ended(recording, ended):
    runner = recording(ended(output="1 connections kicked\n"))

    await a_proxy(runner).end_sessions(["anna", "o'neil", "a b"])

    assert [("proxy", "kick", "--", "anna", "o'neil", "a b")] == [argv[3:] for argv in runner.argvs]


@pytest.mark.parametrize("said", ["0 connections kicked\n", "(null) connections kicked\n"])
async def test_one_who_is_not_there_is_not_missed(said, recording, ended):
    await a_proxy(recording(ended(output=said))).end_sessions(["anna"])


async def test_a_proxy_that_crashed_has_not_ended_sessions(recording, ended):
    errors = "Error: KICK failed: IPC: 'proxy' PID 7 server connection: Connection closed\n"

    with pytest.raises(TemporaryFailure, match="sessions were not ended: Error: KICK failed: IPC: 'proxy' PID 7"):
        await a_proxy(recording(ended(75, errors=errors))).end_sessions(["anna"])


async def test_many_are_ended_in_parts_that_one_command_line_takes(recording):
    runner = recording()

    await a_proxy(runner).end_sessions([f"user{number}" for number in range(1001)])

    assert [500, 500, 1] == [len(argv[6:]) for argv in runner.argvs]


async def test_nobody_to_end_is_nothing_to_run(recording):
    runner = recording()

    await a_proxy(runner).end_sessions([])

    assert [] == runner.argvs


@pytest.mark.parametrize("odd", ["*", "-x", "a\nb"])
async def test_one_who_cannot_be_named_keeps_no_other_session_alive_and_is_told(odd, recording):
    runner = recording()

    with pytest.raises(Refused, match="the mailbox name"):
        await a_proxy(runner).end_sessions([odd, "anna"])

    assert [("--", "anna")] == [argv[5:] for argv in runner.argvs]


async def test_the_cache_is_flushed(recording, ended):
    runner = recording(ended(output="0 cache entries flushed\n"))

    await a_proxy(runner).forget()

    assert [("auth", "cache", "flush")] == [argv[3:] for argv in runner.argvs]


async def test_a_cache_that_was_not_reached_is_not_flushed_although_doveadm_ends_with_0(recording, ended):
    # 2.3.19, the proxy does not run
    errors = "Error: auth-master: auth cache flush: connect(/run/auth-master) failed: Connection refused\n"

    with pytest.raises(TemporaryFailure, match="the authentication cache was not flushed: Error: auth-master"):
        await a_proxy(recording(ended(output="0 cache entries flushed\n", errors=errors))).forget()
