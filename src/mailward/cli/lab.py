"""`mailward lab`: an organization of real Dovecots to try things on, and one catalogue of faults to break it with."""

import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailward.cli.columns import Column
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show
from mailward.cli.progress import progress
from mailward.cli.terminal import Colour
from mailward.model.errors import Refused

if TYPE_CHECKING:
    from mailward.lab.lab import Lab

Command = TypeVar("Command", bound=Callable[..., Any])
SHAPES = ("two-tier", "one-box")
_STATE_COLOURS = {"running": Colour.GOOD, "failed": Colour.BAD, "hung": Colour.BAD}


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultRow:
    """A fault as `lab faults` shows it."""

    name: str
    sentence: str
    tier: str
    server: str | None
    dependency: str | None
    remedy: str
    active: bool
    why_not: str | None
    """Why this lab cannot have it here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KindRow:
    """The faults of one kind, which strike different places."""

    kind: str
    places: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HostRow:
    """A host of a lab as `lab status` shows it."""

    name: str
    role: str
    address: str
    state: str
    because: str


FAULT_COLUMNS: tuple[Column[FaultRow], ...] = (
    Column(title="Fault", text=lambda row: row.name),
    Column(title="Active", text=lambda row: "yes" if row.active else "", colour=lambda _: Colour.BAD),
    Column(title="WhatHappens", text=lambda row: row.sentence, folds=True),
    Column(title="Tier", text=lambda row: row.tier, shed=1),
    Column(title="Server", text=lambda row: row.server or "", shed=2),
    Column(title="Dependency", text=lambda row: row.dependency or "", list_only=True),
    Column(title="Remedy", text=lambda row: row.remedy, list_only=True),
    Column(title="NotHere", text=lambda row: row.why_not or "", list_only=True),
)
KIND_COLUMNS: tuple[Column[KindRow], ...] = (
    Column(title="Fault", text=lambda row: row.kind),
    Column(title="Where", text=lambda row: " ".join(row.places)),
    Column(title="WhatHappens", text=lambda row: row.sentence, folds=True),
)
HOST_COLUMNS: tuple[Column[HostRow], ...] = (
    Column(title="Host", text=lambda row: row.name),
    Column(title="Role", text=lambda row: row.role),
    Column(title="Address", text=lambda row: row.address),
    Column(title="State", text=lambda row: row.state, colour=lambda row: _STATE_COLOURS.get(row.state, Colour.WARN)),
    Column(title="Because", text=lambda row: row.because, folds=True, shed=1),
)


def running_labs() -> tuple[Path, ...]:
    """The directories of this user's labs in the temporary directory in which anybody still lives."""
    found = Path(tempfile.gettempdir()).glob("mailward-lab-*/lab.json")
    own = sorted(path.parent for path in found if path.stat().st_uid == os.geteuid())
    return tuple(directory for directory in own if any(_answers(door) for door in directory.glob("*/control.sock")))


def _answers(door: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex(str(door)) == 0


def which_lab(given: str | None) -> Path:
    """
    Return the lab that is meant: *given*, else $MAILWARD_LAB, else the only one there is.

    Raises:
        Refused: There is none, or there are several; the text names them.
    """
    named = given or os.environ.get("MAILWARD_LAB")
    if named:
        return Path(named)
    found = running_labs()
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused("no lab is up; start one with `mailward lab up`, or `mailward demo`")
    names = "\n".join(str(path) for path in found)
    raise Refused(f"{len(found)} labs are up; say which with --directory:\n{names}")


_directory: Callable[[Command], Command] = click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(),
    help="The lab's directory; default: $MAILWARD_LAB, or the only one.",
)


@click.group("lab")
def lab() -> None:
    """Start an organization to try things on, and break it."""


@lab.command("up")
@click.option("--shape", type=click.Choice(SHAPES), default=SHAPES[0], show_default=True, help="What it consists of.")
@click.option("--directory", metavar="DIR", type=click.Path(), help="Where it lives; default: a new one in /tmp.")
def up(*, shape: str, directory: str | None) -> None:
    """
    Bring a lab up: two proxies and two replicated mailbox servers, or one box.

    It stays until `mailward lab down`. Its directory holds a configuration with which a manager watches it.
    """
    from mailward.lab.blueprint import Shape
    from mailward.lab.lab import Lab

    with progress("starting the lab"):
        started = Lab.up(Shape(shape), Path(directory) if directory else None, owned=False)
    home = started.blueprint.directory
    click.echo(f"the lab is up in {home}")
    click.echo(f"  watch it:    mailward run --config {started.configuration}")
    click.echo("  break it:    mailward lab faults; mailward lab break NAME")
    click.echo(f"  end it:      mailward lab down --directory {home}")


@lab.command("down")
@_directory
def down(*, directory: str | None) -> None:
    """End every process of a lab and remove its directory."""
    running = _attach(directory)
    with progress("ending the lab"):
        running.down()
    click.echo(f"the lab in {running.blueprint.directory} is gone")


@lab.command("status")
@_directory
@format_option()
def status(*, directory: str | None, form: Format) -> None:
    """Show the hosts of a lab, and the faults it has."""
    running = _attach(directory)
    seen = running.status()
    rows = [
        HostRow(
            name=host.name,
            role="/".join(sorted(role.value for role in host.roles)) or "access point",
            address=f"{host.address}:{running.blueprint.ports.imaps}",
            state=str(seen[host.name].get("state", "unknown")),
            because=str(seen[host.name].get("because", "")),
        )
        for host in running.blueprint.machines
    ]
    show(rows, HOST_COLUMNS, form)
    if form is Format.TABLE:
        click.echo(f"faults: {', '.join(running.active_faults) or 'none'}")


@lab.command("faults")
@click.argument("pattern", required=False, metavar="[GLOB]")
@_directory
@format_option()
def faults(*, pattern: str | None, directory: str | None, form: Format) -> None:
    """
    List the faults a lab can have: by kind, or with GLOB such as 'store-*' or '*@be1' one by one.

    The truth of a fault (tier, server, dependency, remedy) is what a verdict is compared with.
    """
    running = _attach(directory)
    rows = _fault_rows(running, pattern)
    if not rows:
        raise Refused(f"no fault matches {pattern!r}; `mailward lab faults` lists all")
    if form is not Format.TABLE or pattern is not None:
        show(rows, FAULT_COLUMNS, form)
        return
    show(_kinds(running), KIND_COLUMNS, form)
    active = running.active_faults
    click.echo(f"\nbreak the lab with `mailward lab break FAULT@WHERE`; it has now: {', '.join(active) or 'none'}")


def _complete_fault(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    try:
        return [name for name in _attach(None).faults if name.startswith(typed.lower())]
    except Refused:
        return []


@lab.command("break")
@click.argument("name", shell_complete=_complete_fault)
@_directory
def break_(*, name: str, directory: str | None) -> None:
    """Inject a fault; it has taken effect when this returns."""
    running = _attach(directory)
    with progress(f"injecting {name}"):
        fault = running.break_(name)
    click.echo(f"broken: {fault.sentence}")
    click.echo(f"heal it with `mailward lab heal {fault.name}`")


@lab.command("heal")
@click.argument("name", required=False, shell_complete=_complete_fault)
@_directory
def heal(*, name: str | None, directory: str | None) -> None:
    """Heal one fault, or all of them; users can log in again when this returns."""
    running = _attach(directory)
    with progress("healing"):
        healed = running.heal(name)
    if not healed:
        click.echo("mailward: the lab has no fault", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
    for fault in healed:
        click.echo(f"healed: {fault.name}")


def _attach(given: str | None) -> "Lab":
    from mailward.lab.lab import Lab

    return Lab.attach(which_lab(given))


def _fault_rows(running: "Lab", pattern: str | None) -> Sequence[FaultRow]:
    active = running.active_faults
    return [
        FaultRow(
            name=fault.name,
            sentence=fault.sentence,
            tier=fault.truth.tier.value,
            server=fault.truth.server,
            dependency=fault.truth.dependency.value if fault.truth.dependency else None,
            remedy=fault.truth.remedy.value,
            active=fault.name in active,
            why_not=running.why_not(fault),
        )
        for fault in running.faults.values()
        if pattern is None or fnmatchcase(fault.name.lower(), pattern.lower()) or fault.kind == pattern.lower()
    ]


def _kinds(running: "Lab") -> Sequence[KindRow]:
    places: dict[str, list[str]] = {}
    sentences: dict[str, str] = {}
    for fault in running.faults.values():
        places.setdefault(fault.kind, []).extend([f"@{fault.place}"] if fault.place else [])
        sentences.setdefault(fault.kind, fault.sentence)
    return [KindRow(kind=kind, places=tuple(places[kind]), sentence=sentences[kind]) for kind in places]
