"""The conversation with one `mailward-host`: a request of words, one line of JSON back."""

import json
from collections.abc import Mapping
from typing import Any

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.platforms.commands import Finished
from mailward.platforms.reach.ssh import SshRunner

_LONGEST = 300
#: What sudo says of a machine whose own name is not in /etc/hosts, before it goes on; the program's end is not its.
_WARNING = "unable to resolve host"


class MailwardHost:
    """The `mailward-host` of one server."""

    def __init__(self, runner: SshRunner) -> None:
        """Nothing is asked yet."""
        self.runner = runner

    async def ask(self, *request: str, seconds: float) -> Mapping[str, Any]:
        """
        Return the answer to a request.

        Raises:
            TemporaryFailure: The host was not reached, answers nonsense, or could not find out.
            Refused: It says no.
        """
        finished = await self.runner.run(request, timeout=seconds)
        try:
            answer = json.loads(finished.output)
            is_done = answer["ok"]
        except (ValueError, TypeError, KeyError) as error:
            said = " ".join((finished.errors or finished.output).split())[:_LONGEST] or f"status {finished.status}"
            raise TemporaryFailure(f"{self.runner.where}: that is not mailward-host: {said}") from error
        if not is_done and answer.get("unknown"):
            raise TemporaryFailure(f"{self.runner.where}: {answer.get('error')}")
        if not is_done:
            raise Refused(f"{self.runner.where}: {answer.get('error')}")
        return dict(answer)

    async def run(self, *request: str, seconds: float) -> Finished:
        """
        Have a program of the other end's table run, and return how it ended.

        Raises:
            TemporaryFailure: As `ask`.
            Refused: The other end says no, or its sudo does.
        """
        answer = await self.ask(*request, seconds=seconds)
        status, errors = answer.get("status"), str(answer.get("errors", ""))
        if not isinstance(status, int):
            raise TemporaryFailure(f"{self.runner.where}: mailward-host does not say how {request[0]} ended")
        if refusal := _sudos_refusal(status, errors):
            raise Refused(f"{self.runner.where}: {refusal}; its sudoers lacks this command")
        return Finished(status=status, output=str(answer.get("output", "")), errors=errors)

    async def doveadm(self, *request: str, seconds: float = 10.0) -> str:
        """
        Return what one of the doveadm requests prints.

        Raises:
            TemporaryFailure: As `ask`.
            Refused: As `run`.
            PermanentFailure: doveadm failed.
        """
        finished = await self.run("doveadm", *request, seconds=seconds)
        if finished.status != 0:
            said = " ".join(finished.errors.split())[:_LONGEST]
            raise PermanentFailure(f"{self.runner.where}: doveadm {' '.join(request)}: {said}")
        return finished.output


def _sudos_refusal(status: int, errors: str) -> str | None:
    """What sudo itself said when it ran nothing: it then ends with 1 (sudo(8)), and has the last word."""
    *_, last = errors.strip().splitlines() or [""]
    return last if status == 1 and last.startswith("sudo:") and _WARNING not in last else None
