"""What the gates add up to: each of them alone can forbid each deed it is asked about."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.holds import Hold, HoldKind
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import ONLY_ADVISE, ActionClass, Answer, Deed, Gate, Mode, StepName
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.recovery.circumstances import Circumstances, Peer
from mailward.recovery.deciding import decide, gates_of
from mailward.testing.platform import NOON

from .conftest import MINUTE, all_well_for, wanted

A = ActionClass


def a_hold(kind: HoldKind, subject: str = "be1", value: str = "on") -> Hold:
    return Hold(kind=kind, subject=subject, value=value, owner="ana", reason="why", since=NOON)


def a_verdict(**changes: object) -> Verdict:
    known = Verdict(tier=Tier.MAILBOX_SERVER, confidence=Confidence.CERTAIN, server="be1", because="it says so")
    return replace(known, **changes)  # type: ignore[arg-type]


def a_service(state: ServiceState, **more: object) -> ServiceStatus:
    return ServiceStatus(state=state, because="the host says so", **more)  # type: ignore[arg-type]


#: One change to circumstances in which all is well, the gate that must say no, and the deeds it is asked about.
CLOSED: tuple[tuple[Gate, dict[str, object], frozenset[ActionClass]], ...] = (
    (Gate.STORE, {"store_trouble": "disk full"}, frozenset(A)),
    (Gate.LEASE, {"leads": False}, frozenset(A)),
    (Gate.STOP_FILE, {"stopped": "STOP exists"}, frozenset(A)),
    (Gate.PAUSE, {"holds": (a_hold(HoldKind.PAUSE, "organization"),)}, frozenset(A)),
    (Gate.PAUSE, {"holds": (a_hold(HoldKind.PAUSE),)}, frozenset(A)),
    (Gate.MAINTENANCE, {"holds": (a_hold(HoldKind.MAINTENANCE),)}, frozenset(A)),
    (
        Gate.COMPONENT_STATE,
        {"holds": (a_hold(HoldKind.COMPONENT_STATE, "be1/RecoveryActionsEnabled", "Inactive"),)},
        frozenset(A),
    ),
    (
        Gate.COMPONENT_STATE,
        {"holds": (a_hold(HoldKind.COMPONENT_STATE, "be1/ServerWideOffline", "Inactive"),)},
        frozenset(A),
    ),
    (Gate.OVERRIDE, {"overridden_by": a_hold(HoldKind.OVERRIDE), "mode": Mode.OBSERVE}, frozenset(A)),
    (Gate.MODE, {"mode": Mode.OBSERVE}, frozenset(A)),
    (Gate.MODE, {"mode": Mode.RECOMMEND}, frozenset(A)),
    (Gate.APPROVAL, {"mode": Mode.APPROVE}, frozenset(A)),
    (Gate.APPROVAL, {"mode": Mode.APPROVE, "approved_at": NOON - 15 * MINUTE}, frozenset(A)),
    (Gate.NOT_AVAILABLE, {"unavailable": "the platform cannot"}, frozenset(A)),
    (
        Gate.STOPPED_ON_PURPOSE,
        {"service": a_service(ServiceState.STOPPED)},
        frozenset({A.START, A.RELOAD, A.RESTART, A.MOVE, A.SERVER_RESTART}),
    ),
    (
        Gate.NOT_CONFIRMED,
        {"service": None, "service_unseen": "no answer"},
        frozenset({A.START, A.RELOAD, A.RESTART, A.SERVER_RESTART}),
    ),
    (
        Gate.NOT_CONFIRMED,
        {"service": a_service(ServiceState.UNKNOWN)},
        frozenset({A.START, A.RELOAD, A.RESTART, A.SERVER_RESTART}),
    ),
    (Gate.NOT_CONFIRMED, {"service": a_service(ServiceState.RUNNING)}, frozenset({A.START})),
    (Gate.NOT_CONFIRMED, {"service": a_service(ServiceState.HUNG)}, frozenset({A.START, A.RELOAD})),
    (Gate.NOT_CONFIRMED, {"certificate_is_stale": None}, frozenset({A.RELOAD})),
    (Gate.NOT_CONFIRMED, {"certificate_is_stale": False}, frozenset({A.RELOAD})),
    (
        Gate.NOT_CONFIRMED,
        {"service": a_service(ServiceState.RUNNING), "own_test_fails": False},
        frozenset({A.START, A.RESTART, A.SERVER_RESTART}),
    ),
    (
        Gate.NOT_CONFIRMED,
        {"service": a_service(ServiceState.RUNNING), "own_test_fails": None},
        frozenset({A.START, A.RESTART, A.SERVER_RESTART}),
    ),
    (Gate.KERNEL_HANG, {"service": a_service(ServiceState.HUNG, in_kernel=True)}, frozenset({A.RESTART})),
    *(
        (Gate.VERDICT, {"verdict": verdict}, frozenset({A.RESTART, A.ACCESS_POINT, A.MOVE, A.SERVER_RESTART}))
        for verdict in (
            None,
            a_verdict(confidence=Confidence.UNKNOWN),
            a_verdict(server="be2"),
            a_verdict(server=None),
            a_verdict(tier=Tier.NETWORK),
            a_verdict(tier=Tier.DIRECTORY),
        )
    ),
    (
        Gate.VERDICT,
        {"verdict": a_verdict(tier=Tier.STORE, dependency=Dependency.INFORMATION_STORE)},
        frozenset({A.RESTART, A.ACCESS_POINT, A.SERVER_RESTART}),
    ),
    *(
        (
            Gate.SHARED_DEPENDENCY,
            {"verdict": a_verdict(dependency=dependency)},
            frozenset({A.RESTART, A.ACCESS_POINT, A.SERVER_RESTART})
            | (frozenset() if dependency is Dependency.INFORMATION_STORE else frozenset({A.MOVE})),
        )
        for dependency in Dependency
        if dependency is not Dependency.AUTHENTICATION
    ),
    (
        Gate.SHARED_DEPENDENCY,
        {"verdict": a_verdict(dependency=Dependency.AUTHENTICATION), "service": a_service(ServiceState.RUNNING)},
        frozenset({A.RESTART, A.ACCESS_POINT, A.MOVE, A.SERVER_RESTART}),
    ),
    (
        Gate.MONITORING_AT_FAULT,
        {"verdict": a_verdict(tier=Tier.MONITORING)},
        frozenset({A.RESTART, A.ACCESS_POINT, A.MOVE, A.SERVER_RESTART}),
    ),
    *(
        (Gate.NOT_YET_UNHEALTHY, change, frozenset({A.RESTART, A.ACCESS_POINT, A.MOVE, A.SERVER_RESTART}))
        for change in (
            {"broken_since": NOON - timedelta(seconds=59)},
            {"broken_since": None},
            {"alert": AlertValue.DEGRADED},
            {"alert": None},
        )
    ),
    (
        Gate.CONFIGURATION_INVALID,
        {"configuration_problem": "line 3"},
        frozenset({A.START, A.RELOAD, A.RESTART}),
    ),
    *(
        (Gate.OTHERS_AT_WORK, {"others_at_work": others}, frozenset({A.START, A.RELOAD, A.RESTART, A.SERVER_RESTART}))
        for others in (None, ("systemd restarts it itself",))
    ),
    (
        Gate.BLAST_RADIUS,
        {"peers": tuple(Peer(server=f"be{n}", is_healthy=n > 3) for n in range(2, 6))},
        frozenset({A.RESTART, A.ACCESS_POINT, A.MOVE, A.SERVER_RESTART}),
    ),
    (
        Gate.LAST_HEALTHY,
        {"peers": tuple(Peer(server=f"be{n}", is_healthy=False) for n in range(2, 6))},
        frozenset({A.RESTART, A.ACCESS_POINT, A.SERVER_RESTART}),
    ),
    (Gate.LAST_HEALTHY, {"peers": (Peer(server="be2", is_healthy=False),)}, frozenset({A.ACCESS_POINT})),
    (Gate.LAST_HEALTHY, {"peers": ()}, frozenset({A.ACCESS_POINT})),
    (
        Gate.INEFFECTIVE,
        {"healed_at": (NOON - MINUTE, NOON - 2 * MINUTE)},
        frozenset({A.START, A.RELOAD, A.RESTART, A.ACCESS_POINT, A.SERVER_RESTART}),
    ),
    (
        Gate.THROTTLE,
        {"deeds": (Deed(action=A.RESTART, server="be1", operation=1, seq=1, started=NOON - MINUTE),)},
        frozenset(A),
    ),
    (Gate.NOT_RESTARTABLE, {"is_restartable": False}, frozenset({A.SERVER_RESTART})),
    (Gate.ACTIVE_COPY_LEFT, {"active_copies": ("DB1",)}, frozenset({A.SERVER_RESTART})),
    (Gate.ACTIVE_COPY_LEFT, {"active_copies": None}, frozenset({A.SERVER_RESTART})),
    (Gate.STILL_IN_SERVICE, {"in_access_point": True}, frozenset({A.SERVER_RESTART})),
    (Gate.STILL_IN_SERVICE, {"in_access_point": None}, frozenset({A.SERVER_RESTART})),
    (Gate.COPIES_NOT_READY, {"other_copies": False}, frozenset({A.MOVE})),
)


def against(action: ActionClass, seen: Circumstances) -> set[Gate]:
    decision = decide(wanted(action), seen)
    return {answer.gate for answer in decision.answers if answer.answer is not Answer.PASSES}


@pytest.mark.parametrize("action", list(A))
def test_where_everything_speaks_for_it_a_deed_may_begin(action):
    decision = decide(wanted(action), all_well_for(action))

    assert Answer.PASSES == decision.answer
    assert decision.may


@pytest.mark.parametrize("action", list(A), ids=lambda action: action.value)
@pytest.mark.parametrize(
    ("gate", "change", "asked"), CLOSED, ids=[f"{n}-{gate.value}" for n, (gate, *_) in enumerate(CLOSED)]
)
def test_each_reason_alone_forbids_exactly_the_deeds_it_is_about(gate, change, asked, action):
    seen = all_well_for(action, **change)

    assert (action in asked) == (gate in against(action, seen))
    if action in asked:
        assert not decide(wanted(action), seen).may


def test_every_gate_is_closed_by_some_line_of_the_table():
    assert set(Gate) == {gate for gate, *_ in CLOSED}


@pytest.mark.parametrize("action", list(A))
def test_every_answer_has_a_sentence(action):
    for gate, change, _ in CLOSED:
        for answer in decide(wanted(action), all_well_for(action, **change)).answers:
            assert answer.because, gate


def test_all_gates_are_asked_also_after_one_said_no():
    seen = all_well_for(stopped="STOP exists", configuration_problem="line 3", leads=False)

    assert {Gate.STOP_FILE, Gate.CONFIGURATION_INVALID, Gate.LEASE} == against(A.RESTART, seen)
    assert len(gates_of(wanted())) == len(decide(wanted(), seen).answers)


def test_a_refusal_outweighs_a_wait():
    seen = all_well_for(leads=False, stopped="STOP exists")

    assert Answer.REFUSES == decide(wanted(), seen).answer


def test_what_only_waits_is_asked_again_when_the_last_gate_opens():
    seen = all_well_for(broken_since=NOON - timedelta(seconds=20))

    decision = decide(wanted(), seen)

    assert (Answer.WAITS, NOON + timedelta(seconds=40)) == (decision.answer, decision.until)


def test_a_recommendation_is_what_nothing_but_consent_stands_against():
    assert decide(wanted(), all_well_for(mode=Mode.RECOMMEND)).only_consent_missing
    assert not decide(wanted(), all_well_for(mode=Mode.RECOMMEND, configuration_problem="x")).only_consent_missing
    assert not decide(wanted(), all_well_for()).only_consent_missing


def test_a_fresh_yes_lets_the_approved_deed_pass():
    seen = all_well_for(mode=Mode.APPROVE, approved_at=NOON - 14 * MINUTE, approved_by="ana")

    assert decide(wanted(), seen).may


@pytest.mark.parametrize("servers", [1, 2])
def test_below_three_servers_of_a_role_neither_blast_radius_nor_last_healthy_forbids_a_restart(servers):
    peers = tuple(Peer(server=f"be{n}", is_healthy=False) for n in range(2, servers + 1))

    assert decide(wanted(), all_well_for(peers=peers)).may


def test_a_failed_service_is_started_whatever_happens_to_the_others():
    peers = tuple(Peer(server=f"be{n}", is_healthy=False) for n in range(2, 500))

    assert decide(wanted(A.START), all_well_for(A.START, peers=peers)).may


@pytest.mark.parametrize(
    ("own_test_fails", "alert", "may"),
    [(False, None, True), (True, None, False), (None, None, False), (False, AlertValue.DEGRADED, False)],
)
def test_putting_back_asks_for_evidence_that_the_server_itself_is_well_and_for_none_against_it(
    own_test_fails, alert, may
):
    seen = all_well_for(
        A.ACCESS_POINT, verdict=None, alert=alert, broken_since=None, peers=(), own_test_fails=own_test_fails
    )

    assert may == decide(replace(wanted(A.ACCESS_POINT), step=StepName.PUT_BACK), seen).may


def test_a_yes_from_the_future_is_no_yes():
    assert not decide(wanted(), all_well_for(mode=Mode.APPROVE, approved_at=NOON + MINUTE)).may


def test_a_service_our_own_restart_left_stopped_may_be_started():
    stopped = a_service(ServiceState.STOPPED)

    assert decide(wanted(A.START), all_well_for(A.START, service=stopped, stopped_by_us=True)).may
    assert not decide(wanted(A.START), all_well_for(A.START, service=stopped)).may


@pytest.mark.parametrize("gate", [Gate.MODE, Gate.VERDICT, Gate.NOT_YET_UNHEALTHY, Gate.MAINTENANCE, Gate.PAUSE])
def test_by_hand_a_person_answers_for_the_why(gate):
    change = next(change for known, change, asked in CLOSED if known is gate and A.RESTART in asked)

    assert decide(wanted(by_hand=True), all_well_for(**change)).may


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize(
    "gate",
    [
        *(Gate.STORE, Gate.LEASE, Gate.STOP_FILE, Gate.NOT_AVAILABLE, Gate.CONFIGURATION_INVALID),
        *(Gate.OTHERS_AT_WORK, Gate.KERNEL_HANG, Gate.LAST_HEALTHY, Gate.THROTTLE),
    ],
)
def test_by_hand_the_gates_against_harm_are_asked_and_only_advice_can_be_forced(gate, forced):
    change = next(change for known, change, asked in CLOSED if known is gate and A.RESTART in asked)

    decision = decide(wanted(by_hand=True, forced=forced), all_well_for(**change))

    assert (forced and gate in ONLY_ADVISE) == decision.may


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("gate", [Gate.NOT_RESTARTABLE, Gate.ACTIVE_COPY_LEFT])
def test_nobody_restarts_a_server_that_is_not_named_or_holds_an_active_copy(gate, forced):
    change = next(change for known, change, asked in CLOSED if known is gate)

    seen = all_well_for(A.SERVER_RESTART, **change)

    assert not decide(wanted(A.SERVER_RESTART, by_hand=True, forced=forced), seen).may
