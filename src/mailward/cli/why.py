"""`mailward why`: why a server, or a recovery, is as it is: what was done, what was refused, down to the transcript."""

import click

from mailward.cli.connection import manager, socket_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show_json, show_lines
from mailward.cli.names import complete_server, named
from mailward.cli.recoveries import show_in_full
from mailward.cli.story import story_lines
from mailward.cli.terminal import Colour, terminal
from mailward.model.wire import listing


@click.command("why")
@click.argument("subject", metavar="SERVER|ID", callback=named, shell_complete=complete_server)
@click.option("-v", "--verbose", is_flag=True, help="Every gate's reason, every step's evidence, every transcript.")
@format_option()
@socket_option
def why(*, subject: str, verbose: bool, form: Format) -> None:
    """
    Tell what was done about a server and why, down to the transcript.

    For a server its last few recoveries, the newest last; for a number that one.
    """
    stories = sorted(manager().why(subject), key=lambda story: story.operation.id)
    if form is Format.JSON:
        show_json(listing(stories))
    reader = terminal()
    for number, story in enumerate(stories):
        if number and form is not Format.JSON:
            show_lines(["", reader.paint("─" * min(reader.width or 40, 40), Colour.FAINT), ""])
        if form is Format.LIST:
            show_in_full(story)
        elif form is Format.TABLE:
            show_lines(story_lines(story, reader, verbose=verbose))
    if not stories:
        click.echo(
            f"mailward: nothing was done about {subject}, and nothing refused;"
            f" `mailward health {subject}` shows how it is",
            err=True,
        )
        raise click.exceptions.Exit(ExitCode.FAILED)
