"""
Names on the command line: none is empty, and the shell can complete them, the catalogue's from here, others from the
manager when it answers at once.
"""

from collections.abc import Iterable
from contextlib import suppress

import click

from mailward.cli.connection import manager
from mailward.model.errors import MailwardError


def named(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """
    Take a name that was given, or None where none was.

    Raises:
        click.BadParameter: It is empty, as from a variable that a script has not set: that must not mean "all of them".
    """
    if value is not None and not value.strip():
        raise click.BadParameter("the name is empty; leave it out, or give one")
    return value


def complete_server(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Servers that begin with what was typed; none when no manager answers."""
    with suppress(MailwardError):
        return _beginning(typed, (row.server for row in manager(context).report()))
    return []


def complete_database(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Mailbox databases that begin with what was typed; none when no manager answers."""
    with suppress(MailwardError):
        return _beginning(typed, (row.database for row in manager(context).copies()))
    return []


def complete_health_set(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Health sets by name."""
    from mailward.model.items import HEALTH_SETS

    return _beginning(typed, (known.name for known in HEALTH_SETS))


def complete_item(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Probes and monitors, each with its health set."""
    from mailward.model.items import MONITORS, PROBES

    probes = (f"{known}/{item.name}" for item in PROBES for known in item.health_sets)
    monitors = (f"{known}/{item.name}" for item in MONITORS for known in item.health_sets)
    return _beginning(typed, (*probes, *monitors))


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.lower().startswith(typed.lower())})
