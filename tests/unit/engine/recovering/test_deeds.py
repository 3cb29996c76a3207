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
    out = AccessPointChange(controls=(point,), server="proxy1", out=True)
    step = a_step(StepName.TAKE_OUT, {})
    point.become("proxy1", Membership.OUT, "its check fails")

    assert False is (await out.look(step, CLOCK.now())).was_done
    await out.do()
    assert True is (await out.look(step, CLOCK.now())).was_done
    assert False is (await replace(out, out=False).look(step, CLOCK.now())).was_done


async def test_a_proxy_no_access_point_knows_was_neither_taken_out_nor_put_back():
    point = TameAccessPoint(["proxy2"])
    for out in (True, False):
        change = AccessPointChange(controls=(point,), server="proxy1", out=out)
        assert False is (await change.look(a_step(StepName.TAKE_OUT, {}), CLOCK.now())).was_done


async def test_what_the_platform_cannot_do_is_refused_and_was_never_done():
    deed = Unavailable("not on this platform")

    with pytest.raises(Refused, match="not on this platform"):
        deed.command()
    with pytest.raises(Refused, match="not on this platform"):
        await deed.do()
    assert False is (await deed.look(a_step(StepName.MOVE_DATABASES, {}), CLOCK.now())).was_done


@pytest.mark.parametrize("deed", list(ServiceDeed))
async def test_the_words_shown_are_the_service_controls_own(deed):
    service = TameService(clock=CLOCK)

    assert service.command(deed) == a_change(service, deed).command()
