"""
/health/SERVER: what load balancers poll. 200: send clients there; 503: do not; 404: there is no such server.

Invariant: only a decision answers 503. When we cannot say, whatever the reason, the answer is 200: load balancers poll
this page for every server, and our trouble must not become an outage of them all.
"""

import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mailward.model.errors import Refused
from mailward.model.health import Serving
from mailward.ports.manager import Manager
from mailward.web.answers import one
from mailward.web.problems import Code, Problem, problem_response
from mailward.web.requests import in_path
from mailward.web.routes import Routes

_BECAUSE = "X-Mailward-Because"
_HEADER_MAX = 500
_JSON = "application/json"
_log = logging.getLogger("mailward.web")


async def health_page(manager: Manager, request: Request) -> Response:
    """
    Answer one poll, GET or HEAD: a line "serving: …" or "not serving: …", or JSON where Accept asks for it.

    The query is passed over: load balancers add to it what they like, and a mistake there must take nothing out.
    """
    name = in_path(request, "server")
    try:
        found = await manager.serving(name)
    except Refused as refusal:
        return problem_response(Problem(Code.NOT_FOUND, str(refusal)))
    except Exception as error:  # noqa: BLE001 - any other failure is ours, and must not take a server out
        _log.warning("the health page of %r says 200, because it cannot be judged: %r", name, error)
        found = Serving(server=name, is_serving=True, because="mailward cannot judge it now; its log says why")
    return _response(found, as_json=_wants_json(request))


READS: Routes = {"/health/{server}": health_page}


def _response(found: Serving, *, as_json: bool) -> Response:
    word = "serving" if found.is_serving else "not serving"
    line = "".join(letter if letter.isprintable() else " " for letter in found.because)
    response = one(found) if as_json else PlainTextResponse(f"{word}: {line}\n", headers={"Cache-Control": "no-store"})
    response.status_code = 200 if found.is_serving else 503
    response.headers[_BECAUSE] = line[:_HEADER_MAX].encode("ascii", errors="replace").decode("ascii")
    return response


def _wants_json(request: Request) -> bool:
    ranges = (part.partition(";") for part in request.headers.get("accept", "").split(","))
    return any(kind.strip().lower() == _JSON and rest.replace(" ", "") != "q=0" for kind, _, rest in ranges)
