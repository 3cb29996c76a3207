"""A person's yes or no to a recovery, whichever way it comes: as JSON from a program, as a form from a page."""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from mailward.model.recovery import Operation
from mailward.ports.manager import Manager
from mailward.web.parameters import Parameters
from mailward.web.requests import actor, number_in_path
from mailward.web.routes import Deed, Routes

_log = logging.getLogger("mailward.web")

Read = Callable[[Request], Awaitable[Parameters]]
Answer = Callable[[str, Operation], Response]
"""What was done ("approved"), and the operation as it stands now."""


def decisions(above: str, *, read: Read, answer: Answer) -> Routes:
    """
    The routes by which recoveries are approved, denied and aborted.

    Args:
        above: The path the recoveries stand below.
        read: Gives what was sent; `reason` is all there can be.
        answer: Makes the response.
    """

    def deed(word: str, done: str) -> Deed:
        async def decide(manager: Manager, request: Request) -> Response:
            given = await read(request)
            reason = given.text("reason") or ""
            given.finish()
            number, who = number_in_path(request, "recovery"), actor(request)
            say = {"approve": manager.approve, "deny": manager.deny, "abort": manager.abort}[word]
            operation = await say(number, actor=who, reason=reason)
            _log.info("recovery %d of %s %s by %s", operation.id, operation.target, done, who)
            return answer(done, operation)

        return decide

    words = {"approve": "approved", "deny": "denied", "abort": "aborted"}
    return {f"{above}/{{id}}/{word}": deed(word, done) for word, done in words.items()}
