"""`mailward recoveries`: what is and was done, and a person's yes and no."""

import click

from mailward.cli.columns import list_lines
from mailward.cli.confirming import reason_option
from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_lines, show_one_as_json
from mailward.cli.names import complete_server, named
from mailward.cli.probe import COLUMNS as RESULT_COLUMNS
from mailward.cli.recovery_words import ANSWER_COLUMNS, OPERATION_COLUMNS, STEP_COLUMNS
from mailward.cli.story import story_lines
from mailward.cli.terminal import terminal
from mailward.model.recovery import Operation, OperationStatus
from mailward.ports.manager import RecoveryStory

UNFINISHED = tuple(status for status in OperationStatus if not status.is_over)


class ListedGroup(click.Group):
    """A group that lists when no subcommand is named: `mailward recoveries --unfinished`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` before options that stand alone."""
        if not args or (args[0].startswith("-") and not set(args) & set(ctx.help_option_names)):
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand; a number alone is what one wants to see."""
        if args and args[0].isdigit():
            raise click.UsageError(f"there is no command {args[0]!r}; `{ctx.command_path} show {args[0]}`?", ctx)
        return super().resolve_command(ctx, args)


@click.group("recoveries", cls=ListedGroup)
def recoveries() -> None:
    """
    Show what was done, and approve, deny or abort it.

    Without a subcommand it lists.
    """


@recoveries.command("list")
@click.option(
    "--server", metavar="S", callback=named, shell_complete=complete_server, help="Only those of this server."
)
@click.option("--unfinished", is_flag=True, help="Only those that are not over.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, the newest.")
@format_option()
@socket_option
def list_(*, server: str | None, unfinished: bool, limit: int, form: Format) -> None:
    """List recoveries, the newest first."""
    found = manager().recoveries(server=server, unfinished=unfinished, limit=limit)
    show(found, OPERATION_COLUMNS, form)
    if not found and (server or unfinished):
        which = "no unfinished recovery" if unfinished else "no recovery"
        click.echo(f"mailward: {which}{f' of {server}' if server else ''}", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
    if not found:
        click.echo("mailward: no recovery so far", err=True)


@recoveries.command("show")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@click.option("-v", "--verbose", is_flag=True, help="Every gate's reason, every step's evidence, every transcript.")
@format_option()
@socket_option
def show_(*, number: int, verbose: bool, form: Format) -> None:
    """Tell the story of one recovery, down to the transcript."""
    story = manager().recovery(number)
    match form:
        case Format.JSON:
            show_one_as_json(story)
        case Format.LIST:
            show_in_full(story)
        case Format.TABLE:
            show_lines(story_lines(story, terminal(), verbose=verbose))


def show_in_full(story: RecoveryStory) -> None:
    """Print every field of a story."""
    reader = terminal()
    parts = (
        list_lines([story.operation], OPERATION_COLUMNS, reader),
        list_lines(story.steps, STEP_COLUMNS, reader),
        list_lines(story.answers, ANSWER_COLUMNS, reader),
        list_lines(story.transcripts, RESULT_COLUMNS, reader),
    )
    filled = [lines for part in parts if (lines := list(part))]
    show_lines(line for number, lines in enumerate(filled) for line in (*([""] if number else []), *lines))


@recoveries.command("approve")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@reason_option
@click.option("--dry-run", is_flag=True, help="Say what would be allowed, and allow nothing.")
@socket_option
def approve_(*, number: int, reason: str, dry_run: bool) -> None:
    """
    Say yes to the step a recovery waits with.

    The target is probed again before anything is done: what healed by itself is left alone.
    """
    if dry_run:
        _rehearse(number, "approve", (OperationStatus.AWAITING_APPROVAL,))
        return
    _tell(manager().approve(number, reason=reason))


@recoveries.command("deny")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@reason_option
@click.option("--dry-run", is_flag=True, help="Say what would be denied, and deny nothing.")
@socket_option
def deny_(*, number: int, reason: str, dry_run: bool) -> None:
    """Say no to what a recovery wants to do, which ends it."""
    if dry_run:
        _rehearse(number, "deny", UNFINISHED)
        return
    _tell(manager().deny(number, reason=reason))


@recoveries.command("abort")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@reason_option
@click.option("--dry-run", is_flag=True, help="Say what would be ended, and end nothing.")
@socket_option
def abort_(*, number: int, reason: str, dry_run: bool) -> None:
    """
    End a recovery before its next step.

    A deed that is under way is not called back; its outcome is recorded.
    """
    if dry_run:
        _rehearse(number, "abort", UNFINISHED)
        return
    _tell(manager().abort(number, reason=reason))


def _rehearse(number: int, word: str, possible: tuple[OperationStatus, ...]) -> None:
    """Show the recovery as it stands, and whether *word* could be said to it."""
    story = manager().recovery(number)
    show_lines(story_lines(story, terminal()))
    status = story.operation.status
    can = status in possible
    click.echo(f"\n(--dry-run: nothing was changed; `{word}` {'is possible' if can else f'is not: {status.value}'})")
    if not can:
        raise click.exceptions.Exit(ExitCode.FAILED)


def _tell(operation: Operation) -> None:
    click.echo(f"recovery {operation.id} of {operation.target}: {operation.status.value}; {operation.because}")
