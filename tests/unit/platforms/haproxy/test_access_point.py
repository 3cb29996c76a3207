"""What HAProxy could answer but the real one of the contract tests does not."""

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.haproxy.access_point import HAProxyAccessPoint
from mailward.ports.access_point_control import PUT_BACK, TAKE_OUT, Membership

HEADER = "# pxname,svname,scur,status,weight,type,"
OUT_WORDS = ("set server proxies/p1 state maint", "shutdown sessions server proxies/p1")
BACK_WORDS = ("set server proxies/p1 state ready",)


def shown(status, *, sessions=0, weight=1, name="p1"):
    return f"{HEADER}\nproxies,{name},{sessions},{status},{weight},2,\n\n"


@pytest.fixture
def control(scripted):
    scripted.answers = {"set server": ["\n"], "shutdown": ["\n"], "show stat": [shown("MAINT")]}
    return HAProxyAccessPoint(scripted.path, "proxies", {"proxy1": "p1"}, answer_seconds=0.5, settling_seconds=0.2)


def orders(scripted):
    return tuple(line for line in scripted.heard if not line.startswith("show"))


async def test_the_words_of_a_rehearsal_are_the_words_that_are_sent(scripted, control):
    await control.take_out("proxy1")
    sent_out = orders(scripted)
    scripted.heard.clear()
    scripted.answers["show stat"] = [shown("UP")]
    await control.put_back("proxy1")

    assert (OUT_WORDS, BACK_WORDS) == (sent_out, orders(scripted))
    assert (OUT_WORDS, BACK_WORDS) == (control.command(TAKE_OUT, "proxy1"), control.command(PUT_BACK, "proxy1"))


async def test_a_no_is_refused_with_haproxys_own_sentence_and_nothing_more_is_sent(scripted, control):
    scripted.answers["set server"] = ["Permission denied\n\n"]

    with pytest.raises(Refused, match="'set server proxies/p1 state maint' with: Permission denied"):
        await control.take_out("proxy1")
    assert OUT_WORDS[:1] == tuple(scripted.heard)


async def test_a_no_to_the_second_line_does_not_claim_that_nothing_was_changed(scripted, control):
    scripted.answers["shutdown"] = ["Permission denied\n\n"]

    with pytest.raises(TemporaryFailure, match="the lines before it were done"):
        await control.take_out("proxy1")


async def test_sessions_that_take_their_time_to_end_are_waited_for(scripted, control):
    scripted.answers["show stat"] = [shown("MAINT", sessions=2), shown("MAINT", sessions=1), shown("MAINT")]

    await control.take_out("proxy1")

    assert 3 == sum(line.startswith("show") for line in scripted.heard)


async def test_sessions_that_do_not_end_are_told(scripted, control):
    scripted.answers["show stat"] = [shown("MAINT", sessions=2)]

    with pytest.raises(TemporaryFailure, match="proxy1 is out, but 2 of its sessions have not ended after 0.2 s"):
        await control.take_out("proxy1")


async def test_an_order_that_does_not_show_is_not_believed(scripted, control):
    scripted.answers["show stat"] = [shown("UP")]
    with pytest.raises(TemporaryFailure, match="shows proxy1 as UP"):
        await control.take_out("proxy1")


@pytest.mark.parametrize(
    ("statistics", "because"),
    [
        (shown("MAINT (via others/x)"), "via others/x"),
        (shown("no check", weight=0), "weight is 0"),
        (shown("DRAIN"), "DRAIN"),
    ],
)
async def test_a_proxy_that_something_else_keeps_out_is_not_said_to_be_back(scripted, control, statistics, because):
    scripted.answers["show stat"] = [statistics]

    with pytest.raises(Refused, match=because):
        await control.put_back("proxy1")


async def test_a_proxy_that_haproxys_own_check_finds_down_is_back_as_far_as_orders_go(scripted, control):
    scripted.answers["show stat"] = [shown("DOWN")]

    await control.put_back("proxy1")

    (found,) = await control.members()
    assert (Membership.OUT, False) == (found.membership, found.was_ordered)


async def test_a_proxy_that_vanishes_meanwhile_is_refused(scripted, control):
    scripted.answers["show stat"] = [shown("UP", name="other")]

    with pytest.raises(Refused, match="no server 'p1' in the backend 'proxies'"):
        await control.take_out("proxy1")


async def test_a_proxy_that_should_be_there_and_is_not_is_unknown_and_a_strange_one_is_shown(scripted, control):
    scripted.answers["show stat"] = [shown("UP", name="stranger")]

    assert {"proxy1": Membership.UNKNOWN, "stranger": Membership.IN} == {
        one.server: one.membership for one in await control.members()
    }


async def test_a_backend_with_an_impossible_name_is_never_asked_for(scripted):
    control = HAProxyAccessPoint(scripted.path, "proxies 4 -1; shutdown sessions server a/b", {})

    with pytest.raises(Refused):
        await control.members()
    with pytest.raises(Refused):
        await control.take_out("proxy1")
    assert [] == scripted.heard


@pytest.mark.parametrize("answer", ["garbage\x00\x01,\n\n", "\n", "# a,b,\n1,2,\n\n", "# pxname,svn"])
async def test_garbage_for_statistics_after_an_order_is_an_unknown_outcome(scripted, control, answer):
    scripted.answers["show stat"] = [answer]

    with pytest.raises(TemporaryFailure):
        await control.take_out("proxy1")
