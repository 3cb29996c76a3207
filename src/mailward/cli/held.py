"""What is held in place, on the command line: its rows, its options, and how it is given to the manager."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager
from mailward.cli.durations import read_option
from mailward.cli.exits import ExitCode
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour, printable
from mailward.model.errors import Refused
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.platforms.local.system_clock import SystemClock

Command = TypeVar("Command", bound=Callable[..., Any])
_DAY = timedelta(days=1)


def now() -> datetime:
    """The present moment; the command line runs on the manager's host."""
    return SystemClock().now()


def standing(hold: Hold) -> str:
    """Whether it is in force, scheduled or over."""
    if hold.ended_at is not None or (hold.until is not None and hold.until <= now()):
        return "over"
    return "scheduled" if hold.since > now() else "in force"


def until_text(hold: Hold) -> str:
    """When it ends."""
    return moment_text(hold.until) if hold.until is not None else "taken back"


def who(hold: Hold) -> str:
    """Who asked, and for whom."""
    return hold.owner if hold.requester is None else f"{hold.owner} for {hold.requester.value}"


def _ended_text(hold: Hold) -> str:
    return f"{moment_text(hold.ended_at)} by {hold.ended_by}" if hold.ended_at is not None else ""


def _colour(hold: Hold) -> Colour | None:
    return Colour.NOTE if standing(hold) == "in force" else Colour.FAINT


COLUMNS: tuple[Column[Hold], ...] = (
    Column(title="Id", text=lambda hold: str(hold.id), right=True),
    Column(title="Held", text=lambda hold: hold.kind.value),
    Column(title="Subject", text=lambda hold: hold.subject, shortens=True),
    Column(title="Value", text=lambda hold: hold.value, shed=3),
    Column(title="State", text=standing, colour=_colour, shed=1),
    Column(title="Since", text=lambda hold: moment_text(hold.since), shed=4),
    Column(title="Until", text=until_text, shed=2),
    Column(title="By", text=who),
    Column(title="Reason", text=lambda hold: hold.reason, folds=True, shed=5),
    Column(title="Ended", text=_ended_text, list_only=True),
)


def why_option(command: Command) -> Command:
    """Add `--reason`, which must be given."""
    option: Callable[[Command], Command] = click.option(
        "--reason", metavar="TEXT", required=True, help="Why, for whoever finds it later."
    )
    return option(command)


def end_options(command: Command) -> Command:
    """Add `--for` and `--until`."""
    for option in (
        click.option(
            "--until",
            metavar="WHEN",
            callback=_read_moment,
            help="When it ends by itself: 22:30, '2026-11-30 22:30' (your time zone), or 2026-11-30T22:30:00Z.",
        ),
        click.option(
            "--for",
            "lasts",
            metavar="DURATION",
            callback=read_option,
            help="How long it lasts before it ends by itself, such as 30m, 2h or 1d12h.",
        ),
    ):
        command = option(command)
    return command


def at_option(command: Command) -> Command:
    """Add `--at`."""
    option: Callable[[Command], Command] = click.option(
        "--at", metavar="WHEN", callback=_read_moment, help="When it begins by itself, written as for --until."
    )
    return option(command)


def rehearsal_option(command: Command) -> Command:
    """Add `--dry-run`."""
    option: Callable[[Command], Command] = click.option(
        "--dry-run", is_flag=True, help="Say what would change, and change nothing."
    )
    return option(command)


def a_hold(
    kind: HoldKind,
    subject: str,
    *,
    reason: str,
    value: str = "on",
    at: datetime | None = None,
    lasts: timedelta | None = None,
    until: datetime | None = None,
    requester: Requester | None = None,
    data: dict[str, object] | None = None,
) -> Hold:
    """
    Return what the options describe.

    Raises:
        click.UsageError: Both `--for` and `--until` were given, or it would end before it begins.
    """
    if lasts is not None and until is not None:
        raise click.UsageError("give --for or --until, not both")
    since = at or now()
    end = until if lasts is None else since + lasts
    if end is not None and end <= since:
        raise click.UsageError("it would end before it begins")
    if not reason.strip():
        raise click.UsageError("--reason is empty: whoever finds it later must know why")
    return Hold(
        kind=kind,
        subject=subject,
        value=value,
        owner="",  # the manager knows who is at this end of the socket
        reason=reason,
        since=since,
        until=end,
        requester=requester,
        data=data or {},
    )


def put_in_place(hold: Hold, *, dry_run: bool) -> Hold | None:
    """Give a hold to the manager and say what came of it; None when it was only rehearsed."""
    from mailward.health.hold_words import what_is_held
    from mailward.monitors.checking_holds import concerns

    asks = manager()
    if dry_run:
        same = [old for old in asks.holds(subject=hold.subject) if _is_replaced(hold, old)]
        begins = f" from {moment_text(hold.since)}" if hold.since > now() else ""
        click.echo(f"(--dry-run: would say that {printable(what_is_held(hold))}{begins} {_end(hold)})")
        for old in same:
            click.echo(f"(--dry-run: would end hold {old.id} by {printable(old.owner)}: {printable(old.reason)})")
        return None
    kept = asks.hold(hold)
    if kept.ended_at is None:
        begins = f" from {moment_text(kept.since)}" if kept.since > now() else ""
        click.echo(f"{printable(what_is_held(kept))}{begins} {_end(kept)} (hold {kept.id})")
        for concern in concerns(kept):
            click.echo(f"mailward: {concern}", err=True)
    return kept


def _end(hold: Hold) -> str:
    """How long it lasts, in the reader's own time zone."""
    return f"until {moment_text(hold.until)}" if hold.until is not None else "until it is taken back"


def take_back(holds: Sequence[Hold], *, dry_run: bool, nothing: str) -> None:
    """
    End holds and say so; what has ended meanwhile is no failure.

    Args:
        holds: Which.
        dry_run: Whether only to say it.
        nothing: What to say when there are none: the command then exits with 1.
    """
    from mailward.health.hold_words import what_is_held

    if not holds:
        click.echo(f"mailward: {nothing}", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
    for hold in holds:
        said = f"{printable(what_is_held(hold))} (hold {hold.id}, by {printable(who(hold))}: {printable(hold.reason)})"
        if dry_run:
            click.echo(f"(--dry-run: would end: {said})")
            continue
        try:
            manager().release(hold.id)
        except Refused as refusal:
            if any(left.id == hold.id for left in manager().holds(subject=hold.subject)):
                raise
            click.echo(f"mailward: {refusal}", err=True)
            continue
        click.echo(f"ended: {said}")


def known_server(name: str) -> str:
    """
    The name of a server as the manager spells it.

    Raises:
        NotFound: It knows none of that name.
        Refused: The name is empty, which the manager would take for every server.
    """
    if not name.strip():
        raise Refused("the name of a server is missing")
    rows = manager().report(server=name)
    return rows[0].server if rows else name


def _is_replaced(new: Hold, old: Hold) -> bool:
    """Whether the manager would end *old*, which it spells in its own way."""
    from mailward.ports.holds import replaces

    is_same = new.subject.lower() == old.subject.lower()
    return is_same and replaces(replace(new, subject=old.subject), old, now=now())


def _read_moment(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """
    Read a moment: a time of day (the next such), a local date and time, or RFC 3339.

    Raises:
        click.BadParameter: It is none; the text says how to write one.
    """
    if value is None:
        return None
    present = now().astimezone()
    try:
        if "T" not in value and "-" not in value:
            clock = datetime.strptime(value, "%H:%M")  # noqa: DTZ007 - only the time of day is taken from it
            moment = present.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
            return moment if moment > present else moment + _DAY
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is no moment; write 22:30, '2026-11-30 22:30' or 2026-11-30T22:30:00Z"
        ) from error
    return read.astimezone()
