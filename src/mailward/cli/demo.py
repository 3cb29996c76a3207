"""`mailward demo`: an organization, a manager that watches it, and what to try next."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING

import click

from mailward.cli.lab import SHAPES
from mailward.cli.progress import progress
from mailward.cli.terminal import Colour, terminal
from mailward.model.errors import PermanentFailure, TemporaryFailure

if TYPE_CHECKING:
    from mailward.client.manager import ManagerClient
    from mailward.lab.lab import Lab

_START_SECONDS = 20.0
_STOP_SECONDS = 6.0


@click.command("demo")
@click.option("--shape", type=click.Choice(SHAPES), default=SHAPES[0], show_default=True, help="What is watched.")
def demo(*, shape: str) -> None:
    """
    Watch a small IMAP organization on this machine, and break it.

    Starts real Dovecots on addresses of their own (127.x), a manager that watches them, and shows the live health
    table. Needs no root and changes nothing else on this machine; Ctrl-C ends everything and leaves nothing behind.
    """
    from mailward.cli.watch import watch_health
    from mailward.lab.blueprint import Shape
    from mailward.lab.lab import Lab

    with _ended_by_signals(), suppress(KeyboardInterrupt):
        with progress("starting Dovecot"):
            lab = Lab.up(Shape(shape))
        try:
            log = lab.configuration.parent / "manager.log"
            with _manager(lab.configuration, log) as process:
                with progress("starting the manager"):
                    client = _await_answer(process, lab.configuration.parent / "state" / "api.sock", log)
                with _found_by_default(client.socket) as found:
                    foot = _what_to_try(lab, None if found else client.socket)
                    watch_health(client, foot=foot, over=lambda: process.poll() is not None)
                    if process.poll() is not None:
                        raise PermanentFailure(f"the manager ended: {_last_words(log)}")
        finally:
            with progress("ending the demo"):
                lab.down()
    click.echo("the demo is over; nothing is left of it")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End the way Ctrl-C does when the terminal is closed or somebody sends SIGTERM: cleaning up."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _manager(configuration: Path, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a manager as a child; its standard input is ours, so that it ends with us however we end."""
    command = [sys.executable, "-m", "mailward.cli.main", "run", "--config", str(configuration), "--until-stdin-closes"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


def _await_answer(process: "subprocess.Popen[bytes]", socket: Path, log: Path) -> "ManagerClient":
    from mailward.client.manager import ManagerClient

    client = ManagerClient(socket)
    deadline = monotonic() + _START_SECONDS
    while True:
        with suppress(TemporaryFailure):
            client.status()
            return client
        if process.poll() is not None:
            raise PermanentFailure(f"the manager did not start: {_last_words(log)}")
        if monotonic() > deadline:
            raise PermanentFailure(f"the manager did not answer within {_START_SECONDS:.0f} s: {_last_words(log)}")
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


@contextmanager
def _found_by_default(socket: Path) -> Iterator[bool]:
    """Where nobody else's manager answers, let the commands find this one without --socket while the demo lasts."""
    from mailward.client.finding import candidates

    for place in candidates(None):
        if _free(place):
            with suppress(OSError):
                place.parent.mkdir(mode=0o755, exist_ok=True)
                place.unlink(missing_ok=True)
                place.symlink_to(socket)
                try:
                    yield True
                finally:
                    if place.is_symlink() and place.readlink() == socket:
                        place.unlink()
                return
    yield False


def _free(place: Path) -> bool:
    """Whether nothing, or only a link that leads nowhere, stands at *place*, and no named socket overrides it."""
    return not place.exists() and "MAILWARD_SOCKET" not in os.environ


def _what_to_try(lab: "Lab", socket: Path | None) -> Sequence[str]:
    command = _how_to_call_us()
    reader = terminal()
    host = lab.blueprint.mailbox_servers[0].name
    entrance = lab.blueprint.entrances[0].name
    tries = [
        (f"{command} lab break service-failed@{host}", "a mailbox server dies: watch this table"),
        (f"{command} events", "what happened, and why"),
        (f"{command} probe IMAP/ImapCTPProbe --server {entrance}", "a user's whole path, step by step"),
        (f"{command} lab heal", "all is well again"),
        (f"{command} lab faults", "everything else that can break"),
    ]
    if socket is not None:
        tries.insert(0, (f"export MAILWARD_SOCKET={socket}", "so that the commands find this manager"))
    widest = max(len(command) for command, _ in tries)
    if reader.width is not None and widest + 46 > reader.width:
        lines = [f"  {reader.paint(command, Colour.NOTE)}" for command, _ in tries]
    else:
        lines = [f"  {reader.paint(command.ljust(widest), Colour.NOTE)}  {why}" for command, why in tries]
    return [reader.paint("Try in another terminal:", Colour.STRONG), *lines]


def _how_to_call_us() -> str:
    """Return what to type to run this very command from another terminal."""
    here = Path(sys.argv[0]).absolute()
    found = shutil.which("mailward")
    return "mailward" if found and Path(found).resolve() == here.resolve() else str(here)


def _last_words(log: Path) -> str:
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        if lines:
            return "\n".join(lines[-5:])
    return "it said nothing"
