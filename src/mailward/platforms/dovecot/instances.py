"""
The Dovecots that run on this machine, and the configuration of each.

A master is found in /proc by its command line, which everybody may read; where that is hidden, by Dovecot's own list
of instances, whose base directories hold a link to the configuration file.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from mailward.model.errors import TemporaryFailure
from mailward.platforms.commands import Runner
from mailward.platforms.dovecot.doveconf import Doveconf, parse

#: Where Debian, Red Hat, the BSDs and Dovecot's own packages put it.
USUAL_FILE = Path("/etc/dovecot/dovecot.conf")
_PATIENCE_S = 10.0


async def running(runner: Runner, *, proc: Path = Path("/proc")) -> tuple[Path, ...]:
    """The configuration files of the Dovecots that run here, each once; without any, none."""
    found = [*_masters(proc), *await _listed(runner)]
    return tuple(dict.fromkeys(file.resolve() for file in found))


async def read_configuration(runner: Runner, file: Path) -> Doveconf:
    """
    Read a whole configuration, defaults included, as Dovecot itself understands it.

    Raises:
        TemporaryFailure: doveconf is missing, hangs, or refuses the file; the text holds its words and what to do.
    """
    finished = await runner.run(("doveconf", "-a", "-c", str(file)), timeout=_PATIENCE_S)
    if finished.status:
        advice = "; run it as root or as the user of this Dovecot" if "ermission denied" in finished.errors else ""
        raise TemporaryFailure(f"doveconf cannot read {file}: {finished.said()}{advice}")
    try:
        return parse(finished.output)
    except ValueError as error:
        raise TemporaryFailure(f"what doveconf prints about {file} is not understood: {error}") from error


def _masters(proc: Path) -> Iterator[Path]:
    for process in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)):
        with suppress(OSError):
            argv = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            # its children call themselves "dovecot/imap-login"
            if Path(argv[0]).name != "dovecot" or argv[0].startswith("dovecot/"):
                continue
            file = _configuration(argv)
            yield file if file.is_absolute() else (process / "cwd").readlink() / file


def _configuration(argv: list[str]) -> Path:
    for option, value in pairwise(argv):
        if option == "-c" and value:
            return Path(value)
    return USUAL_FILE


async def _listed(runner: Runner) -> list[Path]:
    """By `doveadm instance list`: path, name, last used, running. It is a second source: silence is no fault."""
    try:
        finished = await runner.run(("doveadm", "-f", "tab", "instance", "list"), timeout=_PATIENCE_S)
    except TemporaryFailure:
        return []
    rows = (line.split("\t") for line in finished.output.splitlines()[1:])
    return [Path(row[0]) / "dovecot.conf" for row in rows if row[-1] == "yes" and Path(row[0]).is_absolute()]
