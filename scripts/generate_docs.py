#!/usr/bin/env python3
"""
Write the reference pages that follow from the code, so that they cannot say anything else than it does.

    scripts/generate_docs.py                    write them anew
    scripts/generate_docs.py --measured FILE    and put FILE, a table of the acceptance tests, into faults.md

`tests/docs/test_generated.py` compares the committed pages with what this gives now. What stands between the marks
`<!-- measured -->` and `<!-- /measured -->` is kept: it comes from a run of the tests, not from the code.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import click

from mailward.cli.main import COMMANDS, cli
from mailward.config.monitors_page import monitors_page
from mailward.config.reference import configuration_page
from mailward.health import order
from mailward.lab.blueprint import Shape
from mailward.lab.faults import catalogue
from mailward.lab.faults.fault import Fault
from mailward.metrics.page import metrics_page
from mailward.model.items import HEALTH_SETS, MONITORS, PROBES, HealthGroup, HealthSet, MonitorItem, ProbeItem
from mailward.model.monitoring import AlertValue
from mailward.monitors.settings import FIELD_OF_ITEM, ItemSettings, MonitorSettings
from mailward.monitors.transitions import MonitorEvent, state_diagram, transition_table

DOCS = Path(__file__).resolve().parent.parent / "docs"
MARK = "<!-- Written by scripts/generate_docs.py from the code: change the code, then `make docs`. -->\n\n"
MEASURED = ("<!-- measured -->", "<!-- /measured -->")
NOT_MEASURED = "\nNot measured yet: `make test` does, with `--table FILE`.\n\n"

MEANING_OF_STATE: Mapping[AlertValue, str] = {
    AlertValue.HEALTHY: "The rule holds.",
    AlertValue.DEGRADED: "The rule has been broken for less than the grace period (60 s by default), or it warns: "
    "nothing is broken yet, but soon will be, such as a certificate with two weeks left.",
    AlertValue.UNHEALTHY: "The rule has been broken for the grace period or longer.",
    AlertValue.REPAIRING: "Somebody is at it (`mailward repairing on`). It ends when they say so.",
    AlertValue.DISABLED: "Switched off by configuration. Its probe still runs where another monitor needs it.",
    AlertValue.UNAVAILABLE: "No usable result for at least three minutes: nothing is known.",
    AlertValue.UNINITIALIZED: "No result yet: mailward has just started, or the monitor is new.",
}
MEANING_OF_EVENT: Mapping[MonitorEvent, str] = {
    MonitorEvent.RULE_BROKE: "A result broke the rule, or found it still broken.",
    MonitorEvent.RULE_WARNED: "A result is good, but the rule warns.",
    MonitorEvent.RULE_HELD: "A good result, but not yet enough of them in a row to be called recovered.",
    MonitorEvent.RECOVERED: "The rule holds, and enough results in a row were good.",
    MonitorEvent.GRACE_EXPIRED: "The rule has been broken for the whole grace period.",
    MonitorEvent.NO_ANSWER: "No usable result came for too long.",
    MonitorEvent.REPAIR_STARTED: "A person said that they begin a repair.",
    MonitorEvent.REPAIR_ENDED: "A person said that the repair is over.",
    MonitorEvent.SWITCHED_OFF: "The configuration disabled the monitor.",
    MonitorEvent.SWITCHED_ON: "The configuration enabled the monitor.",
}


HEALTH_SET_HEAD = """\
## It is red: what now

```console
$ mailward health --health-set {name}
$ mailward health --health-set {name} --format list
$ mailward probe {name}/{probe} --server SERVER
```

The first shows what is broken and since when, worst first; the second each monitor with its verdict and its
last result; the third measures again now and shows all it saw.

Believe the verdict before the name of the monitor: a monitor says *that* it is broken, the verdict *where*. A
verdict on the tier `monitoring` blames no server. `certain` rests on positive evidence, `probable` does not
exclude another explanation, `unknown` is no basis for a restart.

What mailward did about it, or would have done, and what held it back: `mailward why SERVER`. How far it goes by
itself is its mode, which is `recommend` at first: then what is advised below is yours to do.

| monitor | what is no longer true | what to do |
|---|---|---|
"""
HEALTH_SET_FOOT = """\
How a monitor moves from state to state: [states](../states.md). Every setting:
[configuration](../configuration.md). What is done about each: [monitors](../monitors.md).
"""
STATES_ODD = """\
A failed *observation* (an overloaded prober, a prober without network) is no failure of what was observed: it
is passed over, and if nothing else comes the monitor becomes Unavailable.
"""
STATES_FOOT = """\
A monitor that leaves Healthy four times within half an hour is called flapping: that is said once, and its
single changes are no longer told until it has settled.
"""
CLI_HEAD = """\
# Command line

`mailward --help`, and `--help` after any command, say the same. `check`, `items help`, `run`, `config`, `settings`,
`accounts`, `demo`, `lab` and `completion` need no running manager; every other command asks one.

What changes something takes `--dry-run`, which shows what would be done and does nothing. What ends the sessions of
users asks first; where nobody can be asked it is not done without `--yes`. Who did it is the user at this end of the
socket, and `--reason` is recorded beside it.

## Exit codes

| code | meaning |
|---|---|
| 0 | done; where something was examined, it is healthy |
| 1 | refused or failed: a wrong configuration, an unknown name, a filter that matches nothing, a gate that says no |
| 2 | what was examined is unhealthy (`check`, `probe`, and reads with `--exit-code`), and nothing else |
| 3 | nothing could be learned: no manager answers, the prober was at fault, the command line was wrong |
| 130, 141 | ended by Ctrl-C; the reader of the output went away |

With `--nagios` `check` ends with a plugin's codes instead: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

## Options of every command
"""
FAULTS_HEAD = """\
# Faults and verdicts

A lab (`mailward lab up`, or the one of `mailward demo`) can be broken in each of these ways. A fault's truth is
written down beside it, and the acceptance tests compare every verdict with it: break, see what is said, heal.

```console
$ mailward lab faults                          # this table
$ mailward lab faults 'store-*'                # one by one, as they are called
$ mailward lab break service-failed@be1        # it has taken effect when this returns
$ mailward lab heal                            # all of them
```

*Remedy* is what an experienced administrator would do. How much of it mailward does by itself is its mode;
`mailward why SERVER` tells what it did, and what held it back.

## The catalogue

PLACE is a host (`proxy1`, `be1`, `mail` …) or a mailbox database (`DB1` …); each kind can strike every place
that fits it. A verdict names the tier, the server where there is one, and a dependency unless the tier's own
service is at fault.

| fault | what happens | truth: tier | dependency | remedy |
|---|---|---|---|---|
"""
FAULTS_MEASURED = """\
## What was measured

From `pytest tests/acceptance/test_catalogue.py --table FILE` on the lab: what mailward said, how long after the
fault the first monitor was no longer Healthy (*noticed*), when the right verdict was there (*told*), and how
long after healing every monitor was Healthy again. Time-outs are the defaults, intervals those of the demo.
"""


def pages(docs: Path = DOCS) -> dict[str, str]:
    """Every generated page: its path below *docs* and its text; a measured section is taken from the page there."""
    made = {f"reference/health-sets/{known.name}.md": health_set_page(known) for known in HEALTH_SETS}
    made["reference/health-sets/README.md"] = health_sets_page()
    made["reference/monitors.md"] = MARK + monitors_page()
    made["reference/metrics.md"] = MARK + metrics_page()
    made["reference/states.md"] = states_page()
    made["reference/cli.md"] = cli_page()
    made["reference/configuration.md"] = MARK + configuration_page()
    faults = docs / "reference/faults.md"
    made["reference/faults.md"] = faults_page(measured_in(faults.read_text() if faults.exists() else ""))
    return made


# Health sets


def health_sets_page() -> str:
    """The table of contents of the health sets, by group."""
    lines = [
        f"{MARK}# Health sets",
        "",
        "A health set is as healthy as its worst monitor. What the words mean:",
        "[probe, monitor, responder, health set](../../explanation/managed-availability.md).",
        "",
        "| health set | group | watches | probes | monitors |",
        "|---|---|---|---|---|",
    ]
    for group in HealthGroup:
        for known in HEALTH_SETS:
            if known.group is group:
                cells = (
                    f"[{known.name}]({known.name}.md)",
                    group.value,
                    known.describes,
                    ", ".join(item.name for item in PROBES if known.name in item.health_sets),
                    ", ".join(item.name for item in MONITORS if known.name in item.health_sets),
                )
                lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def health_set_page(known: HealthSet) -> str:
    """One health set: what to do when it is red, then what is measured and how it is judged."""
    monitors = [item for item in MONITORS if known.name in item.health_sets]
    probes = [item for item in PROBES if known.name in item.health_sets]
    lines = [
        f"{MARK}# {known.name}",
        "",
        f"{known.describes} Group: {known.group.value}.",
        "",
        HEALTH_SET_HEAD.format(name=known.name, probe=probes[0].name).rstrip(),
        *(_row((f"[{item.name}](#{item.name.lower()})", item.describes, item.advice)) for item in monitors),
        "",
        "## Probes",
        "",
    ]
    for probe in probes:
        lines += _probe_section(probe, known)
    lines += ["## Monitors", ""]
    for monitor in monitors:
        lines += _monitor_section(monitor)
    return "\n".join(lines) + "\n" + HEALTH_SET_FOOT


def _probe_section(probe: ProbeItem, known: HealthSet) -> list[str]:
    dependencies = ", ".join(one.value for one in probe.dependencies) or "none"
    judged_by = ", ".join(name for name in probe.monitors if known.name in _sets_of(name)) or "none in this set"
    return [
        f"### {probe.name}",
        "",
        probe.describes,
        "",
        f"- Conversation: {probe.conversation}.",
        f"- Depends on: {dependencies}.",
        f"- Judged by: {judged_by}.",
        "",
    ]


def _sets_of(monitor: str) -> tuple[str, ...]:
    return next(item.health_sets for item in MONITORS if item.name == monitor)


def _monitor_section(item: MonitorItem) -> list[str]:
    settings: ItemSettings = getattr(MonitorSettings(), FIELD_OF_ITEM[item.name])
    lines = [
        f"### {item.name}",
        "",
        item.describes,
        "",
        f"- Rule: {item.rule}.",
        f"- Judges: {', '.join(item.probes)}.",
        f"- Depends on: {', '.join(one.value for one in item.dependencies)}.",
        f"- Degraded for {_duration(settings.grace)}, then Unhealthy; Healthy again after"
        f" {settings.successes_to_recover} good result{'s' if settings.successes_to_recover > 1 else ''} in a row.",
    ]
    if settings.confirm_after:
        after = " and ".join(_duration(wait) for wait in settings.confirm_after)
        lines.append(
            f"- After a first failure the same target is probed again {after} after the previous attempt ended."
        )
    if item.component:
        lines.append(f"- Server component: {item.component}.")
    more = f"[the monitors' page](../monitors.md#{item.name.lower()})"
    return [*lines, f"- What to do: {item.advice}", f"- What is done about it, under which gates: {more}.", ""]


# States


def states_page() -> str:
    """The states of a monitor, its transition table and diagram, and which state is worse."""
    lines = [
        f"{MARK}# States of a monitor",
        "",
        "`mailward health` shows the state of each monitor as AlertValue.",
        "",
        "| state | meaning |",
        "|---|---|",
        *(_row((state.value, MEANING_OF_STATE[state])) for state in AlertValue),
        "",
        STATES_ODD,
        "## Which is worse",
        "",
        "A health set is as bad as its worst monitor. Worst first:",
        "",
        *_worst_of(),
        "",
        "## What moves a monitor",
        "",
        "| event | meaning |",
        "|---|---|",
        *(_row((event.value, MEANING_OF_EVENT[event])) for event in MonitorEvent),
        "",
        "```mermaid",
        state_diagram().rstrip(),
        "```",
        "",
        "## The whole table",
        "",
        "Every event in every state has exactly one answer. *Stays*: old news, or nothing this state listens to.",
        "",
        transition_table().rstrip(),
        "",
        STATES_FOOT.rstrip(),
    ]
    return "\n".join(lines) + "\n"


def _worst_of() -> Iterator[str]:
    """The order, with the reasons that stand in the module that decides it."""
    reasons = dict(re.findall(r"^- \*\*(\w+)\*\*[:.] ?(.*(?:\n  .*)*)", order.__doc__ or "", re.MULTILINE))
    for number, state in enumerate(order.WORST_FIRST, start=1):
        reason = " ".join(reasons[state.value].split())
        yield f"{number}. **{state.value}**{': ' if reason else ''}{reason}"


# Command line


def cli_page() -> str:
    """Every command with its arguments and options."""
    root = click.Context(cli, info_name="mailward")
    lines = [
        MARK + CLI_HEAD,
        *_options(cli, root),
        "",
        "| command | does |",
        "|---|---|",
    ]
    names = [(name, about) for section in COMMANDS.values() for name, (_, about) in section.items()]
    lines += [_row((f"[`{name}`](#mailward-{name})", about)) for name, about in names]
    for name, _ in names:
        lines += ["", *_command(root, name, cli)]
    return "\n".join(lines) + "\n"


def _command(above: click.Context, name: str, group: click.Group) -> Iterator[str]:
    command = group.get_command(above, name)
    if command is None:
        raise LookupError(f"{above.command_path} lists {name!r} and has no such command")
    context = click.Context(command, info_name=name, parent=above)
    yield f"{'##' if above.parent is None else '###'} {context.command_path}"
    yield ""
    yield f"`{' '.join((context.command_path, *command.collect_usage_pieces(context)))}`"
    yield ""
    yield _paragraphs(command.help or "")
    options = list(_options(command, context))
    if options:
        yield ""
        yield from options
    if command.epilog:
        yield ""
        yield _paragraphs(command.epilog)
    if isinstance(command, click.Group):
        for member in command.list_commands(context):
            yield ""
            yield from _command(context, member, command)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context)) is not None
        if "--help" not in parameter.opts
    ]
    if records:
        yield "| option | |"
        yield "|---|---|"
        yield from (_row((f"`{left}`", " ".join(right.split()))) for left, right in records)


def _paragraphs(text: str) -> str:
    """A docstring as Markdown: a block that click must not wrap becomes a code block."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("\b"):
            blocks.append("```text\n" + block.removeprefix("\b").strip("\n") + "\n```")
        else:
            blocks.append(" ".join(block.split()))
    return "\n\n".join(blocks)


# Faults


def faults_page(measured: str) -> str:
    """Every kind of fault a lab can have, what is true then, and what mailward was measured to say of it."""
    kinds: dict[str, list[Fault]] = {}
    for shape in Shape:
        for fault in catalogue(shape).values():
            kinds.setdefault(fault.kind, []).append(fault)
    lines = [
        MARK + FAULTS_HEAD.rstrip(),
        *(_row(_fault_cells(kind, faults)) for kind, faults in kinds.items()),
        "",
        *_needs(kinds),
        "",
        FAULTS_MEASURED,
        f"{MEASURED[0]}{measured}{MEASURED[1]}",
    ]
    return "\n".join(lines) + "\n"


def _fault_cells(kind: str, faults: Sequence[Fault]) -> tuple[str, ...]:
    somewhere = any(fault.place for fault in faults)
    return (
        f"`{kind}{'@PLACE' if somewhere else ''}`",
        "; or: ".join(dict.fromkeys(_without_place(fault) for fault in faults if fault.shape is faults[0].shape)),
        _either(fault.truth.tier.value for fault in faults),
        _either(fault.truth.dependency.value if fault.truth.dependency else "its own service" for fault in faults),
        _either(fault.truth.remedy.value for fault in faults),
    )


def _without_place(fault: Fault) -> str:
    return fault.sentence.replace(fault.place, "PLACE") if fault.place else fault.sentence


def _needs(kinds: Mapping[str, Sequence[Fault]]) -> Iterator[str]:
    root = [f"`{kind}`" for kind, faults in kinds.items() if faults[0].needs_root]
    packets = [f"`{kind}`" for kind, faults in kinds.items() if faults[0].needs_packet_filter]
    yield f"Only as root: {', '.join(root)}. Where the kernel keeps socket filters for root, also {', '.join(packets)}."


def measured_in(page: str) -> str:
    """What stands between the marks of *page*; a sentence that says so where nothing was measured yet."""
    found = re.search(f"{re.escape(MEASURED[0])}(.*?){re.escape(MEASURED[1])}", page, re.DOTALL)
    return found[1] if found else NOT_MEASURED


# All pages


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _either(values: Iterable[str]) -> str:
    return ", or ".join(dict.fromkeys(values))


def _duration(duration: timedelta) -> str:
    return f"{duration.total_seconds():g} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all pages, and say which changed."""
    parser = argparse.ArgumentParser(description="Write the reference pages that follow from the code.")
    parser.add_argument("--measured", type=Path, metavar="FILE", help="a table to put into faults.md")
    options = parser.parse_args(arguments)
    made = pages()
    if options.measured is not None:
        made["reference/faults.md"] = faults_page(f"\n\n{options.measured.read_text().strip()}\n\n")
    for name, text in made.items():
        file = DOCS / name
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            print(f"written: docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
