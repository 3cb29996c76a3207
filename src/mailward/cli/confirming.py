"""Asking before something dangerous is done."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

yes_option: Callable[[Command], Command] = click.option("--yes", is_flag=True, help="Do not ask.")
"""Adds `--yes`; give it to `confirm`."""
reason_option: Callable[[Command], Command] = click.option(
    "--reason", metavar="TEXT", default="", help="Why, for whoever reads it later."
)
"""Adds `--reason`, which is recorded beside who did it."""


def confirm(question: str, *, yes: bool) -> None:
    """
    Return when a person says yes, or *yes* was given on the command line.

    Raises:
        click.Abort: A person says no.
        click.UsageError: Nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody can be asked here: give --yes")
    click.confirm(question, abort=True, err=True)
