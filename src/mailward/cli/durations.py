"""Durations on the command line, written as in the configuration: 30s, 5m, 12h, 7d, 1h30m."""

from datetime import timedelta

import click

from mailward.model.durations import read_duration


def read_option(_context: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    """
    Read the value of an option; its `callback`.

    Raises:
        click.BadParameter: It is no duration; the text says how to write one.
    """
    if value is None:
        return None
    try:
        return read_duration(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}") from error
