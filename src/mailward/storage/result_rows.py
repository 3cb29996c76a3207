"""Results as rows: what is stored of each, and what is added up in five minutes' roll-ups."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, literal, select, text

from mailward.model.probing import Phase, PhaseOutcome, ProbeResult, ResultType
from mailward.ports.store import Rollup
from mailward.storage.documents import of_document, of_lines, to_document, to_lines
from mailward.storage.moments import from_ms, from_us, to_ms, to_us
from mailward.storage.tables import results, rollups, transcripts

ROLLUP = timedelta(minutes=5)
WHOLE = ""
"""The `phase` of a roll-up over the whole conversation."""
CLOCK_STEP_MS = 5 * 60 * 1000
"""
A latest result that lies further in the future than this was stamped by a clock that has been set back since, and
whatever comes next takes its place. It is measured against now, not against what arrives: results that were kept back
while the store was lost come late, and must not displace newer ones.
"""
_COUNTED = (ResultType.SUCCEEDED, ResultType.FAILED, ResultType.TIMED_OUT)


def keeps_transcript(result: ProbeResult) -> bool:
    """Whether the conversation is kept: of a failure only. All others are alike, or say nothing of the server."""
    return result.result.is_failure and bool(result.transcript)


def transcript_row(result: ProbeResult) -> dict[str, Any]:
    """A row of `transcript`."""
    return {"at": to_ms(result.at), "lines": to_lines(result.transcript)}


def result_row(result: ProbeResult, body: str, transcript: int | None) -> dict[str, Any]:
    """A row of `result`, which refers to the row of its transcript."""
    return {
        "at": to_ms(result.at),
        "probe": result.probe,
        "server": result.server,
        "target": result.target,
        "failed": result.result.is_failure,
        "body": body,
        "transcript": transcript,
    }


def result_body(result: ProbeResult) -> str:
    """All of a result but its transcript."""
    return to_document(replace(result, transcript=()) if result.transcript else result)


def latest_rows(results: Iterable[tuple[ProbeResult, str]], *, now: int) -> list[dict[str, Any]]:
    """The rows of `latest`, of results and their bodies: of each target the one that supersedes the others."""
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for result, body in results:
        key = (result.probe, result.server, result.target)
        row = {"probe": key[0], "server": key[1], "target": key[2], "at": to_ms(result.at), "body": body}
        if key not in newest or row["at"] >= newest[key]["at"] or newest[key]["at"] > now + CLOCK_STEP_MS:
            newest[key] = row
    return list(newest.values())


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


def result_query(
    *, probe: str | None, server: str | None, target: str | None, since: datetime | None, failed: bool | None
) -> Select[Any]:
    """The bodies and transcripts of the results that match, newest first."""
    query = (
        select(results.c.body, transcripts.c.lines)
        .outerjoin_from(results, transcripts, transcripts.c.id == results.c.transcript)
        .order_by(results.c.at.desc(), results.c.id.desc())
    )
    for column, value in ((results.c.probe, probe), (results.c.server, server), (results.c.target, target)):
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        query = query.where(results.c.at >= to_ms(since))
    if failed is not None:
        query = query.where(results.c.failed == failed)
    return query


def coarse_query(*, probe: str, server: str, target: str, since: datetime, step: timedelta) -> Select[Any]:
    """The roll-ups of every phase of one probe on one target, added up over *step*, in order of time."""
    width = step // timedelta(milliseconds=1)
    return (
        select(
            literal(probe).label("probe"),
            literal(server).label("server"),
            literal(target).label("target"),
            rollups.c.phase,
            (rollups.c.start - rollups.c.start % width).label("step"),
            func.sum(rollups.c.count).label("count"),
            func.sum(rollups.c.failures).label("failures"),
            func.sum(rollups.c.took_sum).label("took_sum"),
            func.max(rollups.c.took_max).label("took_max"),
        )
        .where(rollups.c.probe == probe, rollups.c.server == server, rollups.c.target == target)
        .where(rollups.c.phase.in_([WHOLE, *(phase.value for phase in Phase)]), rollups.c.start >= to_ms(since))
        .group_by(rollups.c.phase, text("step"))
        .order_by(text("step"))
    )


def result_of(body: str, transcript: str | None) -> ProbeResult:
    """The result a row holds."""
    result = of_document(ProbeResult, body)
    return replace(result, transcript=of_lines(transcript)) if transcript else result


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
