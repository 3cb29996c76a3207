"""`mailward users`: who can log in to the dashboard, and to the API over TCP."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mailward.cli.columns import Column
from mailward.cli.connection import credentials, socket_option
from mailward.cli.formats import Format, format_option, show
from mailward.cli.states import moment_text
from mailward.cli.terminal import Colour, printable
from mailward.model.credentials import Role, User
from mailward.model.errors import Refused

Command = TypeVar("Command", bound=Callable[..., Any])
_PASSWORD_BYTES_MAX = 4096

_COLUMNS: tuple[Column[User], ...] = (
    Column(title="Name", text=lambda user: user.name),
    Column(title="Role", text=lambda user: user.role.value, colour=lambda user: role_colour(user.role)),
    Column(title="Last login", text=lambda user: moment_text(user.last_login_at) if user.last_login_at else "never"),
    Column(title="Added", text=lambda user: moment_text(user.created_at), shed=1),
    Column(title="By", text=lambda user: user.created_by, shed=2),
)


def role_colour(role: Role) -> Colour | None:
    """Operators stand out."""
    return Colour.NOTE if role is Role.OPERATOR else None


def role_option(command: Command) -> Command:
    """Add `--role`, read as a Role."""
    option: Callable[[Command], Command] = click.option(
        "--role",
        type=click.Choice([role.value for role in Role]),
        default=Role.VIEWER.value,
        show_default=True,
        callback=lambda _context, _option, value: Role(value),
        help="A viewer looks, an operator also changes things.",
    )
    return option(command)


def _password_option(command: Command) -> Command:
    option: Callable[[Command], Command] = click.option(
        "--password-file",
        metavar="FILE",
        type=click.Path(),
        help="Read the password from the first line of FILE, or of standard input with -, instead of asking for it.",
    )
    return option(command)


@click.group("users")
def users() -> None:
    """
    Say who can log in to the dashboard and the API.

    As long as there is no user and no token, people on the manager's own machine may look without logging in, and
    nobody else. With the first one everybody has to log in, at once.
    """


@users.command("add")
@click.argument("name")
@role_option
@_password_option
@socket_option
def add(*, name: str, role: Role, password_file: str | None) -> None:
    """Let NAME log in, with a password that is asked for twice."""
    asks = credentials()
    added = asks.add_user(name, role, _password(password_file, of=name))
    click.echo(f"{printable(added.name)} can log in as {_a(role)} from now on")


@users.command("list")
@format_option()
@socket_option
def list_users(*, form: Format) -> None:
    """Show who can log in."""
    found = credentials().users()
    show(found, _COLUMNS, form)
    if not found and form is not Format.JSON:
        click.echo("mailward: there are no users; `mailward users add NAME` makes one", err=True)


@users.command("remove")
@click.argument("name")
@socket_option
def remove(*, name: str) -> None:
    """Let NAME log in no more; their sessions end at once."""
    asks = credentials()
    gone = asks.remove_user(name)
    click.echo(f"{printable(gone.name)} is removed, and logged out everywhere")
    if not asks.users() and not asks.tokens():
        click.echo(
            "mailward: nobody can log in any more: whoever is on the manager's machine may look without it, and nobody"
            " else comes in",
            err=True,
        )


@users.command("password")
@click.argument("name")
@_password_option
@socket_option
def password(*, name: str, password_file: str | None) -> None:
    """Change the password of NAME; their sessions end at once."""
    asks = credentials()
    changed = asks.set_password(name, _password(password_file, of=name))
    click.echo(f"{printable(changed.name)} has another password, and is logged out everywhere")


def _a(role: Role) -> str:
    return f"an {role.value}" if role is Role.OPERATOR else f"a {role.value}"


def _password(file: str | None, *, of: str) -> str:
    """
    The password, from a file or asked for twice.

    Raises:
        click.UsageError: Nobody can be asked.
        Refused: The file holds none.
    """
    if file is None:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked for the password here; give --password-file FILE, or -")
        typed: str = click.prompt(f"Password of {printable(of)}", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    if file == "-":
        found = sys.stdin.readline(_PASSWORD_BYTES_MAX)
    else:
        with Path(file).open(encoding="utf-8") as opened:
            found = opened.readline(_PASSWORD_BYTES_MAX)
    found = found.rstrip("\r\n")
    if not found:
        where = "standard input" if file == "-" else file
        raise Refused(f"{where} begins with an empty line, not with a password")
    return found
