"""What a route is: a path, and the deed that turns a request into an answer of the Manager port."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from mailward.ports.manager import Manager

Deed = Callable[[Manager, Request], Awaitable[Response]]
Routes = Mapping[str, Deed]
"""Path -> deed; every route of one mapping needs the same right."""
