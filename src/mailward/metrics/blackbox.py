"""
The results of one probe under blackbox_exporter's names, so that its scrape configurations and dashboards fit.

A probe may have several targets on a server, such as every database behind a proxy; the worst result speaks for all.
What did not take place is left out: no certificate, no expiry; no phase, no duration.
"""

from collections.abc import Iterator, Sequence

from prometheus_client.core import Metric

from mailward.metrics import described
from mailward.metrics.building import gauge, gauges, info
from mailward.model.errors import TemporaryFailure
from mailward.model.probing import Phase, ProbeResult


def worst_of(results: Sequence[ProbeResult]) -> ProbeResult:
    """
    The failed one, or of several the one that took longest.

    Raises:
        TemporaryFailure: None of them says anything of the server: it was not probed. That is no failure of its.
    """
    telling = [result for result in results if result.is_healthy or result.result.is_failure]
    if not telling:
        said = results[0].detail or results[0].result.value if results else "there is no result"
        raise TemporaryFailure(f"it could not be probed: {said}")
    return max(telling, key=lambda result: (result.result.is_failure, result.took))


def blackbox_families(results: Sequence[ProbeResult]) -> Iterator[Metric]:
    """
    What `/probe` shows.

    Raises:
        TemporaryFailure: No result says anything of what was probed.
    """
    worst = worst_of(results)
    yield gauge(described.PROBE_SUCCESS, worst.is_healthy)
    yield gauge(described.PROBE_DURATION, worst.took.total_seconds())
    yield from _phases(worst)
    yield from _encryption(worst)
    if worst.result.is_failure:
        phase, cause = worst.failed_phase, worst.cause
        yield info(
            described.PROBE_FAILURE, {"phase": phase.value if phase else "", "cause": cause.value if cause else ""}
        )
    yield gauge(described.PROBE_TARGETS, len(results))
    yield gauge(described.PROBE_TARGETS_FAILED, sum(result.result.is_failure for result in results))


def _phases(result: ProbeResult) -> Iterator[Metric]:
    took = {timing.phase: timing.took.total_seconds() for timing in result.phases}
    if Phase.DNS in took:
        yield gauge(described.PROBE_LOOK_UP, took[Phase.DNS])
    if took:
        yield gauges(described.PROBE_PHASE, (((phase.value,), seconds) for phase, seconds in took.items()))


def _encryption(result: ProbeResult) -> Iterator[Metric]:
    if result.certificate is not None:
        yield gauge(described.PROBE_EXPIRY, result.certificate.not_after.timestamp())
    if result.tls is not None:
        version = result.tls.partition(" ")[0].replace("TLSv", "TLS ")
        yield info(described.PROBE_TLS, {"version": version})
