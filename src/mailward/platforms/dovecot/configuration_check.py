"""
Whether Dovecot would accept its configuration on disk, by doveconf (field notes §E: status 89 and the text when not).

`-x` also reads the files that settings name with "<", so a missing certificate counts; as a user who may not read the
key it is left out. One harmless setting is asked for: the rest of the output could hold passwords.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from mailward.platforms.commands import Finished, Runner
from mailward.platforms.dovecot.instances import USUAL_FILE
from mailward.platforms.dovecot.programs import program
from mailward.ports.service_control import ConfigurationCheck

_PATIENCE_S = 10.0
#: sysexits.h EX_USAGE: a doveconf without -x.
_USAGE = 64
_DENIED = "ermission denied"


class DoveconfCheck:
    """Checks one Dovecot's configuration."""

    def __init__(self, runner: Runner, config: Path | None = None) -> None:
        """
        Args:
            runner: Runs doveconf where the Dovecot is.
            config: Its dovecot.conf; None: the one its argv names with -c, or Dovecot's usual one.
        """
        self._runner = runner
        self._config = config

    async def check(self, argv: Sequence[str] = ()) -> ConfigurationCheck:
        """
        Check the configuration, touching nothing.

        Raises:
            TemporaryFailure: doveconf cannot be run, or hangs.
        """
        config = self._config or _named_in(argv)
        finished = await self._run(config, "-x")
        if wants_plain_check(finished):
            finished = await self._run(config)
        return judged(finished, str(config))

    async def _run(self, config: Path, *options: str) -> Finished:
        argv = (program("doveconf"), *options, "-c", str(config), "-h", "protocols")
        return await self._runner.run(argv, timeout=_PATIENCE_S)


def _named_in(argv: Sequence[str]) -> Path:
    return next((Path(value) for option, value in pairwise(argv) if option == "-c"), USUAL_FILE)


def wants_plain_check(finished: Finished) -> bool:
    """Whether the check with -x could not be made, and the one without it should be."""
    return finished.status == _USAGE or _DENIED in finished.errors


def judged(finished: Finished, config: str) -> ConfigurationCheck:
    """What doveconf's end means."""
    said = finished.said()
    if finished.status == 0:
        return ConfigurationCheck(is_valid=True, because=f"doveconf accepts {config}")
    if _DENIED in finished.errors:
        return ConfigurationCheck(is_valid=None, because=f"doveconf may not read all of {config}: {said}")
    return ConfigurationCheck(is_valid=False, because=f"the configuration on disk is invalid: {said}")
