"""`mailward store`: the manager's own database."""

from pathlib import Path

import click

from mailward.cli.connection import manager, socket_option
from mailward.cli.progress import progress


@click.group("store")
def store() -> None:
    """Back up the manager's own database."""


@store.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
@socket_option
def backup_(*, path: Path) -> None:
    """
    Write a consistent copy of the store to PATH while the manager goes on.

    The manager writes it, on its host and as its user; PATH must not exist. Nothing is ever overwritten.
    """
    with progress("writing the copy"):
        written = manager().backup(str(path.absolute()))
    click.echo(written)
