"""The customer-touch-point procedure with its protocol log: on, collected, and off on every exit."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model import items
from mailward.model.errors import Refused
from mailward.model.monitoring import AlertValue
from mailward.model.protocol_log import LoggedLine, LoggedSession, Speaker
from mailward.model.recovery import Mode, OperationKind, OperationStatus, StepName, StepOutcome
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.testing.protocol_log import MemoryProtocolLog

from .conftest import House

MINUTE = timedelta(minutes=1)
U = AlertValue.UNHEALTHY
ON, COLLECT, OFF = StepName.PROTOCOL_LOG_ON, StepName.COLLECT, StepName.PROTOCOL_LOG_OFF
PATH = Verdict(
    tier=Tier.PATH, confidence=Confidence.PROBABLE, server="proxy1", because="proxy1 does not get through to be1"
)
PROXY = replace(PATH, tier=Tier.PROXY, confidence=Confidence.CERTAIN, because="proxy1 hangs")


class LoggingHouse(House):
    """A house where the way of DB1's users through proxy1 is broken, and what its mailbox server logs is kept."""

    def __post_init__(self):
        super().__post_init__()
        self.logs = {name: MemoryProtocolLog(name, ("health",), clock=self.clock) for name in ("be1", "be2")}
        self.served_by = "be1"
        self.on_while_probed = []
        self.is_well = lambda key: key.probe != items.CTP_PROBE
        for server in ("be1", "be2"):
            self.monitor(server)
            self.monitor(server, items.DEEP_TEST_MONITOR, target=f"DB{server[-1]}")
        self.monitor("proxy2", items.PROXY_TEST_MONITOR)

    async def ask(self, key):
        if key.probe == items.CTP_PROBE:
            standing = await self.logs["be1"].standing()
            self.on_while_probed.append(standing.is_on)
            line = LoggedLine(server="be1", speaker=Speaker.SERVER, text="a1 NO [UNAVAILABLE]", at=self.clock.now())
            self.logs["be1"].session(
                LoggedSession(
                    user="health",
                    because="the log of be1 says so",
                    mailbox_server=self.served_by,
                    opened=self.clock.now(),
                    lines=(line,),
                )
            )
        return await super().ask(key)

    def break_way(self, verdict=PATH):
        self.monitor("proxy1", items.CTP_MONITOR, U, target="DB1", broken_for=2 * MINUTE, verdict=verdict)

    async def recovery(self):
        found = await self.operations.operations()
        (one,) = [one for one in found if one.kind is OperationKind.CUSTOMER_TOUCH_POINT]
        return one

    async def step(self, name):
        found = [step for step in await self.steps((await self.recovery()).id) if step.name is name]
        return found[-1] if found else None

    async def is_on(self):
        return any([(await log.standing()).is_on for log in self.logs.values()])


@pytest.fixture
async def house():
    return LoggingHouse()


async def test_the_path_is_at_fault_the_log_is_collected_and_a_person_called_with_it_off(house):
    house.break_way()

    await house.go_on()

    assert OperationStatus.ESCALATED is (await house.recovery()).status
    assert [] == house.deeds(), "neither tier is at fault"
    on, collected, off = await house.step(ON), await house.step(COLLECT), await house.step(OFF)
    assert ("be1", StepOutcome.DONE, "health") == (on.server, on.outcome, on.evidence["user"])
    assert True in house.on_while_probed, "it was on while the way was probed"
    assert "be1" == collected.evidence["mailbox_server"]
    assert [
        "-- health, served by be1: the log of be1 says so",
        "12:00:00.000 S: a1 NO [UNAVAILABLE]",
    ] == list(collected.evidence["protocol_log"])
    assert (StepOutcome.DONE, "be1") == (off.outcome, off.server)
    assert not await house.is_on()


async def test_of_the_sessions_of_a_health_mailbox_those_through_this_proxy_are_told(house):
    """The deep test logs in to the same mailbox directly, and the other proxy's touch point through that."""
    house.break_way()

    async def sessions(_user, _since):
        named = (("proxy1", "be2"), ("proxy2", "be1"), (None, "be1"))
        return tuple(
            LoggedSession(user="health", because="a log says so", proxy=proxy, mailbox_server=server)
            for proxy, server in named
        )

    house.sessions_of = sessions
    house.recovering = house.a_manager()

    await house.go_on()

    assert "be2" == (await house.step(COLLECT)).evidence["mailbox_server"]


async def test_it_is_off_before_a_proxy_that_was_taken_out_is_waited_for(house):
    house.break_way(PROXY)
    house.monitor("proxy1", items.PROXY_TEST_MONITOR, U, broken_for=2 * MINUTE)
    house.is_well = lambda key: key.server != "proxy1"
    house.organization = replace(
        house.organization,
        servers={
            **house.organization.servers,
            "proxy1": replace(house.organization.servers["proxy1"], restartable=False),
        },
    )

    await house.go_on(turns=80)
    for _ in range(4):
        await house.wait(MINUTE)

    assert not await house.is_on()


async def test_healed_after_the_log_went_on_it_goes_off(house):
    house.break_way()
    answers = iter([False, False, True])
    house.is_well = lambda key: key.probe != items.CTP_PROBE or next(answers, True)

    await house.go_on()

    assert (await house.recovery()).status in (OperationStatus.TRANSIENT, OperationStatus.HEALED)
    assert StepOutcome.DONE is (await house.step(ON)).outcome
    assert StepOutcome.DONE is (await house.step(OFF)).outcome
    assert not await house.is_on()


async def test_who_serves_is_what_the_logs_say_and_that_server_is_recovered_first(house):
    """The map says be1; the session was on be2, which is not well."""
    house.served_by = "be2"
    house.break_way()
    house.monitor("be2", state=U, broken_for=2 * MINUTE)
    house.is_well = lambda key: key.server not in ("be2", "proxy1")

    for _ in range(6):
        await house.wait(timedelta(seconds=1))

    assert ("be1", StepOutcome.DONE) == ((await house.step(OFF)).server, (await house.step(OFF)).outcome)
    collected = await house.step(COLLECT)
    assert "be2" == collected.evidence["mailbox_server"]
    joined = await house.step(StepName.RECOVER_MAILBOX_SERVER)
    assert "be2" == joined.server


async def test_where_it_is_only_recommended_nothing_is_logged(house):
    house.settings = replace(house.settings, mode=Mode.RECOMMEND)
    house.break_way()

    await house.go_on()

    on = await house.step(ON)
    assert StepOutcome.REFUSED is on.outcome
    assert "mailward protocol-log on be1" in on.because
    assert StepOutcome.SKIPPED is (await house.step(OFF)).outcome
    assert True not in house.on_while_probed


@pytest.mark.parametrize("trouble", ["unavailable_because", "silent_because"])
async def test_where_it_cannot_be_had_the_procedure_goes_on_without(house, trouble):
    setattr(house.logs["be1"], trouble, "no rawlog_dir is configured")
    house.sessions_of = _nothing
    house.recovering = house.a_manager()
    house.break_way()

    await house.go_on()

    on = await house.step(ON)
    assert (StepOutcome.REFUSED, True) == (on.outcome, "no rawlog_dir is configured" in on.because)
    assert OperationStatus.ESCALATED is (await house.recovery()).status


async def test_a_protocol_log_that_a_person_switched_on_stays_on(house):
    await house.logs["be1"].on(("health",), until=house.clock.now() + 30 * MINUTE)
    house.break_way()

    await house.go_on()

    assert StepOutcome.SKIPPED is (await house.step(ON)).outcome
    assert StepOutcome.SKIPPED is (await house.step(OFF)).outcome
    assert await house.is_on()
    assert (await house.step(COLLECT)).evidence["protocol_log"], "what it says is collected all the same"


async def test_whom_somebody_else_has_logged_meanwhile_stays_logged(house):
    """Another touch point's recovery, or a person, on the same mailbox server."""
    house.logs["be1"] = MemoryProtocolLog("be1", ("health", "health-db9"), clock=house.clock)
    await house.logs["be1"].on(("health-db9",), until=house.clock.now() + 30 * MINUTE)
    house.break_way()

    await house.go_on()

    assert StepOutcome.DONE is (await house.step(ON)).outcome
    assert StepOutcome.DONE is (await house.step(OFF)).outcome
    assert ("health-db9",) == (await house.logs["be1"].standing()).users


async def test_one_that_cannot_be_switched_off_is_left_to_its_timer_and_keeps_nothing_waiting(house):
    house.break_way()
    log = house.logs["be1"]
    real = log.off

    async def silent(users):
        log.silent_because = "ssh: no route"
        try:
            return await real(users)
        finally:
            log.silent_because = None

    log.off = silent

    await house.go_on()

    (off,) = [step for step in await house.steps((await house.recovery()).id) if step.name is OFF]
    assert (StepOutcome.UNKNOWN, True) == (off.outcome, "it goes off by itself: ssh: no route" in off.because)
    assert OperationStatus.ESCALATED is (await house.recovery()).status
    house.clock.advance(16 * MINUTE)
    assert not await house.is_on()


async def test_what_is_not_dovecots_and_stays_behind_is_told_and_the_log_is_off(house):
    house.break_way()
    log = house.logs["be1"]
    real = log.off

    async def leaves_something(users):
        await real(users)
        raise Refused("it is off, but not all of it is Dovecot's: notes.txt; look at it and remove it")

    log.off = leaves_something

    await house.go_on()

    off = await house.step(OFF)
    assert StepOutcome.DONE is off.outcome
    assert off.because.startswith("it is off, but not all of it is Dovecot's")


async def _nothing(_user, _since):
    return ()
