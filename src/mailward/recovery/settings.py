"""How far mailward goes by itself, and how often: every number with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from mailward.model.recovery import ActionClass, Mode

#: What each class may do at most once the organization acts (design §4); configuring a class changes it.
CLASS_DEFAULTS: Mapping[ActionClass, Mode] = {
    ActionClass.START: Mode.ACT,
    ActionClass.RELOAD: Mode.ACT,
    ActionClass.RESTART: Mode.ACT,
    ActionClass.ACCESS_POINT: Mode.ACT,
    ActionClass.MOVE: Mode.APPROVE,
    ActionClass.SERVER_RESTART: Mode.APPROVE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttles:
    """How often an action may be taken. They count what was begun, and survive restarts.

    What a look afterwards found never done does not count; everything else does, whatever came of it.
    """

    service_restart_apart: timedelta = timedelta(minutes=10)
    """Between two restarts of the service of one server: a restart that did not help helps no better at once."""
    service_restarts_a_day: int = 4
    """Starts and restarts of the service of one server in 24 hours."""
    move_apart: timedelta = timedelta(minutes=30)
    """Between two moves away from, or back to, one server."""
    server_restarts_a_day: int = 1
    """Restarts of one server in 24 hours."""
    server_restart_apart: timedelta = timedelta(hours=1)
    """Between two restarts of servers of one role."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoverySettings:
    """When and how far mailward acts."""

    mode: Mode = Mode.RECOMMEND
    """The most the organization lets mailward do; a class of action never goes further."""
    classes: Mapping[ActionClass, Mode] = field(default_factory=lambda: dict(CLASS_DEFAULTS))
    """The most each class of action may do."""
    throttles: Throttles = field(default_factory=Throttles)
    patience: timedelta = timedelta(seconds=60)
    """How long a running service must have been broken before it is restarted, at least."""
    load: Mode = Mode.RECOMMEND
    """
    The most the load procedure may do, whatever the classes say: what is restarted under load has every client log in
    again at once.
    """
    observe: timedelta = timedelta(minutes=10)
    """How long a server under load must have been healthy without interruption after what was done for it."""
    approval_expires: timedelta = timedelta(minutes=15)
    """A yes that comes later is no yes: things have changed."""
    settle: timedelta = timedelta(seconds=15)
    """How long after a deed re-probing goes on before the deed counts as without effect."""
    server_settle: timedelta = timedelta(minutes=10)
    """The same after the restart of a server."""
    look_again: timedelta = timedelta(seconds=30)
    """How often closed gates are asked again."""
    start_anew_after: timedelta = timedelta(minutes=30)
    """After a recovery ended without success, and the monitor never got well: when another one may start."""
    start_anew_same_verdict_after: timedelta = timedelta(hours=4)
    """The same where the verdict is still what it was."""
    ineffective_times: int = 2
    """Healed so often within `ineffective_window` and broken again: no more of the same, a person is called."""
    ineffective_window: timedelta = timedelta(hours=6)
    blast_radius_percent: int = 30
    """More than this share of a role's servers broken at once is no fault of theirs; counts from 3 servers on."""
    minimum_healthy_percent: int = 50
    """A proxy is only taken out while at least this share of the others of its role is healthy, and at least one."""

    def mode_of(self, action: ActionClass, *, under_load: bool = False) -> Mode:
        """How far this class of action goes: the most careful of the organization's, its own and, where so, load's."""
        own = self.classes.get(action, CLASS_DEFAULTS[action])
        order = list(Mode)
        return min(self.mode, own, *([self.load] if under_load else []), key=order.index)
