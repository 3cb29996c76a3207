"""Premises: whether a stage makes sense, and in which words it is skipped."""

from dataclasses import replace

import pytest

from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.monitoring import AlertValue
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.recovery.circumstances import Place
from mailward.recovery.premises import Around, MoveSoFar, Premise, judge

from .conftest import all_well_for

NAMES_PROXY = Verdict(tier=Tier.PROXY, confidence=Confidence.CERTAIN, server="proxy1", because="it hangs")
PROXY = Place(server="proxy1", roles=frozenset({"proxy"}))
NOWHERE = Around()
ONE_DATABASE = Around(database="DB1")


def service(state: ServiceState) -> ServiceStatus:
    return ServiceStatus(state=state, because="the host says so")


PLANNED = MoveSoFar(source="be1", target="be2", is_planned=True, must_be_fenced=False, because="it answers")
FORCED = MoveSoFar(source="be1", target="be2", is_planned=False, must_be_fenced=True, because="it does not run")


@pytest.mark.parametrize(
    ("premise", "change", "around", "holds"),
    [
        (Premise.ALWAYS, {}, NOWHERE, True),
        (Premise.SERVICE_NOT_RUNNING, {"service": service(ServiceState.FAILED)}, NOWHERE, True),
        (Premise.SERVICE_NOT_RUNNING, {"service": service(ServiceState.STOPPED)}, NOWHERE, True),
        (Premise.SERVICE_NOT_RUNNING, {"service": service(ServiceState.RUNNING)}, NOWHERE, False),
        (Premise.SERVICE_NOT_RUNNING, {"service": service(ServiceState.HUNG)}, NOWHERE, False),
        (Premise.SERVICE_NOT_RUNNING, {"service": None}, NOWHERE, False),
        (Premise.SERVICE_NOT_RUNNING, {"service": service(ServiceState.FAILED)}, ONE_DATABASE, False),
        (Premise.SERVICE_AT_FAULT, {"service": service(ServiceState.HUNG)}, NOWHERE, True),
        (Premise.SERVICE_AT_FAULT, {"service": service(ServiceState.RUNNING)}, NOWHERE, True),
        (Premise.SERVICE_AT_FAULT, {"service": service(ServiceState.FAILED)}, NOWHERE, False),
        (Premise.SERVICE_AT_FAULT, {"service": service(ServiceState.STOPPED)}, NOWHERE, False),
        (Premise.SERVICE_AT_FAULT, {"service": None}, NOWHERE, False),
        (Premise.SERVICE_AT_FAULT, {}, ONE_DATABASE, False),
        (
            Premise.SERVICE_AT_FAULT,
            {"verdict": Verdict(tier=Tier.STORE, confidence=Confidence.CERTAIN, server="be1", because="unreadable")},
            NOWHERE,
            False,
        ),
        (Premise.CERTIFICATE_STALE, {"certificate_is_stale": True}, NOWHERE, True),
        (Premise.CERTIFICATE_STALE, {"certificate_is_stale": False}, NOWHERE, False),
        (Premise.CERTIFICATE_STALE, {"certificate_is_stale": None}, NOWHERE, False),
        (Premise.HOLDS_ACTIVE_COPIES, {"active_copies": ("DB1",)}, NOWHERE, True),
        (Premise.HOLDS_ACTIVE_COPIES, {"active_copies": ()}, NOWHERE, False),
        (Premise.HOLDS_ACTIVE_COPIES, {"active_copies": None}, NOWHERE, False),
        (Premise.HOLDS_ACTIVE_COPIES, {"active_copies": ()}, ONE_DATABASE, True),
        (Premise.WHOLE_SERVER, {}, NOWHERE, True),
        (Premise.WHOLE_SERVER, {}, ONE_DATABASE, False),
        (Premise.MOVES_BEGUN, {}, NOWHERE, False),
        (Premise.MOVES_BEGUN, {}, Around(moves=(3,)), True),
        (Premise.SOURCE_CAN_BE_READ, {}, NOWHERE, False),
        (Premise.SOURCE_CAN_BE_READ, {}, Around(move=replace(PLANNED, target=None)), False),
        (Premise.SOURCE_CAN_BE_READ, {}, Around(move=PLANNED), True),
        (Premise.SOURCE_CAN_BE_READ, {}, Around(move=FORCED), False),
        (Premise.SOURCE_MAY_STILL_WRITE, {}, NOWHERE, False),
        (Premise.SOURCE_MAY_STILL_WRITE, {}, Around(move=PLANNED), False),
        (Premise.SOURCE_MAY_STILL_WRITE, {}, Around(move=FORCED), True),
        (Premise.SOURCE_MAY_STILL_WRITE, {}, Around(move=replace(FORCED, target=None)), False),
        (Premise.READY_TO_SWITCH, {}, NOWHERE, False),
        (Premise.READY_TO_SWITCH, {}, Around(move=PLANNED), False),
        (Premise.READY_TO_SWITCH, {}, Around(move=replace(PLANNED, synchronised=True)), True),
        (Premise.READY_TO_SWITCH, {}, Around(move=FORCED), True),
        (Premise.READY_TO_SWITCH, {}, Around(move=replace(FORCED, target=None)), False),
        (Premise.SWITCHED, {}, NOWHERE, False),
        (Premise.SWITCHED, {}, Around(move=PLANNED), False),
        (Premise.SWITCHED, {}, Around(move=replace(PLANNED, switched=True)), True),
        (Premise.MAILBOX_SERVER_UNHEALTHY, {}, NOWHERE, False),
        (
            Premise.MAILBOX_SERVER_UNHEALTHY,
            {},
            Around(mailbox_server="be1", mailbox_server_alert=AlertValue.UNHEALTHY),
            True,
        ),
        (
            Premise.MAILBOX_SERVER_UNHEALTHY,
            {},
            Around(mailbox_server="be1", mailbox_server_alert=AlertValue.HEALTHY),
            False,
        ),
        (Premise.MAILBOX_SERVER_UNHEALTHY, {}, Around(mailbox_server="be1"), False),
    ],
)
def test_a_premise_holds_or_says_why_not(premise, change, around, holds):
    found = judge(premise, all_well_for(**change), around)

    assert holds == found.holds
    assert found.because or premise is Premise.ALWAYS


@pytest.mark.parametrize(
    ("alert", "at_fault"), [(AlertValue.HEALTHY, True), (AlertValue.UNHEALTHY, False), (AlertValue.DEGRADED, False)]
)
def test_the_proxy_is_at_fault_when_the_mailbox_server_is_healthy_and_not_when_it_is_sick(alert, at_fault):
    """The condition that the Portuguese edition of the seed's page inverts (reference §8.1)."""
    seen = all_well_for(place=PROXY, verdict=NAMES_PROXY)
    around = Around(mailbox_server="be1", mailbox_server_alert=alert)

    assert at_fault == judge(Premise.PROXY_AT_FAULT, seen, around).holds


def test_a_proxy_that_no_verdict_names_is_not_at_fault():
    seen = all_well_for(place=PROXY, verdict=Verdict(tier=Tier.PATH, confidence=Confidence.PROBABLE, because="between"))

    assert not judge(Premise.PROXY_AT_FAULT, seen, NOWHERE).holds


@pytest.mark.parametrize(("inside", "holds"), [(True, True), (None, True), (False, False)])
def test_a_proxy_that_is_out_already_is_not_taken_out(inside, holds):
    seen = all_well_for(place=PROXY, verdict=NAMES_PROXY, in_access_point=inside)

    assert holds == judge(Premise.PROXY_TO_TAKE_OUT, seen, NOWHERE).holds


def test_every_premise_is_judged():
    for premise in Premise:
        judge(premise, all_well_for(), NOWHERE)
