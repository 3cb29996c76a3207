"""What every AccessPointControl keeps."""

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.ports.access_point_control import PUT_BACK, TAKE_OUT, Membership

IN, DRAINING, OUT = Membership.IN, Membership.DRAINING, Membership.OUT


async def memberships(behind):
    return {member.server: member.membership for member in await behind.control.members()}


async def test_proxies_that_nobody_touched_are_in_under_the_names_of_the_organization(behind):
    members = await behind.control.members()

    assert {"proxy1": IN, "proxy2": IN} == {member.server: member.membership for member in members}
    assert [(0, False), (0, False)] == [(member.sessions, member.was_ordered) for member in members]
    assert all(member.because for member in members)


async def test_a_client_counts_as_a_session_of_the_proxy_it_met(behind):
    met = await behind.connect()

    assert {met: 1} == {member.server: member.sessions for member in await behind.control.members() if member.sessions}


async def test_a_proxy_taken_out_gets_no_new_clients_and_the_other_gets_all(behind):
    await behind.control.take_out("proxy1")

    assert {"proxy1": OUT, "proxy2": IN} == await memberships(behind)
    assert ["proxy2"] * 4 == [await behind.connect() for _ in range(4)]


async def test_taking_out_ends_the_sessions_of_that_proxy_and_of_no_other(behind):
    met = {await behind.connect(), await behind.connect()}

    await behind.control.take_out("proxy1")

    assert {"proxy1", "proxy2"} == met
    assert {"proxy1": 0, "proxy2": 1} == {one.server: one.sessions for one in await behind.control.members()}
    assert await behind.ended("proxy1", 5)
    assert not await behind.ended("proxy2", 0.1)


async def test_taking_out_twice_changes_nothing(behind):
    await behind.control.take_out("proxy1")
    await behind.control.take_out("proxy1")

    assert {"proxy1": OUT, "proxy2": IN} == await memberships(behind)


async def test_a_proxy_put_back_gets_clients_again(behind):
    await behind.control.take_out("proxy1")
    await behind.control.put_back("proxy1")

    assert {"proxy1": IN, "proxy2": IN} == await memberships(behind)
    assert {"proxy1", "proxy2"} == {await behind.connect() for _ in range(2)}


async def test_putting_back_what_is_in_changes_nothing_and_ends_no_session(behind):
    met = await behind.connect()

    await behind.control.put_back(met)

    assert {"proxy1": IN, "proxy2": IN} == await memberships(behind)
    assert not await behind.ended(met, 0.1)


@pytest.mark.parametrize("ordered", [OUT, DRAINING])
async def test_what_somebody_else_ordered_is_seen_as_ordered(behind, ordered):
    await behind.order("proxy1", ordered)

    members = {member.server: member for member in await behind.control.members()}
    assert (ordered, True) == (members["proxy1"].membership, members["proxy1"].was_ordered)
    assert (IN, False) == (members["proxy2"].membership, members["proxy2"].was_ordered)


@pytest.mark.parametrize("ordered", [OUT, DRAINING])
async def test_what_somebody_else_ordered_does_not_stand_in_the_way_of_taking_out_or_putting_back(behind, ordered):
    await behind.order("proxy1", ordered)
    await behind.control.take_out("proxy1")
    assert {"proxy1": OUT, "proxy2": IN} == await memberships(behind)

    await behind.order("proxy1", ordered)
    await behind.control.put_back("proxy1")
    assert {"proxy1": IN, "proxy2": IN} == await memberships(behind)


async def test_a_proxy_the_load_balancer_does_not_know_is_refused_and_nothing_is_changed(behind):
    for deed in (behind.control.take_out, behind.control.put_back):
        with pytest.raises(Refused):
            await deed("proxy9")

    assert {"proxy1": IN, "proxy2": IN} == await memberships(behind)


@pytest.mark.parametrize(
    "name",
    ["proxy1; shutdown sessions server proxies/proxy2", "proxy1\nproxy2", "proxy1 ", "../proxy1", "#1", "", "próxy1"],
)
async def test_a_name_that_could_be_another_command_is_refused_before_anything_is_sent(behind, name):
    for deed in (behind.control.take_out, behind.control.put_back, behind.unreachable.take_out):
        with pytest.raises(Refused):
            await deed(name)
    with pytest.raises(Refused):
        behind.control.command(TAKE_OUT, name)

    assert {"proxy1": IN, "proxy2": IN} == await memberships(behind)


def test_the_two_deeds_have_different_words_that_name_the_proxy_and_a_third_is_refused(behind):
    out, back = (behind.control.command(deed, "proxy1") for deed in (TAKE_OUT, PUT_BACK))

    assert out != back
    assert out != behind.control.command(TAKE_OUT, "proxy2")
    assert all("proxy" in line for line in (*out, *back))
    with pytest.raises(Refused):
        behind.control.command("restart", "proxy1")


async def test_a_load_balancer_that_cannot_be_asked_is_a_temporary_failure(behind):
    with pytest.raises(TemporaryFailure):
        await behind.unreachable.members()
    with pytest.raises(TemporaryFailure):
        await behind.unreachable.take_out("proxy1")
    with pytest.raises(TemporaryFailure):
        await behind.unreachable.put_back("proxy1")
