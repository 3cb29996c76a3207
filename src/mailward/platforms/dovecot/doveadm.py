"""`doveadm` for one Dovecot of this machine: its words, and what its exit statuses mean."""

import json
from collections.abc import Sequence
from typing import Any

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import Finished, Runner
from mailward.platforms.dovecot.programs import program


class Doveadm:
    """Runs doveadm with the configuration of one Dovecot."""

    def __init__(self, configuration: str, runner: Runner) -> None:
        """*configuration* is its dovecot.conf; *runner* runs programs where it is."""
        self._configuration = configuration
        self._runner = runner

    def words(self, *command: str, as_json: bool = False) -> tuple[str, ...]:
        """The exact words."""
        form = ("-f", "json") if as_json else ()
        return (program("doveadm"), *form, "-c", self._configuration, *command)

    async def run(self, *command: str, seconds: float) -> Finished:
        """
        Run it to its end.

        Raises:
            TemporaryFailure: It could not be started, or did not end in time.
        """
        return await self._runner.run(self.words(*command), timeout=seconds)

    async def rows(self, *command: str, seconds: float) -> Sequence[dict[str, Any]]:
        """
        What it says, as JSON.

        Raises:
            TemporaryFailure: It could not be asked. A status of 0 is not enough: `proxy list` ends with it also when
                it saw nothing (rootless-and-2.4 §A), so whatever it complains of counts.
        """
        words = self.words(*command, as_json=True)
        finished = await self._runner.run(words, timeout=seconds)
        said = " ".join(finished.errors.split())[:300]
        if finished.status != 0 or "Error:" in finished.errors or "Fatal:" in finished.errors:
            raise TemporaryFailure(f"{' '.join(words)}: {said or f'it ended with {finished.status}'}")
        try:
            rows = json.loads(finished.output or "[]")
        except (ValueError, RecursionError) as error:
            raise TemporaryFailure(f"{' '.join(words)}: its answer cannot be read") from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise TemporaryFailure(f"{' '.join(words)}: its answer cannot be read")
        return rows
