"""`mailward items`: which probes and monitors there are, and what each is for (Get-MonitoringItemIdentity, -Help)."""

from difflib import get_close_matches

import click

from mailward.cli.columns import Column
from mailward.cli.connection import manager, socket_option
from mailward.cli.formats import Format, show, show_json, show_one_as_json
from mailward.cli.health import nothing_matches
from mailward.cli.identity import mended
from mailward.cli.monitor_help import (
    documentation_text,
    gates_text,
    monitor_as_plain,
    procedure_text,
    settings_text,
)
from mailward.cli.names import complete_health_set, complete_server, named
from mailward.cli.states import interval_text
from mailward.model.errors import Refused
from mailward.model.items import HEALTH_SETS, MONITORS, PROBES, HealthSet, MonitorItem, ProbeItem
from mailward.ports.manager import ItemInstance

COLUMNS: tuple[Column[ItemInstance], ...] = (
    Column(title="Server", text=lambda item: item.server),
    Column(title="Identity", text=lambda item: item.identity, shortens=True),
    Column(title="ItemType", text=lambda item: item.item_type, shed=1),
    Column(title="Name", text=lambda item: item.name, shed=4),
    Column(title="TargetResource", text=lambda item: item.target_resource, shortens=True, shed=5),
    Column(title="Interval", text=lambda item: interval_text(item.interval), right=True, shed=2),
    Column(title="Timeout", text=lambda item: interval_text(item.timeout), right=True, shed=3),
)
#: The seed's table: probe, health set, dependencies, associated monitors.
PROBE_COLUMNS: tuple[Column[ProbeItem], ...] = (
    Column(title="Probe", text=lambda item: item.name),
    Column(title="HealthSet", text=lambda item: ", ".join(item.health_sets)),
    Column(title="Describes", text=lambda item: item.describes, list_only=True),
    Column(title="Conversation", text=lambda item: item.conversation, list_only=True),
    Column(
        title="Dependencies", text=lambda item: ", ".join(one.value for one in item.dependencies), folds=True, shed=2
    ),
    Column(title="AssociatedMonitors", text=lambda item: ", ".join(item.monitors), folds=True, shed=1),
)
MONITOR_COLUMNS: tuple[Column[MonitorItem], ...] = (
    Column(title="Monitor", text=lambda item: item.name),
    Column(title="HealthSet", text=lambda item: ", ".join(item.health_sets)),
    Column(title="Describes", text=lambda item: item.describes, list_only=True),
    Column(title="Rule", text=lambda item: item.rule, list_only=True),
    Column(
        title="Dependencies", text=lambda item: ", ".join(one.value for one in item.dependencies), folds=True, shed=2
    ),
    Column(title="AssociatedProbes", text=lambda item: ", ".join(item.probes), folds=True, shed=1),
    Column(title="ServerComponent", text=lambda item: item.component or "", list_only=True),
    Column(title="WhatToDo", text=lambda item: item.advice, list_only=True),
    Column(title="Settings", text=settings_text, list_only=True),
    Column(title="Procedure", text=procedure_text, list_only=True),
    Column(title="Gates", text=gates_text, list_only=True),
    Column(title="Documentation", text=documentation_text, list_only=True),
)
HEALTH_SET_COLUMNS: tuple[Column[HealthSet], ...] = (
    Column(title="HealthSet", text=lambda known: known.name),
    Column(title="HealthGroup", text=lambda known: known.group.value),
    Column(title="Describes", text=lambda known: known.describes, folds=True, shed=1),
    Column(
        title="Probes",
        text=lambda known: ", ".join(item.name for item in PROBES if known.name in item.health_sets),
        list_only=True,
    ),
    Column(
        title="Monitors",
        text=lambda known: ", ".join(item.name for item in MONITORS if known.name in item.health_sets),
        list_only=True,
    ),
)


def _complete(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    words = context.params.get("words") or ()
    if words[:1] == ("help",):
        return [item for item in _names() if item.lower().startswith(typed.lower())]
    return [*(["help"] if "help".startswith(typed) else []), *complete_health_set(context, parameter, typed)]


@click.command("items")
@click.argument("words", nargs=-1, metavar="[HEALTHSET | help [ITEM]]", shell_complete=_complete)
@click.option(
    "--server", metavar="S", callback=named, shell_complete=complete_server, help="Only the items of this server."
)
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Format]),
    help="A table, a list with every field, or JSON as the API gives it.  [default: table; list to explain one item]",
)
@socket_option
def items(*, words: tuple[str, ...], server: str | None, form: str | None) -> None:
    """
    List probes and monitors, and explain them.

    `mailward items help` shows what each probe tests, `mailward items help ITEM` explains a probe, a monitor or a
    health set; of a monitor also what is done about it, stage by stage, and what is asked before. No manager is needed
    for that.
    """
    if words[:1] == ("help",):
        if len(words) > 2 or server:
            raise click.UsageError("`items help` takes one ITEM")
        _explain(words[1] if len(words) == 2 else None, Format(form) if form else None)
        return
    if len(words) > 1:
        raise click.UsageError(f"one HEALTHSET at most; {' '.join(words)!r} are {len(words)}")
    rows = manager().items(health_set=words[0] if words else None, server=server)
    show(rows, COLUMNS, Format(form or "table"))
    if not rows:
        nothing_matches(f"item of health set {words[0]!r}" if words else "item", server)


def _explain(name: str | None, form: Format | None) -> None:
    if name is None:
        show(PROBES, PROBE_COLUMNS, form or Format.TABLE)
        return
    bare = (mended(name) or name).replace("\\", "/")
    wanted = {bare.lower(), bare.split("/")[min(1, bare.count("/"))].lower()}
    chosen = form or Format.LIST
    probe = next((item for item in PROBES if item.name.lower() in wanted), None)
    monitor = next((item for item in MONITORS if item.name.lower() in wanted), None)
    health_set = next((known for known in HEALTH_SETS if known.name.lower() in wanted), None)
    if chosen is Format.JSON and monitor is not None:
        show_json(monitor_as_plain(monitor))
        return
    if chosen is Format.JSON and (found := probe or health_set):
        show_one_as_json(found)
        return
    if probe or monitor or health_set:
        show([probe] if probe else [], PROBE_COLUMNS, chosen)
        show([monitor] if monitor else [], MONITOR_COLUMNS, chosen)
        show([health_set] if health_set else [], HEALTH_SET_COLUMNS, chosen)
        return
    nearest = get_close_matches(bare, _names(), n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}?" if nearest else "`mailward items help` lists the probes"
    raise Refused(f"there is no probe, monitor or health set {name!r}; {hint}")


def _names() -> list[str]:
    return [
        *(item.name for item in PROBES),
        *(item.name for item in MONITORS),
        *(known.name for known in HEALTH_SETS),
    ]
