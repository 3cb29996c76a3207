"""The conversation with one `mailward-host`: a request of words, one line of JSON back."""

import json
from collections.abc import Mapping
from typing import Any

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Finished, one_line
from mailward.platforms.reach.ssh import SshRunner

#: What sudo says of a machine whose own name is not in /etc/hosts, before it goes on; the program's end is not its.
_WARNING = "unable to resolve host"


class MailwardHost:
    """The `mailward-host` of one server."""

    def __init__(self, runner: SshRunner) -> None:
        """Nothing is asked yet."""
        self.runner = runner

    async def ask(self, *request: str, seconds: float, given: bytes = b"") -> Mapping[str, Any]:
        """
        Return the answer to a request, *given* being what it reads.

        Raises:
            TemporaryFailure: The host was not reached, answers nonsense, or could not find out.
            Refused: It says no.
        """
        finished = await self.runner.run(request, timeout=seconds, given=given)
        try:
            answer = json.loads(finished.output)
            is_done = answer["ok"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            said = finished.said(or_output=True)
            raise TemporaryFailure(f"{self.runner.where}: that is not mailward-host: {said}") from error
        why = words(answer.get("error")) or "it does not say why"
        if not is_done and answer.get("unknown"):
            raise TemporaryFailure(f"{self.runner.where}: {why}")
        if not is_done:
            raise Refused(f"{self.runner.where}: {why}")
        return dict(answer)

    async def run(self, *request: str, seconds: float, given: bytes = b"") -> Finished:
        """
        Have a program of the other end's table run, and return how it ended.

        Raises:
            TemporaryFailure: As `ask`.
            Refused: The other end says no, or its sudo does.
        """
        finished = self.finished(request[0], await self.ask(*request, seconds=seconds, given=given))
        if refusal := _sudos_refusal(finished):
            raise Refused(f"{self.runner.where}: {refusal}; its sudoers lacks this command")
        return finished

    def finished(self, verb: str, answer: Mapping[str, Any]) -> Finished:
        """
        How a program ended, as an answer tells it.

        Raises:
            TemporaryFailure: It does not, or not all that the program said.
        """
        if answer.get("truncated"):
            raise TemporaryFailure(f"{self.runner.where}: {verb} said more than mailward-host passes on")
        status = answer.get("status")
        if not isinstance(status, int) or isinstance(status, bool) or not -256 < status < 256:
            raise TemporaryFailure(f"{self.runner.where}: mailward-host does not say how {verb} ended")
        return Finished(status=status, output=_text(answer.get("output")), errors=_text(answer.get("errors")))


def words(value: object) -> str:
    """A text of an answer, to be told within a sentence; nothing where there is none."""
    return one_line(value) if isinstance(value, str) else ""


def _text(value: object) -> str:
    """A text of an answer as any program may read it: JSON can also spell halves of characters."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _sudos_refusal(finished: Finished) -> str | None:
    """What sudo itself said when it ran nothing: it then ends with 1 (sudo(8)), and has the last word."""
    *_, last = finished.errors.strip().splitlines() or [""]
    return one_line(last) if finished.status == 1 and last.startswith("sudo:") and _WARNING not in last else None
