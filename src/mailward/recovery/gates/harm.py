"""Whether the deed would do harm: what it would break, whom it would meet, and how often it was tried."""

from mailward.model.durations import spoken
from mailward.model.recovery import ActionClass, Gate, GateAnswer, StepName
from mailward.recovery.circumstances import Circumstances
from mailward.recovery.gates.answering import passes, refuses, waits
from mailward.recovery.throttles import throttle as judge_throttle
from mailward.recovery.wanted import Wanted

#: "both only from 3 servers of a role on" (design §4): with fewer a share means nothing.
FEWEST_SERVERS = 3


def not_available(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """The platform must be able to do it at all."""
    if seen.unavailable is not None:
        return refuses(Gate.NOT_AVAILABLE, seen.unavailable)
    return passes(Gate.NOT_AVAILABLE, "the platform can do it")


def configuration_invalid(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """A service whose configuration on disk is broken would not come back."""
    if seen.configuration_problem is not None:
        return refuses(
            Gate.CONFIGURATION_INVALID,
            f"the configuration on disk of {wanted.server} is invalid, the service would not come back:"
            f" {seen.configuration_problem}",
        )
    return passes(Gate.CONFIGURATION_INVALID, "nothing is known against the configuration on disk")


def others_at_work(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Two healers on one service undo each other's work; an upgrade restarts what it needs itself."""
    if seen.others_at_work is None:
        return waits(Gate.OTHERS_AT_WORK, f"it could not be found out who else is at work on {wanted.server}")
    if seen.others_at_work:
        return waits(Gate.OTHERS_AT_WORK, f"somebody else is at work: {'; '.join(seen.others_at_work)}")
    return passes(Gate.OTHERS_AT_WORK, "nobody else is at work")


def last_healthy(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """
    Never take the last of a role that works.

    Taking a proxy out needs enough others whatever their number; restarts are only asked from three servers on. What
    is put back, or started, takes nothing away.
    """
    if wanted.step is StepName.PUT_BACK:
        return passes(Gate.LAST_HEALTHY, "it takes nothing away")
    healthy = [peer.server for peer in seen.peers if peer.is_healthy]
    if wanted.action is not ActionClass.ACCESS_POINT and len(seen.peers) + 1 < FEWEST_SERVERS:
        return passes(Gate.LAST_HEALTHY, f"only asked from {FEWEST_SERVERS} servers of a role on")
    if not healthy:
        return refuses(Gate.LAST_HEALTHY, f"no other server of the role of {wanted.server} is healthy")
    if wanted.action is ActionClass.ACCESS_POINT:
        share = 100 * len(healthy) / len(seen.peers)
        if share < seen.settings.minimum_healthy_percent:
            return refuses(
                Gate.LAST_HEALTHY,
                f"only {len(healthy)} of {len(seen.peers)} others are healthy,"
                f" and {seen.settings.minimum_healthy_percent} % are needed",
            )
    return passes(Gate.LAST_HEALTHY, f"{len(healthy)} others are healthy")


def blast_radius(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Many broken at once have a common cause, and restarting them one after the other is a storm."""
    servers = len(seen.peers) + 1
    if servers < FEWEST_SERVERS:
        return passes(Gate.BLAST_RADIUS, f"only asked from {FEWEST_SERVERS} servers of a role on")
    broken = 1 + sum(not peer.is_healthy for peer in seen.peers)
    allowed = max(1, servers * seen.settings.blast_radius_percent // 100)
    if broken > allowed:
        return refuses(
            Gate.BLAST_RADIUS,
            f"{broken} of {servers} servers of this role are not healthy, more than {allowed}: that has one cause",
        )
    return passes(Gate.BLAST_RADIUS, f"{broken} of {servers} servers of this role are not healthy")


def ineffective(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Healed, and broken again, and healed, and broken again: more of the same mends nothing."""
    window, times = seen.settings.ineffective_window, seen.settings.ineffective_times
    recent = [moment for moment in seen.healed_at if seen.now - moment < window]
    if len(recent) >= times:
        return refuses(
            Gate.INEFFECTIVE,
            f"{wanted.server} was healed {len(recent)} times within {spoken(window)} and broke again: find the cause",
        )
    return passes(Gate.INEFFECTIVE, "it has not been healed in vain")


def throttle(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """How often; asked again within the transaction that writes the intent."""
    return judge_throttle(
        wanted,
        place=seen.place,
        places=seen.places,
        deeds=seen.deeds,
        settings=seen.settings.throttles,
        now=seen.now,
    )


def not_restartable(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """The restart of a machine does not exist until the configuration names the machine."""
    if not seen.is_restartable:
        return refuses(Gate.NOT_RESTARTABLE, f"the configuration does not say servers.{wanted.server}.restartable")
    return passes(Gate.NOT_RESTARTABLE, "the configuration names it as restartable")


def active_copy_left(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """A server with an active copy is never restarted: its users would be cut off, and it may not come back."""
    if seen.active_copies is None:
        return refuses(Gate.ACTIVE_COPY_LEFT, f"it is not known which active copies are on {wanted.server}")
    if seen.active_copies:
        return refuses(
            Gate.ACTIVE_COPY_LEFT, f"{wanted.server} still holds the active copy of {', '.join(seen.active_copies)}"
        )
    return passes(Gate.ACTIVE_COPY_LEFT, "no active copy is left on it")


def copies_not_ready(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Without a second copy there is nowhere to move to."""
    if not seen.other_copies:
        return refuses(Gate.COPIES_NOT_READY, f"the databases on {wanted.server} have no second copy")
    return passes(Gate.COPIES_NOT_READY, "there are other copies")


def still_in_service(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """A proxy that clients are still sent to is not restarted as a whole while others could take them."""
    if seen.behind_access_point and seen.in_access_point is not False:
        known = "are still" if seen.in_access_point else "may still be"
        because = f"clients {known} sent to {wanted.server}; take it out of the access point first"
        return refuses(Gate.STILL_IN_SERVICE, because)
    return passes(Gate.STILL_IN_SERVICE, "no client is sent to it")
