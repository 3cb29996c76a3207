"""Which manager a command asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mailward.client.credentials import CredentialsClient
    from mailward.client.manager import ManagerClient

Command = TypeVar("Command", bound=Callable[..., Any])
_KEY = "mailward.socket"


def _remember(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_KEY] = value


socket_option: Callable[[Command], Command] = click.option(
    "--socket",
    metavar="PATH",
    type=click.Path(),
    expose_value=False,
    callback=_remember,
    help="The manager's socket. Default: $MAILWARD_SOCKET, $XDG_RUNTIME_DIR/mailward/api.sock, /run/mailward/api.sock.",
)
"""Adds `--socket`; `manager` finds it."""


def manager(context: click.Context | None = None) -> "ManagerClient":
    """
    Return the manager this command line means.

    Raises:
        NoManager: There is no socket at any of the usual places.
    """
    from mailward.client.finding import find_socket
    from mailward.client.manager import ManagerClient

    context = context or click.get_current_context()
    return ManagerClient(find_socket(context.meta.get(_KEY)))


def credentials() -> "CredentialsClient":
    """
    Return where this command line asks about users and tokens.

    Raises:
        NoManager: There is no socket at any of the usual places.
    """
    from mailward.client.credentials import CredentialsClient

    return CredentialsClient(manager().socket)
