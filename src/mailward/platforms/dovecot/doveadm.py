"""
`doveadm` for one Dovecot, here or behind ssh: what can be asked of it, its words, and what its answers mean.

The words, their limits and what a mailbox may be called stand in one table, that of `mailward-host`: what is run on
this machine is what is run on another.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any, Protocol

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Feeder, Finished, one_line
from mailward.platforms.dovecot.programs import program
from mailward.platforms.reach.mailward_host import VERBS, Host, Verb, runs_of, synchronise_with, wrong_with

SYNC = "sync"


class Doveadm(Protocol):
    """Runs doveadm with the configuration of one Dovecot."""

    def words(self, *request: str) -> tuple[str, ...]:
        """The exact words of a request, such as ("proxy", "kick") or ("sync", "tcp:192.0.2.7:12345")."""
        ...

    async def run(self, *request: str, mailboxes: Sequence[str] = ()) -> Finished:
        """
        Run it to its end, for these mailboxes where it is about mailboxes.

        Raises:
            TemporaryFailure: It could not be started, or did not end in time; its host was not reached.
            Refused: A mailbox has a name that would mean something else, or its host says no. Nothing was run.
        """
        ...


class LocalDoveadm:
    """doveadm on this machine."""

    def __init__(self, configuration: str, runner: Feeder, *, clock: Callable[[], float] = monotonic) -> None:
        """
        Args:
            configuration: The Dovecot's dovecot.conf.
            runner: Runs doveadm.
            clock: Seconds that pass.
        """
        self._host = Host(unit="", config=configuration)
        self._runner = runner
        self._clock = clock

    def words(self, *request: str) -> tuple[str, ...]:
        """The argv, NAMES or NAME standing for mailboxes where those are not read."""
        return _here(tuple(self._host.config if word == "CONFIG" else word for word in verb_of(request).argv))

    async def run(self, *request: str, mailboxes: Sequence[str] = ()) -> Finished:
        """
        Run it, one program after the other where each mailbox needs its own; the first that fails is the last.

        Raises:
            TemporaryFailure: It could not be started, or did not end in time; where no time is left, none is started.
            Refused: A mailbox has a name that would mean something else; nothing was run.
        """
        verb = verb_of(request)
        require_plain(mailboxes)
        seconds = verb.seconds_for(mailboxes)
        deadline = self._clock() + seconds
        finished = Finished(status=0, output="", errors="")
        for argv, given, mailbox in runs_of(verb, self._host, mailboxes):
            left = deadline - self._clock()
            if left <= 0:
                raise TemporaryFailure(f"{mailbox}: its turn did not come within {seconds:g} s")
            finished = await self._runner.run(_here(argv), timeout=left, given=given)
            if finished.status != 0:
                errors = f"{mailbox}: {finished.said()}" if mailbox else finished.errors
                return Finished(status=finished.status, output=finished.output, errors=errors)
        return finished


def verb_of(request: Sequence[str]) -> Verb:
    """The line of the table for a request."""
    if request[0] == SYNC:
        return synchronise_with(request[1])
    return VERBS[" ".join(("doveadm", *request))]


def require_plain(mailboxes: Sequence[str]) -> None:
    """
    Let names through that mean one mailbox and nothing else.

    Raises:
        Refused: One could be an option, a mask (which means others as well) or several lines.
    """
    for mailbox in mailboxes:
        if wrong := wrong_with(mailbox):
            raise Refused(f"the mailbox name {mailbox[:40]!a} {wrong}")


def complaint(finished: Finished) -> str | None:
    """
    What went wrong, or None.

    A status of 0 is not enough: `proxy list` and `auth cache flush` end with it also when nobody could be asked
    (rootless-and-2.4 §A; measured with 2.3.19 and a proxy that does not run), so whatever they complain of counts.
    """
    if finished.status != 0 or "Error:" in finished.errors or "Fatal:" in finished.errors:
        return finished.said()
    return None


def rows_of(finished: Finished, words: Sequence[str]) -> Sequence[dict[str, Any]]:
    """
    What *words* said, as JSON.

    Raises:
        TemporaryFailure: It could not be asked, or its answer cannot be read.
    """
    asked = one_line(" ".join(words))
    if (why := complaint(finished)) is not None:
        raise TemporaryFailure(f"{asked}: {why}")
    try:
        rows = json.loads(finished.output or "[]")
    except (ValueError, RecursionError) as error:
        raise TemporaryFailure(f"{asked}: its answer cannot be read") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TemporaryFailure(f"{asked}: its answer cannot be read")
    return rows


def in_parts(mailboxes: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """As many as one request takes, again and again."""
    for begin in range(0, len(mailboxes), most):
        yield mailboxes[begin : begin + most]


def _here(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The program is where it is on this machine."""
    return (program("doveadm"), *argv[1:])
