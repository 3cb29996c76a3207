"""Who may act at all: modes, orders of people, the lease, the store."""

from datetime import timedelta

from mailward.model.durations import spoken
from mailward.model.holds import Component, HeldState, HoldKind
from mailward.model.recovery import Gate, GateAnswer, Mode
from mailward.recovery.circumstances import Circumstances
from mailward.recovery.gates.answering import passes, refuses, waits
from mailward.recovery.wanted import Wanted

#: Components whose being Inactive forbids every action on a server (managed-availability reference §6).
_FORBIDDING = frozenset({Component.SERVER_WIDE_OFFLINE, Component.RECOVERY_ACTIONS_ENABLED})


def mode(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """How far mailward goes by itself with this class of action on this server."""
    why = seen.mode_because or f"{wanted.action.value} is set to {seen.mode.value}"
    if seen.mode is Mode.OBSERVE:
        return refuses(Gate.MODE, f"{why}: mailward only watches")
    if seen.mode is Mode.RECOMMEND:
        return refuses(Gate.MODE, f"{why}: it is recommended, and left to a person")
    return passes(Gate.MODE, why)


def override(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """An override of the responder that makes mailward more careful than the configuration does."""
    held = seen.overridden_by
    if held is not None and seen.mode in (Mode.OBSERVE, Mode.RECOMMEND):
        return refuses(Gate.OVERRIDE, f"an override sets it to {seen.mode.value}, by {held.by_whom}")
    return passes(Gate.OVERRIDE, "no override forbids it")


def approval(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """In the mode approve a person must have said yes, not longer ago than a yes lasts."""
    if seen.mode is not Mode.APPROVE:
        return passes(Gate.APPROVAL, "none is needed")
    lasts = seen.settings.approval_expires
    given = seen.approved_at
    if given is not None and timedelta(0) <= seen.now - given < lasts:
        return passes(Gate.APPROVAL, f"{seen.approved_by or 'somebody'} said yes")
    asked = seen.approval_asked_at or seen.now
    if given is not None:
        return refuses(Gate.APPROVAL, f"the yes of {seen.approved_by or 'somebody'} is older than {spoken(lasts)}")
    if seen.now - asked >= lasts:
        return refuses(Gate.APPROVAL, f"nobody said yes to {wanted.step.value} within {spoken(lasts)}")
    return waits(Gate.APPROVAL, f"somebody must say yes to {wanted.step.value} on {wanted.server}", asked + lasts)


def stop_file(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """The file that stops everything, whatever database and API do."""
    if seen.stopped is not None:
        return refuses(Gate.STOP_FILE, seen.stopped)
    return passes(Gate.STOP_FILE, "there is no stop file")


def pause(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """A pause of the organization or of this server."""
    return _unless_held(Gate.PAUSE, HoldKind.PAUSE, seen, "paused")


def maintenance(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Somebody works on this server."""
    return _unless_held(Gate.MAINTENANCE, HoldKind.MAINTENANCE, seen, "in maintenance")


def component_state(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """A component that was made inactive is out of service on purpose."""
    for hold in seen.holds:
        if hold.component in _FORBIDDING and hold.state is HeldState.INACTIVE:
            return refuses(Gate.COMPONENT_STATE, f"{hold.component.value} is Inactive, by {hold.by_whom}")
    return passes(Gate.COMPONENT_STATE, "no component state forbids it")


def lease(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Only the manager that leads acts; one that is unsure does not lead."""
    if not seen.leads:
        return waits(Gate.LEASE, "this manager does not hold the lease that allows it to act")
    return passes(Gate.LEASE, "this manager leads")


def store(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Without its store mailward cannot know what was done, so it does nothing."""
    if seen.store_trouble is not None:
        return waits(Gate.STORE, f"the store cannot be written, so nothing is begun: {seen.store_trouble}")
    return passes(Gate.STORE, "the store can be written")


def _unless_held(gate: Gate, kind: HoldKind, seen: Circumstances, word: str) -> GateAnswer:
    for hold in seen.holds:
        if hold.kind is kind:
            return refuses(gate, f"{hold.subject} is {word}, by {hold.by_whom}")
    return passes(gate, f"it is not {word}")
