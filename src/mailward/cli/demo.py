"""`mailward demo`: an organization, a manager that watches it, and what to try next."""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from mailward.cli.lab import SHAPES, running_labs
from mailward.cli.progress import progress
from mailward.cli.terminal import Colour, terminal
from mailward.model.errors import PermanentFailure
from mailward.model.recovery import Mode

if TYPE_CHECKING:
    from mailward.lab.lab import Lab


@click.command("demo")
@click.option("--shape", type=click.Choice(SHAPES), default=SHAPES[0], show_default=True, help="What is watched.")
@click.option(
    "--default-timings", is_flag=True, help="Probe as seldom as mailward does by default, not every few seconds."
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.ACT.value,
    show_default=True,
    help="How far mailward goes by itself.",
)
def demo(*, shape: str, default_timings: bool, mode: str) -> None:
    """
    Watch a small IMAP organization on this machine, break it, and see it repaired.

    Starts real Dovecots on addresses of their own (127.x), a manager that watches and repairs them, and shows the live
    health table. Needs no root and changes nothing else on this machine; Ctrl-C ends everything and leaves nothing
    behind.
    """
    from mailward.cli.watch import watch_health
    from mailward.lab.blueprint import Shape
    from mailward.lab.lab import Lab
    from mailward.lab.manager_process import ManagerProcess
    from mailward.lab.watch_configuration import Timings

    with _ended_by_signals(), suppress(KeyboardInterrupt):
        with progress("starting Dovecot"):
            lab = Lab.up(Shape(shape))
        try:
            page = _page_address(lab)
            file = lab.write_configuration(
                timings=Timings.DEFAULT if default_timings else Timings.SHORT, mode=mode, listen=page
            )
            manager = ManagerProcess(file, demo_lab=lab.blueprint.directory)
            try:
                with progress("starting the manager"):
                    manager.start()
                with _found_by_default(manager.client.socket) as found:
                    foot = _what_to_try(lab, page, None if found else manager.client.socket)
                    watch_health(manager.client, foot=foot, over=lambda: manager.has_ended)
                if manager.has_ended:
                    raise PermanentFailure(f"the manager ended: {manager.last_words}")
            finally:
                with progress("ending the manager"):
                    manager.stop()
        finally:
            with progress("ending Dovecot"):
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
def _found_by_default(door: Path) -> Iterator[bool]:
    """Where nobody else's manager answers, let the commands find this one without --socket while the demo lasts."""
    from mailward.client.finding import candidates

    for place in candidates(None):
        if _free(place):
            with suppress(OSError):
                place.parent.mkdir(mode=0o755, exist_ok=True)
                place.unlink(missing_ok=True)
                place.symlink_to(door)
                try:
                    yield True
                finally:
                    if place.is_symlink() and place.readlink() == door:
                        place.unlink()
                return
    yield False


def _page_address(lab: "Lab") -> str:
    """Where the dashboard listens: at the usual address, which is easy to type and to forward, or at the lab's own."""
    from mailward.lab.watch_configuration import WEB_PORT, web_address

    usual = ("127.0.0.1", WEB_PORT)
    with socket.socket() as attempt, suppress(OSError):
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        attempt.bind(usual)
        return f"{usual[0]}:{usual[1]}"
    return web_address(lab.blueprint)


def _free(place: Path) -> bool:
    """Whether nothing, or only a link that leads nowhere, stands at *place*, and no named socket overrides it."""
    return not place.exists() and "MAILWARD_SOCKET" not in os.environ


def _what_to_try(lab: "Lab", page: str, door: Path | None) -> Sequence[str]:
    command = _how_to_call_us()
    reader = terminal()
    host = lab.blueprint.mailbox_servers[0].name
    entrance = lab.blueprint.entrances[0].name
    which = "" if running_labs() == (lab.blueprint.directory,) else f" --directory {lab.blueprint.directory}"
    tries = [
        (f"{command} lab break service-failed@{host}{which}", "a mailbox server's service dies"),
        (f"{command} why {host}", "what was done about it, and why"),
        (f"{command} lab break service-hung@{host}{which}", "it hangs: restarted after a minute's patience"),
        (f"{command} lab break service-stopped@{host}{which}", "somebody stopped it: left alone, and told"),
        (f"{command} alerts --format list", "what a person is told at night"),
        (f"{command} probe IMAP/ImapCTPProbe --server {entrance}", "a user's whole path, step by step"),
        (f"{command} lab heal{which}", "all is well again"),
        (f"{command} lab faults{which}", "everything else that can break"),
    ]
    if door is not None:
        tries.insert(0, (f"export MAILWARD_SOCKET={door}", "so that the commands find this manager"))
    widest = max(len(command) for command, _ in tries)
    if reader.width is not None and widest + 46 > reader.width:
        lines = [f"  {reader.paint(command, Colour.NOTE)}" for command, _ in tries]
    else:
        lines = [f"  {reader.paint(command.ljust(widest), Colour.NOTE)}  {why}" for command, why in tries]
    return [
        f"Dashboard: {reader.paint(f'http://{page}/', Colour.STRONG)}",
        reader.paint("Try in another terminal:", Colour.STRONG),
        *lines,
    ]


def _how_to_call_us() -> str:
    """Return what to type to run this very command from another terminal."""
    here = Path(sys.argv[0]).absolute()
    if here.suffix == ".py":
        return f"{sys.executable} -m mailward.cli.main"
    found = shutil.which("mailward")
    return "mailward" if found and Path(found).resolve() == here.resolve() else str(here)
