"""`mailward tokens`: what programs show to be let in to the API over TCP."""

from datetime import datetime, timedelta

import click

from mailward.cli.columns import Column
from mailward.cli.connection import credentials, socket_option
from mailward.cli.durations import read_option
from mailward.cli.formats import Format, format_option, show, show_one_as_json
from mailward.cli.held import now
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour, printable
from mailward.cli.users import role_colour, role_option
from mailward.model.credentials import AccessToken, Role


def _expires(token: AccessToken) -> str:
    if token.expires_at is None:
        return "never"
    return f"{moment_text(token.expires_at)}{' (expired)' if token.is_expired(now()) else ''}"


def _colour(token: AccessToken) -> Colour | None:
    return Colour.FAINT if token.is_expired(now()) else None


def _last_used(moment: datetime | None) -> str:
    return moment_text(moment) if moment else "never"


_COLUMNS: tuple[Column[AccessToken], ...] = (
    Column(title="Name", text=lambda token: token.name),
    Column(title="Role", text=lambda token: token.role.value, colour=lambda token: role_colour(token.role)),
    Column(title="Expires", text=_expires, colour=_colour),
    Column(title="Last used", text=lambda token: _last_used(token.last_used_at)),
    Column(title="Added", text=lambda token: moment_text(token.created_at), shed=1),
    Column(title="By", text=lambda token: token.created_by, shed=2),
)


@click.group("tokens")
def tokens() -> None:
    """
    Make and revoke the tokens by which programs ask the API.

    A program sends its token over TCP as `Authorization: Bearer TOKEN`. With the first token or user everybody has to
    show one, or log in, at once.
    """


@tokens.command("add")
@click.argument("name")
@role_option
@click.option(
    "--expires",
    "lasting",
    metavar="DURATION",
    callback=read_option,
    help="After how long it lets nobody in any more, such as 90d. Default: never.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as the API gives it.")
@socket_option
def add(*, name: str, role: Role, lasting: timedelta | None, as_json: bool) -> None:
    """
    Make a token called NAME and print it, this once.

    Standard output holds the token and nothing else, so that it can go straight into a file.
    """
    if lasting is not None and not lasting:
        raise click.UsageError("--expires: it would end before it begins")
    issued = credentials().add_token(name, role, lasting=lasting)
    if as_json:
        show_one_as_json(issued)
        return
    click.echo(issued.secret)
    click.echo(
        f"mailward: that is the {role.value} token {printable(issued.token.name)}, which expires:"
        f" {_expires(issued.token)}. It is not shown again",
        err=True,
    )


@tokens.command("list")
@format_option()
@socket_option
def list_tokens(*, form: Format) -> None:
    """Show the tokens there are; what they are recognised by is kept as a hash alone."""
    found = credentials().tokens()
    show(found, _COLUMNS, form)
    if not found and form is not Format.JSON:
        click.echo("mailward: there are no tokens; `mailward tokens add NAME` makes one", err=True)


@tokens.command("revoke")
@click.argument("name")
@socket_option
def revoke(*, name: str) -> None:
    """Let the token NAME let nobody in any more, at once."""
    gone = credentials().revoke_token(name)
    click.echo(f"the token {printable(gone.name)} is revoked")
