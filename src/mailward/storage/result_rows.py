"""Results as rows: what is stored of each, and what is added up in five minutes' roll-ups."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mailward.model.probing import Phase, PhaseOutcome, ProbeResult, ResultType
from mailward.model.wire import from_plain, to_plain
from mailward.ports.store import Rollup
from mailward.storage.moments import from_ms, from_us, to_ms, to_us

ROLLUP = timedelta(minutes=5)
WHOLE = ""
"""The `phase` of a roll-up over the whole conversation."""
_COUNTED = (ResultType.SUCCEEDED, ResultType.FAILED, ResultType.TIMED_OUT)


def result_row(result: ProbeResult) -> dict[str, Any]:
    """A row of `result`. The transcript of a success is not kept: it says what the phases say."""
    transcript = None if result.is_healthy or not result.transcript else json.dumps(result.transcript)
    return {
        "at": to_ms(result.at),
        "probe": result.probe,
        "server": result.server,
        "target": result.target,
        "failed": result.result.is_failure,
        "body": _body(result),
        "transcript": transcript,
    }


def latest_rows(results: Iterable[ProbeResult]) -> list[dict[str, Any]]:
    """The rows of `latest`: of each target the newest only."""
    newest: dict[tuple[str, str, str], ProbeResult] = {}
    for result in results:
        key = (result.probe, result.server, result.target)
        if key not in newest or newest[key].at <= result.at:
            newest[key] = result
    return [
        {
            "probe": result.probe,
            "server": result.server,
            "target": result.target,
            "at": to_ms(result.at),
            "body": _body(result),
        }
        for result in newest.values()
    ]


def rollup_rows(results: Iterable[ProbeResult]) -> list[dict[str, Any]]:
    """
    The rows to add to `rollup`.

    Confirmations are left out: three probes of one failure within seconds would read as three failures. So is what says
    nothing of the target (not applicable, prober overloaded). A phase that did not happen has no row.
    """
    sums: dict[tuple[str, str, str, str, int], dict[str, Any]] = {}
    for result in results:
        if result.confirmation or result.result not in _COUNTED:
            continue
        parts = [(WHOLE, result.took, result.result.is_failure)]
        parts += [(p.phase.value, p.took, p.outcome is not PhaseOutcome.OK) for p in result.phases]
        start = to_ms(result.at) // (ROLLUP // timedelta(milliseconds=1)) * (ROLLUP // timedelta(milliseconds=1))
        for phase, took, failed in parts:
            key = (result.probe, result.server, result.target, phase, start)
            row = sums.setdefault(key, {"count": 0, "failures": 0, "took_sum": 0, "took_max": 0})
            row["count"] += 1
            row["failures"] += failed
            row["took_sum"] += to_us(took)
            row["took_max"] = max(row["took_max"], to_us(took))
    return [
        {"probe": key[0], "server": key[1], "target": key[2], "phase": key[3], "start": key[4], **row}
        for key, row in sums.items()
    ]


def result_of(body: str, transcript: str | None) -> ProbeResult:
    """The result a row holds."""
    result = from_plain(ProbeResult, json.loads(body))
    return replace(result, transcript=tuple(json.loads(transcript))) if transcript else result


def rollup_of(row: Mapping[str, Any]) -> Rollup:
    """The roll-up a row holds."""
    return Rollup(
        probe=row["probe"],
        server=row["server"],
        target=row["target"],
        phase=Phase(row["phase"]) if row["phase"] else None,
        start=from_ms(row["start"]),
        count=row["count"],
        failures=row["failures"],
        took_sum=from_us(row["took_sum"]),
        took_max=from_us(row["took_max"]),
    )


def _body(result: ProbeResult) -> str:
    return json.dumps(to_plain(replace(result, transcript=())), separators=(",", ":"))
