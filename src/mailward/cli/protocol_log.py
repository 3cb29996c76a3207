"""`mailward protocol-log`: write down what health mailboxes and a mailbox server say to each other, and find it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

from mailward.cli.columns import Column
from mailward.cli.confirming import confirm, reason_option, yes_option
from mailward.cli.connection import manager, socket_option
from mailward.cli.durations import read_option
from mailward.cli.exits import ExitCode
from mailward.cli.formats import Format, format_option, show, show_one_as_json
from mailward.cli.names import complete_server, named
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour, printable, terminal
from mailward.model.durations import spoken
from mailward.model.errors import PermanentFailure
from mailward.model.protocol_log import LoggedSession, ProtocolLogStanding
from mailward.platforms.local.system_clock import SystemClock

#: How Exchange calls the logs of the service on a mailbox server.
_BACK_END = "IMAP4BE"
_rehearsal_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and do nothing."
)


def _state_text(standing: ProtocolLogStanding) -> str:
    return "on" if standing.is_on else "off" if standing.is_available else "not available"


def _state_colour(standing: ProtocolLogStanding) -> Colour | None:
    return Colour.WARN if standing.is_on or not standing.is_available else None


STANDING_COLUMNS: tuple[Column[ProtocolLogStanding], ...] = (
    Column(title="Server", text=lambda one: one.server),
    Column(title="State", text=_state_text, colour=_state_colour),
    Column(title="Users", text=lambda one: ", ".join(one.users), folds=True, shed=2),
    Column(title="Until", text=lambda one: moment_text(one.until), shed=1),
    Column(title="Directory", text=lambda one: one.directory, shortens=True, shed=1),
    Column(title="Because", text=lambda one: one.because, folds=True),
    Column(title="Since", text=lambda one: moment_text(one.since), list_only=True),
)

SESSION_COLUMNS: tuple[Column[LoggedSession], ...] = (
    Column(title="Opened", text=lambda one: moment_text(one.opened)),
    Column(title="User", text=lambda one: one.user, shortens=True, shed=2),
    Column(title="Proxy", text=lambda one: one.proxy or "", shed=1),
    Column(title="_Mbx", text=lambda one: one.mailbox_server or "unknown"),
    Column(title="Session", text=lambda one: one.session, shed=3),
    Column(title="Lines", text=lambda one: str(len(one.lines)), right=True, shed=3),
    Column(title="Because", text=lambda one: one.because, folds=True, shed=1),
    Column(title="Conversation", text=lambda one: "\n".join(line.shown for line in one.lines), list_only=True),
)


@click.group("protocol-log")
def protocol_log() -> None:
    """
    Write down what health mailboxes and a mailbox server say to each other [Get-, Set-ImapSettings].

    Only health mailboxes are logged, never people; secrets and the contents of messages are masked where they are
    shown. A log goes off by itself, also when mailward is killed meanwhile, and what was logged goes with it.
    """


@protocol_log.command("on")
@click.argument("server", callback=named, shell_complete=complete_server)
@click.option(
    "--for", "lasting", metavar="T", default="10m", show_default=True, callback=read_option, help="An hour at most."
)
@_rehearsal_option
@reason_option
@yes_option
@socket_option
def on_(*, server: str, lasting: timedelta, dry_run: bool, reason: str, yes: bool) -> None:
    """Log the health mailboxes of a mailbox server for a while; on again for longer or shorter from now."""
    client = manager()
    _switch(
        lambda rehearsal: client.protocol_log_on(server, lasting=lasting, reason=reason, dry_run=rehearsal),
        f"Log the health mailboxes of {server} for {spoken(lasting)}?",
        dry_run=dry_run,
        yes=yes,
    )


@protocol_log.command("off")
@click.argument("server", callback=named, shell_complete=complete_server)
@_rehearsal_option
@reason_option
@yes_option
@socket_option
def off_(*, server: str, dry_run: bool, reason: str, yes: bool) -> None:
    """Log nothing any more, and remove what was logged: `find` it before."""
    client = manager()
    _switch(
        lambda rehearsal: client.protocol_log_off(server, reason=reason, dry_run=rehearsal),
        f"Remove what was logged on {server}?",
        dry_run=dry_run,
        yes=yes,
    )


@protocol_log.command("where")
@click.argument("server", callback=named, shell_complete=complete_server)
@format_option(Format.LIST)
@socket_option
def where_(*, server: str, form: Format) -> None:
    """
    Show whether a mailbox server's protocol log is on, until when and where.

    Exits with 1 where it is not available, and says what to do about that.
    """
    found = manager().protocol_log(server)
    if form is Format.JSON:
        show_one_as_json(found)
    else:
        show([found], STANDING_COLUMNS, form)
    if not found.is_available:
        raise click.exceptions.Exit(ExitCode.FAILED)


@protocol_log.command("find")
@click.argument("user", callback=named)
@click.option(
    "--since", "age", metavar="T", default="1h", show_default=True, callback=read_option, help="How far back to look."
)
@format_option()
@socket_option
def find_(*, user: str, age: timedelta, form: Format) -> None:
    """
    Find the sessions of a health mailbox, and the mailbox server that served each.

    The logs of both tiers are put together. What was said is in the list and in JSON, of sessions that began while the
    protocol log was on. Exits with 1 where no session was found.
    """
    client = manager()
    rows = client.logged_sessions(user, since=SystemClock().now() - age)
    show(rows, SESSION_COLUMNS, form)
    if not rows:
        _say_nothing_found(user, age)
    elif form is Format.TABLE and any(row.process is not None for row in rows):
        click.echo("(--format list shows what was said)", err=True)


@protocol_log.command("read")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--server", metavar="NAME", default="exchange", show_default=True, help="Whose log it is.")
@format_option()
def read_(*, files: tuple[Path, ...], server: str, form: Format) -> None:
    """
    Read Exchange's own IMAP protocol logs, and show which mailbox server served each session.

    Both layouts are known, each by its `#Fields:` line. A FILE called IMAP4BE… is that of a back end, which served its
    sessions itself. Secrets and the contents of messages are masked. No manager is asked. Exits with 1 where no session
    was found.
    """
    from mailward.platforms.exchange.protocol_log import LARGEST_FILE, sessions

    rows: list[LoggedSession] = []
    for file in files:
        try:
            with file.open("rb") as opened:
                data = opened.read(LARGEST_FILE)
        except OSError as error:
            raise PermanentFailure(f"{file} cannot be read: {error.strerror}") from error
        rows.extend(sessions(server, data, is_back_end=file.name.upper().startswith(_BACK_END)))
    show(rows, SESSION_COLUMNS, form)
    if not rows:
        click.echo(f"mailward: no session stands in {', '.join(str(file) for file in files)}", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)


def _say_nothing_found(user: str, age: timedelta) -> None:
    click.echo(
        f"mailward: no log has a session of {user} within the last {spoken(age)}; what is read are the files of"
        " servers.NAME.host.log_files, and the protocol log while it is on",
        err=True,
    )
    raise click.exceptions.Exit(ExitCode.FAILED)


def _switch(order: Callable[[bool], ProtocolLogStanding], question: str, *, dry_run: bool, yes: bool) -> None:
    """Rehearse where somebody is asked or only rehearses, then do it; what is refused ends the command by itself."""
    reader = terminal()
    if dry_run or not yes:
        click.echo(printable(order(True).because))
        if dry_run:
            click.echo("(--dry-run: nothing was done)")
            return
        confirm(question, yes=yes)
    done = order(False)
    until = f" until {moment_text(done.until)}" if done.is_on else ""
    click.echo(f"{reader.paint('done', Colour.GOOD)}: {printable(done.because)}{until}", color=True)
