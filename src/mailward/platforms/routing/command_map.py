"""A map that commands read and change: a file that is generated, or a tool of one's own."""

import re
from collections.abc import Mapping
from datetime import datetime

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.organization import RoutingMap
from mailward.platforms.commands import Finished, Runner
from mailward.platforms.routing.said import by_database, filled

LIMIT_S = 20.0
_CHANGED_BY_SOMEBODY = 1
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class CommandMap:
    """The map behind `routing.commands`."""

    can_hold = False

    def __init__(self, settings: RoutingMap, *, looking: Runner, doing: Runner) -> None:
        """
        Args:
            settings: The words of each command.
            looking: Runs `active` and `mailboxes`.
            doing: Runs `switch`, which may leave something behind, and must not be ended half-way for what it says.
        """
        self._commands = settings.commands
        self._looking = looking
        self._doing = doing

    async def active(self) -> Mapping[str, str]:
        """A line for each database."""
        finished = await self._run(self._commands["active"])
        lines = [line for line in finished.output.splitlines() if line.strip()]
        pairs = [line.split() for line in lines]
        for line, words in zip(lines, pairs, strict=True):
            if len(words) != 2:
                raise Refused(f"routing.commands.active printed {line[:100]!r} instead of a database and a server")
        return by_database((database, server) for database, server in pairs)

    async def mailboxes(self, database: str) -> tuple[str, ...]:
        """A line for each mailbox."""
        finished = await self._run(_filled(self._commands["mailboxes"], database=database))
        return tuple(line.strip() for line in finished.output.splitlines() if line.strip())

    async def switch(self, database: str, *, source: str, target: str, hold_until: datetime | None = None) -> None:  # noqa: ARG002
        """Run the command; it cannot hold logins."""
        argv = self.command(database, source=source, target=target)
        finished = await self._doing.run(argv, timeout=LIMIT_S)
        if finished.status == _CHANGED_BY_SOMEBODY:
            # a program that breaks ends with 1 as well; only the map says what came of it
            said = (await self.active()).get(database)
            if said not in (source, target):
                raise Refused(f"{database} is not on {source} any more, but on {said}; nothing was changed")
        if finished.status != 0:
            raise TemporaryFailure(f"{argv[0]} ended with {finished.status}: {finished.said()}")

    def command(self, database: str, *, source: str, target: str) -> tuple[str, ...]:
        """The words of the command."""
        return _filled(self._commands["switch"], database=database, source=source, target=target)

    async def _run(self, argv: tuple[str, ...]) -> Finished:
        finished = await self._looking.run(argv, timeout=LIMIT_S)
        if finished.status != 0:
            raise TemporaryFailure(f"{argv[0]} ended with {finished.status}: {finished.said()}")
        return finished


def _filled(words: tuple[str, ...], **names: str) -> tuple[str, ...]:
    return tuple(filled(word, _PLACEHOLDER, names) for word in words)
