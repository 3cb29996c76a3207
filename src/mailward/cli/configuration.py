"""Which configuration a command means."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

config_option: Callable[[Command], Command] = click.option(
    "--config",
    "path",
    metavar="PATH",
    type=click.Path(),
    help="Default: $MAILWARD_CONFIG, ~/.config/mailward/mailward.toml, /etc/mailward/mailward.toml.",
)


def where(path: str | None) -> Path:
    """
    Return the configuration that is meant.

    Raises:
        ConfigError: There is none; the text says where it was looked for and how to make one.
    """
    from mailward.config.locate import configuration_path

    return configuration_path(path, os.environ)
