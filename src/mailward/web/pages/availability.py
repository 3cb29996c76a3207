"""How much of a month users were served: the figures, each outage, and both to take away as CSV."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.availability import Availability, AvailabilityReport
from mailward.model.wire import moment_to_text
from mailward.ports.manager import Manager
from mailward.web.pages.paging import part_of
from mailward.web.pages.rendering import SECURITY_HEADERS, page
from mailward.web.requests import asked
from mailward.web.routes import Routes

OUTAGES_SHOWN = 200
COLUMNS = (
    *("month", "server", "health_set", "percent", "up_s", "down_s", "set_aside_s", "not_measured_s"),
    *("is_touch_point", "outages"),
)


async def _availability(manager: Manager, request: Request) -> Response:
    given = asked(request)
    month = given.text("month") or this_month(request.app.state.clock.now())
    text, number = given.text("q") or "", given.integer("page", 1, low=1, high=100_000)
    given.finish()
    report = await manager.availability(month)
    rows = await asyncio.to_thread(_named, report.rows, text) if text else report.rows
    return await page(
        manager,
        request,
        "availability.html",
        report=report,
        month=month,
        text=text,
        part=part_of(rows, number),
        outages=report.outages[:OUTAGES_SHOWN],
        more_outages=max(0, len(report.outages) - OUTAGES_SHOWN),
        percent=percent_text,
    )


async def _csv(manager: Manager, request: Request) -> Response:
    given = asked(request)
    month = given.text("month") or this_month(request.app.state.clock.now())
    given.finish()
    report = await manager.availability(month)
    headers = {**SECURITY_HEADERS, "Content-Disposition": f'attachment; filename="availability-{report.month}.csv"'}
    return Response(await asyncio.to_thread(as_csv, report), media_type="text/csv", headers=headers)


def this_month(now: datetime) -> str:
    """The month of a moment, YYYY-MM in UTC."""
    return moment_to_text(now)[:7]


def percent_text(row: Availability) -> str:
    """A figure with as many digits as tell 99.99 % from 100 %; never rounded up to 100."""
    if row.percent is None:
        return "not measured"
    if row.percent >= 100:
        return "100 %"
    return f"{int(row.percent * 1000) / 1000:.3f} %"


def as_csv(report: AvailabilityReport) -> str:
    """Every row as CSV (RFC 4180), spans in whole seconds; the organization's own comes first."""
    counts: dict[tuple[str, str], int] = {}
    for outage in report.outages:
        counts[outage.server, outage.health_set] = counts.get((outage.server, outage.health_set), 0) + 1
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for row in (*(() if report.overall is None else (report.overall,)), *report.rows):
        spans = (row.up, row.down, row.set_aside, row.not_measured)
        rows.writerow(
            [
                *(report.month, _cell(row.server), _cell(row.health_set)),
                "" if row.percent is None else f"{row.percent:.6f}",
                *(round(span.total_seconds()) for span in spans),
                "yes" if row.is_touch_point else "no",
                counts.get((row.server, row.health_set), ""),
            ]
        )
    return written.getvalue()


def _named(rows: Sequence[Availability], text: str) -> list[Availability]:
    """Those in whose names *text* stands."""
    return [row for row in rows if text.lower() in f"{row.server}/{row.health_set}".lower()]


def _cell(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


READS: Routes = {"/availability": _availability, "/availability.csv": _csv}
