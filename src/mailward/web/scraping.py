"""
What Prometheus scrapes: `/metrics` and `/probe?target=&module=`.

What is shown there is another room's matter; this one lets in, reads what is asked, and passes the text on.
"""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from mailward.ports.manager import Manager
from mailward.web.problems import Code, Problem
from mailward.web.requests import asked
from mailward.web.routes import Routes


class Shown(Protocol):
    """Text for a scrape."""

    @property
    def body(self) -> bytes:
        """The text, in `content_encoding`."""
        ...

    @property
    def content_type(self) -> str:
        """The value of Content-Type."""
        ...

    @property
    def content_encoding(self) -> str | None:
        """The value of Content-Encoding; None for none."""
        ...


class Exposes(Protocol):
    """Shows a manager to Prometheus."""

    async def metrics(self, *, accept: str, accept_encoding: str) -> Shown:
        """Everything about the manager and what it watches."""
        ...

    async def probe(self, *, target: str, module: str, accept: str, accept_encoding: str) -> Shown:
        """The result of one probe of a server of the organization."""
        ...


def scraped(exposition: Exposes | None) -> Routes:
    """The routes, all of them reads; without an *exposition* there is nothing at them."""

    async def metrics(_manager: Manager, request: Request) -> Response:
        shown = await _there_is(exposition).metrics(**_wanted_form(request))
        return _text(shown)

    async def probe(_manager: Manager, request: Request) -> Response:
        given = asked(request)
        target, module = given.required_text("target"), given.required_text("module")
        given.finish()
        shown = await _there_is(exposition).probe(target=target, module=module, **_wanted_form(request))
        return _text(shown)

    return {"/metrics": metrics, "/probe": probe}


def _there_is(exposition: Exposes | None) -> Exposes:
    if exposition is None:
        raise Problem(Code.NOT_FOUND, "this manager shows no metrics")
    return exposition


def _wanted_form(request: Request) -> dict[str, str]:
    return {
        "accept": request.headers.get("accept", ""),
        "accept_encoding": request.headers.get("accept-encoding", ""),
    }


def _text(shown: Shown) -> Response:
    headers = {"Cache-Control": "no-store", "Content-Type": shown.content_type, "Vary": "Accept, Accept-Encoding"}
    if shown.content_encoding is not None:
        headers["Content-Encoding"] = shown.content_encoding
    return Response(shown.body, headers=headers)
