"""The four probes against real Dovecots, well and ill."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.lab import control
from mailward.model.evidence import ServiceState
from mailward.model.organization import Security
from mailward.model.probing import Cause, Phase, ResultType
from mailward.model.target import Turn
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.probes.customer_touch_point import ImapCTPProbe
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.proxy_test import ImapProxyTestProbe
from mailward.probes.self_test import ImapSelfTestProbe
from mailward.probes.sentinel import ImapSentinel


def told(result):
    return result.result, result.failed_phase, result.cause


async def test_a_mailbox_server_is_well(lab, equipment, target_in):
    result = await ImapSelfTestProbe(equipment).run(target_in(lab, "be1", "health-be1", timeout=timedelta(seconds=3)))

    assert (ResultType.SUCCEEDED, "be1", "health-be1") == (result.result, result.mailbox_server, result.account)
    assert result.certificate.verified
    assert result.tls.startswith("TLSv1.")


async def test_starttls_serves_as_well(lab, equipment, target_in):
    target = target_in(lab, "be1", "health-be1")
    endpoint = replace(target.endpoint, port=lab.blueprint.ports.imap, security=Security.STARTTLS)

    result = await ImapSelfTestProbe(equipment).run(replace(target, endpoint=endpoint))

    assert (ResultType.SUCCEEDED, True) == (result.result, result.certificate.verified)


async def test_a_proxy_is_met_without_logging_in(lab, equipment, target_in):
    result = await ImapProxyTestProbe(equipment).run(target_in(lab, "proxy1", None))

    assert ResultType.SUCCEEDED == result.result
    assert not any("AUTHENTICATE" in line for line in result.transcript)


async def test_a_canary_planted_on_the_active_copy_is_found_by_users_and_on_the_passive_copy(lab, equipment, target_in):
    planted = await ImapDeepTestProbe(equipment).run(target_in(lab, "be1", "health-db1", turn=Turn.WRITE))
    canary = planted.canary
    touch_point = await ImapCTPProbe(equipment).run(target_in(lab, "proxy1", "health-db1", canary=canary))
    passive = target_in(lab, "be2", "health-db1", canary=canary, turn=Turn.EXAMINE)
    async with asyncio.timeout(60):  # replication takes a moment
        while (copied := await ImapDeepTestProbe(equipment).run(passive)).result is not ResultType.SUCCEEDED:
            await asyncio.sleep(0.1)

    assert (ResultType.SUCCEEDED, True) == (planted.result, planted.wrote)
    assert timedelta(0) < planted.push_took < timedelta(seconds=5)
    assert (ResultType.SUCCEEDED, "be1") == (touch_point.result, touch_point.mailbox_server)
    assert canary == copied.canary


async def test_a_wrong_password_is_placed_at_the_login(lab, equipment, target_in, tmp_path):
    (tmp_path / "wrong").write_text("not the password")
    (tmp_path / "wrong").chmod(0o600)
    target = target_in(lab, "be1", "health-be1")
    account = replace(target.account, password=replace(target.account.password, name=str(tmp_path / "wrong")))

    result = await ImapSelfTestProbe(equipment).run(replace(target, account=account))

    assert (ResultType.FAILED, Phase.AUTH, Cause.AUTH_REJECTED) == told(result)
    assert "not the password" not in repr(result)


async def test_a_stopped_server_refuses(lab, equipment, target_in):
    lab.stop("be2")
    try:
        result = await ImapSelfTestProbe(equipment).run(target_in(lab, "be2", "health-be2"))
    finally:
        lab.start("be2")

    assert (ResultType.FAILED, Phase.CONNECT, Cause.REFUSED) == told(result)


async def test_a_hung_server_times_out_by_the_probes_deadline(lab, equipment, target_in):
    door = lab.blueprint.host("be2").control_socket
    await asyncio.to_thread(control.ask, door, "hang")
    try:
        result = await ImapSelfTestProbe(equipment).run(
            target_in(lab, "be2", "health-be2", timeout=timedelta(seconds=1))
        )
        status = await SupervisedService(door).status()
    finally:
        await asyncio.to_thread(control.ask, door, "resume")

    assert (ResultType.TIMED_OUT, Cause.TIMEOUT) == (result.result, result.cause)
    assert result.took < timedelta(seconds=10)  # of the fifteen that a probe usually has, on a busy machine
    assert ServiceState.HUNG == status.state


async def test_a_killed_service_is_told_at_once_and_ends_the_sentinel(one_box, equipment, target_in):
    door = one_box.blueprint.hosts[0].control_socket
    name = one_box.blueprint.hosts[0].name
    exits = SupervisedService(door).exits()
    sentinel = ImapSentinel(equipment, every=timedelta(minutes=2))
    target = target_in(one_box, name, f"health-{name}")
    try:
        end, silence = asyncio.ensure_future(anext(exits)), asyncio.ensure_future(sentinel.watch(target))
        await asyncio.sleep(0.3)  # both stand, and neither can say so
        assert not end.done()
        assert not silence.done()
        await asyncio.to_thread(control.ask, door, "kill")
        async with asyncio.timeout(30):  # long before the sentinel asks again
            status, because = await end, await silence
    finally:
        await exits.aclose()
        await SupervisedService(door).start()

    assert ServiceState.FAILED == status.state
    assert because


@pytest.mark.parametrize("count", [30])
async def test_many_probes_at_once_leave_no_connection_behind(count, one_box, equipment, target_in):
    name = one_box.blueprint.hosts[0].name
    target = target_in(one_box, name, None)

    results = await asyncio.gather(*(ImapProxyTestProbe(equipment).run(target) for _ in range(count)))

    assert {ResultType.SUCCEEDED} == {result.result for result in results}
