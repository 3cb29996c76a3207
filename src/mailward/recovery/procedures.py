"""
The procedures, to be read beside the seed's page and design §4: what is tried, in which order, and on which premise.

Between any two stages the problem must still stand: a re-probe that succeeds ends the procedure as healed, or as
transient when nothing was touched. A stage whose premise is refuted is skipped, with the reason. What takes something
away (a proxy out of the access point, the protocol log on) names the stage that gives it back on every exit.

Allowing activation again (the seed's step 6) is such a giving back: it follows when the server is well, and not before.

Where the seed's page has no branch, it is here: active copies that are left end the mailbox-server procedure before
its restart; what stays broken after the last re-probe is escalated, and the escalation says what stays empty or taken
out. The Portuguese page inverts one condition; the English one is right: when the mailbox server is *well*, the proxy
is at fault (managed-availability reference §8.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mailward.model import items
from mailward.model.monitoring import MonitorKey
from mailward.model.recovery import OperationKind, StepName
from mailward.recovery.premises import Premise


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One stage of a procedure."""

    step: StepName
    premise: Premise = Premise.ALWAYS
    tries: int = 1
    """How often a stage that looks is repeated before its no counts."""
    gives_back: StepName | None = None
    """The stage that must follow on every exit once this one was done."""
    seed: str = ""
    """Where the seed's page says it, in its section for the monitor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Procedure:
    """A procedure as data."""

    kind: OperationKind
    monitors: tuple[str, ...]
    """The monitors it is for."""
    stages: tuple[Stage, ...]


_S = StepName
_P = Premise

PROCEDURES: Mapping[OperationKind, Procedure] = {
    OperationKind.MAILBOX_SERVER: Procedure(
        kind=OperationKind.MAILBOX_SERVER,
        monitors=(items.DEEP_TEST_MONITOR, items.SELF_TEST_MONITOR),
        stages=(
            Stage(step=_S.RE_PROBE, seed="Verify that the problem still exists, 2c"),
            Stage(step=_S.START_SERVICE, premise=_P.SERVICE_NOT_RUNNING, seed="1"),
            Stage(step=_S.RELOAD_SERVICE, premise=_P.CERTIFICATE_STALE),
            Stage(step=_S.RESTART_SERVICE, premise=_P.SERVICE_AT_FAULT, seed="1"),
            Stage(step=_S.RE_PROBE, seed="2"),
            Stage(step=_S.MOVE_DATABASES, premise=_P.HOLDS_ACTIVE_COPIES, gives_back=_S.ALLOW_ACTIVATION, seed="3"),
            Stage(step=_S.AWAIT_MOVES, premise=_P.MOVES_BEGUN),
            Stage(step=_S.PROVE_EMPTY, premise=_P.WHOLE_SERVER, tries=2, seed="4"),
            Stage(step=_S.RESTART_SERVER, premise=_P.WHOLE_SERVER, seed="4"),
            Stage(step=_S.RE_PROBE, premise=_P.WHOLE_SERVER, seed="5"),
            Stage(step=_S.ESCALATE, seed="7"),
        ),
    ),
    OperationKind.CUSTOMER_TOUCH_POINT: Procedure(
        kind=OperationKind.CUSTOMER_TOUCH_POINT,
        monitors=(items.CTP_MONITOR,),
        stages=(
            Stage(step=_S.RE_PROBE, seed="Verify that the problem still exists, 2c"),
            # "restart on the back-end server" (1) is part of recovering the mailbox server, under its own gates
            Stage(step=_S.RECOVER_MAILBOX_SERVER, premise=_P.MAILBOX_SERVER_UNHEALTHY, seed="1"),
            Stage(step=_S.RE_PROBE, seed="2"),
            Stage(step=_S.PROTOCOL_LOG_ON, gives_back=_S.PROTOCOL_LOG_OFF, seed="3.1, 3.2"),
            Stage(step=_S.RE_PROBE, seed="3.3"),
            Stage(step=_S.COLLECT, seed="3.4, 3.5"),
            Stage(step=_S.PROTOCOL_LOG_OFF),  # what it had to say is kept with the step before
            Stage(step=_S.RECOVER_MAILBOX_SERVER, premise=_P.MAILBOX_SERVER_UNHEALTHY, seed="3.6, 3.7"),
            Stage(step=_S.TAKE_OUT, premise=_P.PROXY_TO_TAKE_OUT, gives_back=_S.PUT_BACK),
            Stage(step=_S.RESTART_SERVICE, premise=_P.PROXY_AT_FAULT),
            Stage(step=_S.RE_PROBE),
            Stage(step=_S.RESTART_SERVER, premise=_P.PROXY_AT_FAULT, seed="4"),
            Stage(step=_S.RE_PROBE, seed="5"),
            Stage(step=_S.ESCALATE, seed="8"),
        ),
    ),
    OperationKind.PROXY: Procedure(
        kind=OperationKind.PROXY,
        monitors=(items.PROXY_TEST_MONITOR,),
        stages=(
            Stage(step=_S.RE_PROBE, seed="Verify that the problem still exists, 2c"),
            Stage(step=_S.START_SERVICE, premise=_P.SERVICE_NOT_RUNNING, seed="1"),
            Stage(step=_S.RELOAD_SERVICE, premise=_P.CERTIFICATE_STALE),
            Stage(step=_S.RESTART_SERVICE, premise=_P.SERVICE_AT_FAULT, seed="1"),
            Stage(step=_S.RE_PROBE, seed="2"),
            Stage(step=_S.TAKE_OUT, premise=_P.PROXY_TO_TAKE_OUT, gives_back=_S.PUT_BACK),
            Stage(step=_S.RESTART_SERVER, premise=_P.PROXY_AT_FAULT, seed="3"),
            Stage(step=_S.RE_PROBE, seed="4"),
            Stage(step=_S.ESCALATE, seed="5"),
        ),
    ),
    OperationKind.CERTIFICATE: Procedure(
        kind=OperationKind.CERTIFICATE,
        monitors=(items.CERTIFICATE_MONITOR,),
        stages=(
            Stage(step=_S.RE_PROBE),
            Stage(step=_S.RELOAD_SERVICE, premise=_P.CERTIFICATE_STALE),
            Stage(step=_S.RE_PROBE),
            Stage(step=_S.ESCALATE),
        ),
    ),
    OperationKind.LOAD: Procedure(
        kind=OperationKind.LOAD,
        monitors=(items.COMMAND_TIME_MONITOR, items.QUEUE_MONITOR),
        stages=(
            Stage(step=_S.RE_PROBE),
            Stage(step=_S.RESTART_SERVICE, premise=_P.SERVICE_AT_FAULT, seed="1"),
            Stage(step=_S.OBSERVE, seed="2"),
            Stage(step=_S.OBSERVE, seed="3"),
            Stage(step=_S.MOVE_DATABASES, premise=_P.HOLDS_ACTIVE_COPIES, gives_back=_S.ALLOW_ACTIVATION, seed="4.1"),
            Stage(step=_S.AWAIT_MOVES, premise=_P.MOVES_BEGUN),
            Stage(step=_S.PROVE_EMPTY, premise=_P.WHOLE_SERVER, tries=2, seed="4.2"),
            # what counters say is of minutes in which its users were there: without them it may well be well
            Stage(step=_S.OBSERVE, premise=_P.MOVES_BEGUN),
            Stage(step=_S.RESTART_SERVER, premise=_P.WHOLE_SERVER, seed="4"),
            Stage(step=_S.OBSERVE, seed="5"),
            Stage(step=_S.ESCALATE, seed="7"),
        ),
    ),
    OperationKind.DRAIN: Procedure(
        kind=OperationKind.DRAIN,
        monitors=(),
        stages=(
            Stage(step=_S.MOVE_DATABASES, premise=_P.HOLDS_ACTIVE_COPIES),
            Stage(step=_S.AWAIT_MOVES, premise=_P.MOVES_BEGUN),
            Stage(step=_S.PROVE_EMPTY, tries=2),
            Stage(step=_S.ESCALATE),
        ),
    ),
    OperationKind.MOVE: Procedure(
        kind=OperationKind.MOVE,
        monitors=(),
        stages=(
            Stage(step=_S.CHOOSE_COPY),
            Stage(step=_S.SYNCHRONISE, premise=_P.SOURCE_CAN_BE_READ),
            Stage(step=_S.FENCE, premise=_P.SOURCE_MAY_STILL_WRITE),
            Stage(step=_S.SWITCH_OVER, premise=_P.READY_TO_SWITCH),
            Stage(step=_S.VERIFY, premise=_P.SWITCHED),
            Stage(step=_S.ESCALATE),
        ),
    ),
}


def is_about_load(cause: MonitorKey | None) -> bool:
    """Whether what broke is a counter: a restart for it is a matter of its own."""
    return cause is not None and cause.item in PROCEDURES[OperationKind.LOAD].monitors


def procedure_for(monitor: str) -> Procedure | None:
    """The procedure for a monitor's name, or None: it is told to people and nothing is done."""
    return next((known for known in PROCEDURES.values() if monitor in known.monitors), None)
