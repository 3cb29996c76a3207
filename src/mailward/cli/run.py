"""`mailward run`: the manager, in the foreground, as a service manager wants it."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailward.cli.logs import LogLevel, log_to_stderr

if TYPE_CHECKING:
    from mailward.ports.faults import Faults


@click.command("run")
@click.option(
    "--config",
    "config",
    metavar="PATH",
    type=click.Path(),
    help="Default: $MAILWARD_CONFIG, ~/.config/mailward/mailward.toml, /etc/mailward/mailward.toml.",
)
@click.option("--socket", metavar="PATH", type=click.Path(), help="Where the API is served; default: as configured.")
@click.option("--state-directory", metavar="DIR", type=click.Path(), help="Where it remembers; default: as configured.")
@click.option(
    "--log-level", type=click.Choice([level.value for level in LogLevel]), help="Default: as configured, else info."
)
@click.option("--demo-lab", metavar="DIR", type=click.Path(), hidden=True, help="The lab that is watched: the demo.")
@click.option("--until-stdin-closes", is_flag=True, hidden=True, help="End when whoever started us is gone.")
def run(
    *,
    config: str | None,
    socket: str | None,
    state_directory: str | None,
    log_level: str | None,
    demo_lab: str | None,
    until_stdin_closes: bool,
) -> None:
    """
    Run the manager.

    Until SIGTERM or Ctrl-C it watches the organization that the configuration describes, and answers `mailward health`
    and the other commands on its socket. SIGHUP reads the configuration again; a wrong one is refused and the old one
    stays in force.
    """
    from mailward.app import run_manager
    from mailward.config.load import FileSettings, manager_settings
    from mailward.config.locate import configuration_path

    path = configuration_path(config, os.environ)
    settings = manager_settings(path)
    where = Path(state_directory).absolute() if state_directory else settings.state_directory
    door = _door(settings.socket, socket, state_directory)
    log_to_stderr(LogLevel(log_level or settings.log_level))

    def ready() -> None:
        click.echo(f"mailward watches {path}; ask it with `mailward --socket {door} health`", err=True)

    if until_stdin_closes:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    asyncio.run(
        run_manager(
            FileSettings(path),
            state_directory=where,
            socket=door,
            web=settings.web,
            faults=_faults(demo_lab),
            on_ready=ready,
        )
    )


def _door(configured: Path, socket: str | None, state_directory: str | None) -> Path:
    """Where the API is served: as said, else beside the state that was said, else as configured."""
    if socket is not None:
        return Path(socket).absolute()
    return Path(state_directory).absolute() / configured.name if state_directory else configured


def _faults(demo_lab: str | None) -> "Faults | None":
    """What the dashboard can break: the lab of the demo."""
    if demo_lab is None:
        return None
    from mailward.lab.breaking import LabFaults

    return LabFaults(Path(demo_lab))


def _end_with_stdin() -> None:
    # Unbuffered: a thread that holds the buffer's lock would abort the interpreter when it ends.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
