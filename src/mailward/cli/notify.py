"""`mailward notify`: the channels by which people are told, and what went out by them."""

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show
from mailward.cli.progress import progress
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour
from mailward.model.alerting import Notice


def fate(notice: Notice) -> str:
    """What became of a notice."""
    if notice.sent_at is not None:
        return "sent"
    if notice.gave_up_at is not None:
        return "given up"
    return "failed, waits" if notice.last_error else "waits"


def _colour(notice: Notice) -> Colour:
    if notice.sent_at is not None:
        return Colour.GOOD
    return Colour.BAD if notice.gave_up_at is not None or notice.last_error else Colour.NOTE


def _next_try(notice: Notice) -> str:
    return moment_text(notice.next_try) if notice.sent_at is None and notice.gave_up_at is None else ""


COLUMNS: tuple[Column[Notice], ...] = (
    Column(title="Id", text=lambda one: str(one.id), right=True, shed=5),
    Column(title="Created", text=lambda one: moment_text(one.created_at), shed=3),
    Column(title="Channel", text=lambda one: one.channel),
    Column(title="Status", text=fate, colour=_colour),
    Column(title="Alert", text=lambda one: one.alert.status.value, shed=4),
    Column(title="Title", text=lambda one: one.alert.title, folds=True, shed=2),
    Column(title="Error", text=lambda one: one.last_error, folds=True, shed=1),
    Column(title="Attempts", text=lambda one: str(one.attempts), list_only=True),
    Column(title="Sent", text=lambda one: moment_text(one.sent_at), list_only=True),
    Column(title="NextTry", text=_next_try, list_only=True),
    Column(title="GaveUp", text=lambda one: moment_text(one.gave_up_at), list_only=True),
    Column(title="Identity", text=lambda one: one.identity, list_only=True),
    Column(title="Text", text=lambda one: one.alert.text, list_only=True),
)
TEST_COLUMNS: tuple[Column[Notice], ...] = (
    Column(title="Channel", text=lambda one: one.channel),
    Column(title="Result", text=lambda one: "sent" if one.sent_at else "failed", colour=_colour),
    Column(title="Because", text=lambda one: one.last_error, folds=True),
)


@click.group("notify")
def notify() -> None:
    """Try the channels, and show what went out by them."""


@notify.command("test")
@click.argument("channel", required=False)
@format_option()
@socket_option
def test_(*, channel: str | None, form: Format) -> None:
    """
    Send a test alert by one channel or all, now.

    Exits with 1 when one failed.
    """
    with progress("sending"):
        tested = manager().test_channels(channel)
    show(tested, TEST_COLUMNS if form is Format.TABLE else COLUMNS, form)
    if not tested:
        click.echo("mailward: the configuration names no channel; see `mailward config explain notify`", err=True)
    if not tested or any(notice.sent_at is None for notice in tested):
        raise click.exceptions.Exit(ExitCode.FAILED)


@notify.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, the newest.")
@format_option()
@socket_option
def list_(*, limit: int, form: Format) -> None:
    """Show what was sent, what waits, and what failed and why, the newest first."""
    show(manager().notices(limit=limit), COLUMNS, form)
