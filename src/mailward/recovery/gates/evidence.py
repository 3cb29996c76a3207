"""Whether there is positive evidence about the very thing that would be touched (design, the first law)."""

from mailward.model.durations import spoken
from mailward.model.evidence import ServiceState
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import ActionClass, Gate, GateAnswer
from mailward.model.verdict import Confidence, Dependency, Tier
from mailward.recovery.circumstances import Circumstances
from mailward.recovery.gates.answering import passes, refuses, waits
from mailward.recovery.wanted import Wanted

_OWN_TIERS = frozenset({Tier.PROXY, Tier.MAILBOX_SERVER, Tier.ACCESS_POINT})
_SHARED_TIERS = frozenset({Tier.DIRECTORY, Tier.NETWORK, Tier.NAME_SERVICE, Tier.PATH})


def verdict(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """The verdict must name this server's own service; for a move, its store will do."""
    found = seen.verdict
    if found is None or found.confidence is Confidence.UNKNOWN:
        why = found.because if found is not None else "there is no verdict"
        return refuses(Gate.VERDICT, f"it is not known what is broken: {why}")
    if found.server != wanted.server:
        return refuses(Gate.VERDICT, f"the verdict names {found.server or 'no server'}, not {wanted.server}")
    tiers = _OWN_TIERS | {Tier.STORE} if wanted.action is ActionClass.MOVE else _OWN_TIERS
    if found.tier not in tiers:
        return refuses(Gate.VERDICT, f"the {found.tier.value} is at fault, which this does not mend: {found.because}")
    return passes(Gate.VERDICT, f"{found.confidence.value}: {found.because}")


def shared_dependency(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """
    What many servers depend on is not mended by restarting one of them.

    Authentication is the service's own where the host says that it hangs.
    """
    found = seen.verdict
    if found is None:
        return passes(Gate.SHARED_DEPENDENCY, "no verdict points at one")
    hangs = seen.service is not None and seen.service.state is ServiceState.HUNG
    own = found.dependency is None or (found.dependency is Dependency.AUTHENTICATION and hangs)
    moves = wanted.action is ActionClass.MOVE and found.dependency is Dependency.INFORMATION_STORE
    if found.tier in _SHARED_TIERS or not (own or moves):
        what = found.dependency.value if found.dependency is not None else found.tier.value
        return refuses(Gate.SHARED_DEPENDENCY, f"{what} is at fault: {found.because}")
    return passes(Gate.SHARED_DEPENDENCY, "the fault is the server's own")


def monitoring_at_fault(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """A failed observation is not a failed server."""
    found = seen.verdict
    if found is not None and found.tier is Tier.MONITORING:
        return refuses(Gate.MONITORING_AT_FAULT, f"the monitoring itself is at fault: {found.because}")
    return passes(Gate.MONITORING_AT_FAULT, "the monitoring is well")


def stopped_on_purpose(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """What somebody stopped, somebody starts."""
    if seen.service is not None and seen.service.state is ServiceState.STOPPED and not seen.stopped_by_us:
        return refuses(
            Gate.STOPPED_ON_PURPOSE,
            f"somebody stopped the service of {wanted.server} on purpose ({seen.service.because});"
            f" start it with: mailward service start {wanted.server}",
        )
    return passes(Gate.STOPPED_ON_PURPOSE, "nobody stopped it on purpose")


def not_confirmed(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """The host itself must say what the probes say."""
    if seen.service is None or seen.service.state is ServiceState.UNKNOWN:
        why = seen.service_unseen or (seen.service.because if seen.service is not None else "it was not asked")
        return refuses(Gate.NOT_CONFIRMED, f"the host of {wanted.server} says nothing of its service: {why}")
    state, because = seen.service.state, seen.service.because
    match wanted.action:
        case ActionClass.START:
            confirmed = state is ServiceState.FAILED or (state is ServiceState.STOPPED and seen.stopped_by_us)
        case ActionClass.RELOAD:
            confirmed = state is ServiceState.RUNNING and seen.certificate_is_stale is True
        case ActionClass.SERVER_RESTART if state.has_ended:
            confirmed = state is ServiceState.FAILED or seen.stopped_by_us  # a move may have fenced it
        case _:
            stuck = state is ServiceState.HUNG
            runs_and_fails = state is ServiceState.RUNNING and (seen.own_test_fails is True or seen.overloaded)
            confirmed = stuck or runs_and_fails
    if not confirmed:
        return refuses(Gate.NOT_CONFIRMED, _not_confirmed(wanted, seen, state, because))
    return passes(Gate.NOT_CONFIRMED, f"its host says {state.value}: {because}")


def _not_confirmed(wanted: Wanted, seen: Circumstances, state: ServiceState, because: str) -> str:
    if wanted.action is ActionClass.RELOAD and seen.certificate_is_stale is not True:
        return "it is not known that the certificate on disk is another one than the one served"
    if state is ServiceState.RUNNING and wanted.action is not ActionClass.START:
        return f"the host says it runs, and its own test does not fail: {because}"
    return f"the host says {state.value}: {because}"


def well_again(wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """What is put back must itself be known to be well: that others serve in its place says nothing about it."""
    if seen.own_test_fails is not False or seen.alert is not None:
        return waits(Gate.NOT_CONFIRMED, f"{wanted.server} itself is not known to be well again")
    return passes(Gate.NOT_CONFIRMED, f"{wanted.server} itself passes its tests")


def kernel_hang(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """A process that waits in the kernel (D state) cannot be ended, so restarting it would only wait too."""
    if seen.service is not None and seen.service.in_kernel:
        return refuses(Gate.KERNEL_HANG, f"it waits in the kernel, a restart would not help: {seen.service.because}")
    return passes(Gate.KERNEL_HANG, "nothing of it waits in the kernel")


def not_yet_unhealthy(_wanted: Wanted, seen: Circumstances) -> GateAnswer:
    """Noticing is fast, acting on what runs has patience: Unhealthy, and for at least the patience."""
    if seen.broken_since is None:
        return refuses(Gate.NOT_YET_UNHEALTHY, "no monitor of the server's own service is broken")
    ripe = seen.broken_since + seen.settings.patience
    if seen.now < ripe:
        patience, left = spoken(seen.settings.patience), spoken(ripe - seen.now)
        return waits(Gate.NOT_YET_UNHEALTHY, f"broken for less than {patience}: {left} more", ripe)
    if seen.alert is not AlertValue.UNHEALTHY:
        said = seen.alert.value if seen.alert is not None else "not known"
        return waits(Gate.NOT_YET_UNHEALTHY, f"its monitor is {said}, not Unhealthy")
    return passes(Gate.NOT_YET_UNHEALTHY, f"Unhealthy, broken since {seen.broken_since:%H:%M:%S} UTC")
