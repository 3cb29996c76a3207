"""Circumstances in which everything speaks for a deed; each test changes one thing."""

from dataclasses import replace
from datetime import timedelta

from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import ActionClass, Mode, StepName
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.recovery.circumstances import Circumstances, Peer, Place
from mailward.recovery.settings import RecoverySettings
from mailward.recovery.wanted import Wanted
from mailward.testing.platform import NOON

MINUTE = timedelta(minutes=1)
STEPS = {
    ActionClass.START: StepName.START_SERVICE,
    ActionClass.RELOAD: StepName.RELOAD_SERVICE,
    ActionClass.RESTART: StepName.RESTART_SERVICE,
    ActionClass.ACCESS_POINT: StepName.TAKE_OUT,
    ActionClass.MOVE: StepName.MOVE_DATABASES,
    ActionClass.SERVER_RESTART: StepName.RESTART_SERVER,
}
STATE_FOR = {ActionClass.START: ServiceState.FAILED, ActionClass.RELOAD: ServiceState.RUNNING}


def wanted(action: ActionClass = ActionClass.RESTART, **changes: object) -> Wanted:
    return replace(Wanted(step=STEPS[action], server="be1"), **changes)  # type: ignore[arg-type]


def all_well_for(action: ActionClass = ActionClass.RESTART, **changes: object) -> Circumstances:
    """Circumstances in which every gate lets *action* pass."""
    state = STATE_FOR.get(action, ServiceState.HUNG)
    seen = Circumstances(
        now=NOON,
        place=Place(server="be1", roles=frozenset({"mailbox"})),
        settings=RecoverySettings(mode=Mode.ACT),
        mode=Mode.ACT,
        leads=True,
        verdict=Verdict(tier=Tier.MAILBOX_SERVER, confidence=Confidence.CERTAIN, server="be1", because="it hangs"),
        alert=AlertValue.UNHEALTHY,
        broken_since=NOON - 2 * MINUTE,
        own_test_fails=True,
        service=ServiceStatus(state=state, because="the host says so"),
        certificate_is_stale=True,
        peers=tuple(Peer(server=f"be{number}", is_healthy=True) for number in range(2, 6)),
        places=tuple(Place(server=f"be{number}", roles=frozenset({"mailbox"})) for number in range(1, 6)),
        other_copies=True,
        is_restartable=True,
        behind_access_point=True,
        in_access_point=False,
    )
    return replace(seen, **changes)  # type: ignore[arg-type]
