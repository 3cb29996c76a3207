"""
From values to a page: the templates, the words they need, and the headers every page carries.

Invariant: whatever comes from elsewhere (a server's words, a name, a reason somebody typed) is text in the page, never
markup; no page makes the reader's browser ask anybody but us.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailward.model.durations import spoken
from mailward.ports.manager import Manager
from mailward.web.access import Right

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What every page knows of where it stands."""

    has_faults: bool = False
    """Whether there is something to break: the demo."""


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("mailward.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(ago=ago, milliseconds=milliseconds, moment=moment, part=part, spoken=spoken, word=word)
    return made


async def page(
    manager: Manager, request: Request, template: str, *, status_code: int = 200, **values: object
) -> Response:
    """
    Return a page.

    Rendering takes a thread: a long page would make every probe late.

    Args:
        manager: Asked for what stands at the head of every page.
        request: Whom the page is for, and where they are.
        template: A file below `templates/`.
        status_code: The status of HTTP.
        values: What the template speaks of.
    """
    status = await manager.status()
    caller = getattr(request.state, "caller", None)
    common: Mapping[str, Any] = {
        "manager": status,
        "caller": caller,
        "may_change": caller is not None and caller.right >= Right.OPERATOR,
        "site": request.app.state.site,
        "path": request.url.path,
        "said": _said(request),
        "now": request.app.state.clock.now(),
    }
    html = await asyncio.to_thread(_TEMPLATES.get_template(template).render, {**common, **values})
    return Response(html, status_code=status_code, media_type="text/html", headers=SECURITY_HEADERS)


async def bare_page(request: Request, template: str, *, status_code: int = 200, **values: object) -> Response:
    """Return a page for whom we do not know: it tells nothing of the organization, nor how it is doing."""
    common: Mapping[str, Any] = {"caller": None, "path": request.url.path}
    html = await asyncio.to_thread(_TEMPLATES.get_template(template).render, {**common, **values})
    return Response(html, status_code=status_code, media_type="text/html", headers=SECURITY_HEADERS)


def back_to(path: str, said: str) -> Response:
    """After a change: have the browser get *path*, which tells what was *said*."""
    joined = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{joined}said={quote(said[:500])}", status_code=303, headers=SECURITY_HEADERS)


def _said(request: Request) -> str:
    """What the change before this page came to: our own word, where the browser says that a page of ours led here."""
    is_ours = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return request.query_params.get("said", "")[:500] if is_ours else ""


def moment(at: datetime) -> Markup:
    """A moment as an element: UTC to read and on hover; a script shows it in the reader's own zone."""
    exact = at.astimezone(UTC)
    return Markup('<time datetime="{}" title="{} UTC">{} UTC</time>').format(
        exact.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        exact.strftime("%Y-%m-%d %H:%M:%S"),
        exact.strftime("%Y-%m-%d %H:%M:%S"),
    )


def word(value: object) -> str:
    """An enum's member as a word that can be part of a class name: "awaiting-approval"."""
    text = str(value.value if isinstance(value, Enum) else value)
    return "".join(letter if letter.isalnum() else "-" for letter in text.lower())


def part(text: object) -> str:
    """Text as one part of a path."""
    return quote(str(text), safe="")


def milliseconds(span: timedelta) -> str:
    """A span in milliseconds, as precise as somebody compares it: "0.42", "5.3", "1204"."""
    ms = span / timedelta(milliseconds=1)
    return f"{ms:.2f}" if ms < 1 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def ago(span: timedelta) -> str:
    """How long ago, as a person says it."""
    return f"{spoken(span)} ago"


_TEMPLATES = _environment()
