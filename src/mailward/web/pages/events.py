"""What happened, the newest first, and a page of each event that stays."""

import json
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.event import Event, EventKind
from mailward.model.wire import moment_to_text, to_plain
from mailward.ports.manager import Manager
from mailward.web.pages.paging import address
from mailward.web.pages.rendering import page
from mailward.web.parameters import Parameters
from mailward.web.problems import Code, Problem
from mailward.web.requests import asked, number_in_path
from mailward.web.routes import Routes

ROWS, ROWS_MOST = 100, 1000
_OF_A_SERVER = frozenset(
    {
        *(EventKind.MONITOR_CHANGED, EventKind.MONITOR_RETIRED, EventKind.MONITOR_FLAPPING, EventKind.MONITOR_SETTLED),
        *(EventKind.HEALTH_SET_CHANGED, EventKind.SERVICE_EXITED, EventKind.SENTINEL_ENDED),
    }
)
"""Events whose subject begins with a server."""


async def _events(manager: Manager, request: Request) -> Response:
    given = asked(request)
    kind, subject, since = given.member("kind", EventKind), given.text("subject"), _since(given)
    rows = given.integer("rows", ROWS, low=1, high=ROWS_MOST)
    before = given.integer("before", 0, low=1, high=2**62) or None
    given.finish()
    found = await manager.events(
        before=before,
        kinds=() if kind is None else (kind,),
        subject=subject,
        since=since,
        limit=rows,
        newest_first=True,
    )
    filters = {
        "kind": kind.value if kind is not None else None,
        "subject": subject,
        "since": moment_to_text(since) if since is not None else None,
        "rows": rows if rows != ROWS else None,
    }
    return await page(
        manager,
        request,
        "events.html",
        events=found,
        links={event.id: link_of(event) for event in found},
        kinds=tuple(EventKind),
        kind=kind,
        subject=subject or "",
        since=since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if since is not None else "",
        rows=rows,
        rows_most=ROWS_MOST,
        is_newest=before is None,
        newest=address("/events", **filters),
        older=address("/events", **filters, before=found[-1].id) if len(found) == rows else None,
    )


def _since(given: Parameters) -> datetime | None:
    """A moment; one without a zone, as the browser's field for moments gives it, is UTC."""
    text = given.text("since")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(Code.BAD_REQUEST, f"since: {text[:100]!r} is no moment, such as 2026-11-24T03:04") from None


async def _event(manager: Manager, request: Request) -> Response:
    asked(request).finish()
    number = number_in_path(request, "event")
    found = await manager.events(after=number - 1, limit=1) if number else ()
    if not found or found[0].id != number:
        raise Problem(Code.NOT_FOUND, f"there is no event {number}, or it is older than events are kept")
    event = found[0]
    return await page(
        manager,
        request,
        "event.html",
        event=event,
        link=link_of(event),
        facts=json.dumps(to_plain(event.data), ensure_ascii=False, indent=1) if event.data else "",
    )


def link_of(event: Event) -> tuple[str, str] | None:
    """The page of what an event happened to, as "servers" or "alerts" and the name; None where there is none."""
    if event.kind is EventKind.ALERT_CHANGED:
        return ("alerts", event.subject)
    if event.kind in _OF_A_SERVER:
        return ("servers", event.subject.partition("/")[0])
    return None


READS: Routes = {"/events": _events, "/events/{id}": _event}
