"""Looking back at a deed whose outcome nobody wrote."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.engine.recovering.deeds import AccessPointChange, ServerRestart, ServiceChange, Unavailable
from mailward.model.errors import Refused
from mailward.model.evidence import ServiceState
from mailward.model.recovery import Step, StepName
from mailward.ports.access_point_control import Membership
from mailward.ports.service_control import ServiceDeed
from mailward.testing.access_point import TameAccessPoint
from mailward.testing.platform import SetClock, TameHostControl, TameService

SECOND = timedelta(seconds=1)
CLOCK = SetClock()


def a_step(name: StepName, evidence: object) -> Step:
    return Step(operation=1, seq=1, place=1, name=name, server="be1", started=CLOCK.now(), evidence=dict(evidence))


async def not_stale() -> bool | None:
    return False


def a_change(service: TameService, deed: ServiceDeed, is_stale=not_stale) -> ServiceChange:
    return ServiceChange(control=service, deed=deed, is_stale=is_stale)


@pytest.mark.parametrize(
    ("before", "deed", "name"),
    [
        (ServiceState.FAILED, ServiceDeed.START, StepName.START_SERVICE),
        (ServiceState.FAILED, ServiceDeed.RESTART, StepName.RESTART_SERVICE),
        (ServiceState.HUNG, ServiceDeed.RESTART, StepName.RESTART_SERVICE),
    ],
)
async def test_a_service_that_was_begun_anew_since_the_intent_was_started(before, deed, name):
    service = TameService(clock=CLOCK)
    service.become(before)
    change = a_change(service, deed)
    step = a_step(name, await change.before())

    await change.do()

    assert True is (await change.look(step, CLOCK.now() + SECOND)).was_done


async def test_a_service_as_it_was_before_is_not_called_started_before_it_had_time_to_show():
    service = TameService(clock=CLOCK)
    service.become(ServiceState.FAILED)
    change = a_change(service, ServiceDeed.START)
    step = a_step(StepName.START_SERVICE, await change.before())

    assert None is (await change.look(step, CLOCK.now() + SECOND)).was_done
    assert False is (await change.look(step, CLOCK.now() + 6 * SECOND)).was_done


async def test_a_restart_may_be_between_its_stop_and_its_start():
    service = TameService(clock=CLOCK)
    change = a_change(service, ServiceDeed.RESTART)
    step = a_step(StepName.RESTART_SERVICE, await change.before())
    service.become(ServiceState.STOPPED)

    assert None is (await change.look(step, CLOCK.now() + 20 * SECOND)).was_done
    assert False is (await change.look(step, CLOCK.now() + 31 * SECOND)).was_done


async def test_a_host_that_cannot_be_asked_leaves_it_unknown():
    service = TameService(clock=CLOCK)
    change = a_change(service, ServiceDeed.START)
    step = a_step(StepName.START_SERVICE, await change.before())
    service.unreachable = "no route"

    assert None is (await change.look(step, CLOCK.now() + 60 * SECOND)).was_done


@pytest.mark.parametrize(("stale", "was_done"), [(False, True), (True, False), (None, None)])
async def test_a_reload_is_told_by_the_certificate_that_is_served(stale, was_done):
    async def is_stale() -> bool | None:
        return stale

    change = a_change(TameService(clock=CLOCK), ServiceDeed.RELOAD, is_stale)

    assert was_done is (await change.look(a_step(StepName.RELOAD_SERVICE, {}), CLOCK.now())).was_done


async def test_a_machine_is_known_to_have_restarted_by_its_boot_id():
    host = TameHostControl()
    restart = ServerRestart(control=host)
    step = a_step(StepName.RESTART_SERVER, await restart.before())

    assert None is (await restart.look(step, CLOCK.now() + SECOND)).was_done
    assert False is (await restart.look(step, CLOCK.now() + 31 * SECOND)).was_done
    await restart.do()
    assert True is (await restart.look(step, CLOCK.now() + 31 * SECOND)).was_done


async def test_only_an_order_counts_as_taken_out_not_what_the_load_balancer_found_itself():
    point = TameAccessPoint(["proxy1", "proxy2"])
    out = AccessPointChange(controls={"imap": point}, server="proxy1", out=True)
    step = a_step(StepName.TAKE_OUT, {})
    point.become("proxy1", Membership.OUT, "its check fails")

    assert False is (await out.look(step, CLOCK.now())).was_done
    await out.do()
    assert True is (await out.look(step, CLOCK.now())).was_done
    assert False is (await replace(out, out=False).look(step, CLOCK.now())).was_done


async def test_of_a_proxy_no_access_point_knows_nobody_can_tell():
    point = TameAccessPoint(["proxy2"])
    for out in (True, False):
        change = AccessPointChange(controls={"imap": point}, server="proxy1", out=out)
        assert None is (await change.look(a_step(StepName.TAKE_OUT, {}), CLOCK.now())).was_done


async def test_what_somebody_else_took_out_is_neither_touched_nor_put_back():
    theirs, ours = TameAccessPoint(["proxy1"]), TameAccessPoint(["proxy1"])
    await theirs.take_out("proxy1")
    out = AccessPointChange(controls={"theirs": theirs, "ours": ours}, server="proxy1", out=True)
    before = await out.before()
    await out.do()

    await replace(out, out=False, among=tuple(before["taken_out_of"])).do()

    assert ["ours"] == before["taken_out_of"]
    assert [("take_out", "proxy1")] == theirs.deeds
    assert [("take_out", "proxy1"), ("put_back", "proxy1")] == ours.deeds


@pytest.mark.parametrize("state", [ServiceState.FAILED, ServiceState.STOPPED])
async def test_a_service_that_was_restarted_and_ended_again_was_restarted(state):
    service = TameService(clock=CLOCK)
    change = a_change(service, ServiceDeed.RESTART)
    step = a_step(StepName.RESTART_SERVICE, await change.before())
    await change.do()
    service.become(state)

    assert True is (await change.look(step, CLOCK.now() + SECOND)).was_done


async def test_a_restart_that_ended_between_its_stop_and_its_start_is_half_done():
    service = TameService(clock=CLOCK)
    change = a_change(service, ServiceDeed.RESTART)
    step = a_step(StepName.RESTART_SERVICE, await change.before())
    await service.stop()

    found = await change.look(step, CLOCK.now() + 31 * SECOND)

    assert (False, True) == (found.was_done, found.half_done)


async def test_where_the_clock_went_back_a_deed_is_not_called_undone_at_once():
    service = TameService(clock=CLOCK)
    service.become(ServiceState.FAILED)
    change = a_change(service, ServiceDeed.START)
    step = a_step(StepName.START_SERVICE, await change.before())

    assert None is (await change.look(step, CLOCK.now() - 3600 * SECOND)).was_done


async def test_what_the_platform_cannot_do_is_refused_and_cannot_be_looked_at():
    deed = Unavailable("not on this platform")

    with pytest.raises(Refused, match="not on this platform"):
        deed.command()
    with pytest.raises(Refused, match="not on this platform"):
        await deed.do()
    assert None is (await deed.look(a_step(StepName.MOVE_DATABASES, {}), CLOCK.now())).was_done


@pytest.mark.parametrize("deed", list(ServiceDeed))
async def test_the_words_shown_are_the_service_controls_own(deed):
    service = TameService(clock=CLOCK)

    assert service.command(deed) == a_change(service, deed).command()
