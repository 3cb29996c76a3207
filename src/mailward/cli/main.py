"""
The entry: finds the command, runs it, and turns whatever goes wrong into one sentence and an exit code.

Commands are loaded when they are called, because `--help` and reads must start fast; hence their short helps stand
here.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module

import click

from mailward import __version__
from mailward.cli.connection import socket_option
from mailward.cli.exits import ExitCode, exit_code_of
from mailward.model.errors import MailwardError

#: Section, then command: module of `mailward.cli`, and short help.
COMMANDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Examine any IMAP server": {
        "check": ("check", "Examine one IMAP server, without configuration."),
    },
    "Ask a running manager": {
        "status": ("status", "Show how the manager itself is doing, and how far it goes."),
        "health": ("health", "Show the monitors, worst first."),
        "report": ("report", "Show the health sets of each server."),
        "probe": ("probe", "Run a probe now and show all it saw."),
        "items": ("items", "List probes and monitors, and explain them."),
        "copies": ("copies", "Show copies of mailbox databases [Get-MailboxDatabaseCopyStatus]."),
        "events": ("events", "Show what happened, and follow it."),
        "alerts": ("alerts", "Show what people are told now, the most urgent first."),
        "availability": ("availability", "Show how much of a month each health set was up."),
    },
    "Repairs": {
        "recoveries": ("recoveries", "Show what was done, and approve, deny or abort it."),
        "why": ("why", "Tell what was done about a server and why, down to the transcript."),
        "recommendations": ("recommendations", "Show what mailward would have done, had it been allowed to."),
        "service": ("service", "Look at the IMAP service of a server, and control it."),
        "server": (
            "server",
            "Empty a mailbox server of its active copies, let them come back, or restart a whole server.",
        ),
        "database": (
            "database",
            "Move a mailbox database to another of its copies [Move-ActiveMailboxDatabase].",
        ),
        "protocol-log": (
            "protocol_log",
            "Write down what health mailboxes and a mailbox server say to each other [Get-, Set-ImapSettings].",
        ),
        "notify": ("notify", "Try the channels, and show what went out by them."),
    },
    "Hold in place": {
        "maintenance": (
            "maintenance",
            "Announce work on a server: no action is taken there, nobody is called, load balancers send clients"
            " elsewhere.",
        ),
        "component": ("component", "Show and set component states [Get-, Set-ServerComponentState]."),
        "repairing": (
            "repairing",
            "Mark monitors as Repairing, to tell what is being mended from what is new [Set-ServerMonitor].",
        ),
        "activation": (
            "activation",
            "Keep copies of mailbox databases from becoming active [DatabaseCopyAutoActivationPolicy].",
        ),
        "pause": ("pause", "Take no action, on SERVER or, without one, anywhere."),
        "resume": ("pause", "End the pause of SERVER or, without one, that of the organization."),
        "override": (
            "override",
            "Change one property of a probe, monitor or responder for a while [Add-, Get-,"
            " Remove-ServerMonitoringOverride].",
        ),
    },
    "Set up and run": {
        "run": ("run", "Run the manager."),
        "config": ("config", "Make, check and explain the configuration."),
        "settings": ("settings", "Show what the IMAP service of a server is set to [Get-ImapSettings]."),
        "accounts": ("accounts", "Create, rotate and check health mailboxes."),
        "users": ("users", "Say who can log in to the dashboard and the API."),
        "tokens": ("tokens", "Make and revoke the tokens by which programs ask the API."),
        "store": ("store", "Back up the manager's own database."),
    },
    "Try": {
        "demo": ("demo", "Watch a small IMAP organization on this machine, break it, and see it repaired."),
        "lab": ("lab", "Start an organization to try things on, and break it."),
    },
    "Other": {
        "completion": ("completion", "Print the completion script of a shell."),
    },
}
_NAME_WIDTH = max(len(name) for section in COMMANDS.values() for name in section)


class _ReaderLeft(Exception):
    """Whoever read our output went away; a BrokenPipeError would be taken for a plain failure by click."""


class LazyCommands(click.Group):
    """A group that imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the sections."""
        del ctx
        return [name for section in COMMANDS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from its module."""
        del ctx
        for section in COMMANDS.values():
            if cmd_name in section:
                module = import_module(f"mailward.cli.{section[cmd_name][0]}")
                command: click.Command = getattr(module, cmd_name.replace("-", "_"))
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or an error that names the nearest."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.list_commands(ctx):
            from difflib import get_close_matches

            nearest = get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else "`mailward --help` lists the commands"
            raise click.UsageError(f"there is no command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderLeft from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, without loading them."""
        del ctx
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(_NAME_WIDTH), about) for name, (_, about) in section.items()])


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done or healthy, 1 refused or failed, 2 unhealthy, 3 nothing could be learned.",
)
@click.version_option(__version__, prog_name="mailward", message="%(prog)s %(version)s")
@socket_option
def cli() -> None:
    """
    Managed availability for IMAP.

    mailward watches an IMAP service the way its users meet it and says which tier is broken, and why. Start with
    `mailward check HOST` or `mailward demo`.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing that goes wrong shows a stack trace."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    given = None if arguments is None else list(arguments)
    try:
        code = cli.main(args=given, prog_name="mailward", standalone_mode=False)
        sys.stdout.flush()
    except (MailwardError, click.ClickException, KeyboardInterrupt, click.Abort, _ReaderLeft, OSError) as error:
        return _told(error)
    except Exception as error:
        if os.environ.get("MAILWARD_TRACEBACK"):
            raise
        _say(
            f"a fault of mailward itself: {type(error).__name__}: {error}\n"
            "MAILWARD_TRACEBACK=1 shows where; please report it"
        )
        return ExitCode.UNKNOWN
    return int(code or ExitCode.DONE)


def _told(error: BaseException) -> ExitCode:
    """Say what went wrong and return the exit code for it."""
    match error:
        case MailwardError():
            _say(str(error))
            return exit_code_of(error)
        case click.ClickException():
            error.show()
            return ExitCode.UNKNOWN if isinstance(error, click.UsageError) else ExitCode.FAILED
        case KeyboardInterrupt() | click.Abort():
            _say("stopped")
            return ExitCode.INTERRUPTED
        case _ReaderLeft() | BrokenPipeError():
            # What is still buffered would raise again at exit: let it go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.BROKEN_PIPE
        case OSError():
            _say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    return ExitCode.FAILED


def _say(text: str) -> None:
    first, *rest = text.split("\n")
    click.echo("\n".join((f"mailward: {first}", *(f"  {line}" for line in rest))), err=True)


if __name__ == "__main__":
    sys.exit(main())
