"""`mailward settings`: what the IMAP service of a server is set to (Get-ImapSettings)."""

import asyncio
from typing import TYPE_CHECKING

import click

from mailward.cli.columns import Column
from mailward.cli.configuration import config_option, where
from mailward.cli.formats import Format, format_option, show
from mailward.cli.names import complete_server, named
from mailward.cli.progress import progress
from mailward.cli.terminal import Colour

if TYPE_CHECKING:
    from mailward.config.imap_setting import ImapSetting


COLUMNS: "tuple[Column[ImapSetting], ...]" = (
    Column(title="Server", text=lambda one: one.server, shed=3),
    Column(title="Setting", text=lambda one: one.setting),
    Column(
        title="Value",
        text=lambda one: one.value if one.value is not None else one.unknown,
        colour=lambda one: Colour.FAINT if one.value is None else None,
        folds=True,
    ),
    Column(title="Origin", text=lambda one: one.origin, folds=True, shed=1, colour=lambda _: Colour.FAINT),
    Column(title="Exchange", text=lambda one: one.exchange, shed=2),
)


@click.group("settings")
def settings() -> None:
    """Show what the IMAP service of a server is set to [Get-ImapSettings]."""


@settings.command("show")
@click.argument("server", callback=named, shell_complete=complete_server)
@config_option
@format_option()
def show_(*, server: str, path: str | None, form: Format) -> None:
    """
    Show what the IMAP service of SERVER is set to, as far as known, and where from.

    The configuration says how it is reached. Where its Dovecot is on this machine and `host.doveadm` names its file,
    doveconf is asked for the rest, by name and never for a secret. What is not known is not available, with the reason
    beside it.
    """
    from mailward.config.imap_settings import imap_settings

    with progress("looking at the service"):
        rows = asyncio.run(imap_settings(where(path), server))
    show(rows, COLUMNS, form)
