"""
The reference page of the monitors: each with its rule, settings, probes, what is done about it and what a person does.

Every alert leads here (`alerts.documentation`). Whatever the catalogue, the settings and the procedures gain is on the
page the next time it is made.
"""

from collections.abc import Iterable, Iterator, Sequence

from mailward.config.schema import PROBE_KEYS
from mailward.model.items import MONITORS, PROBES, MonitorItem
from mailward.model.recovery import Gate, Mode
from mailward.monitors.defaults import defaults_of, written
from mailward.monitors.probing import ProbingSettings
from mailward.recovery.outline import Outline, OutlinedStage, meaning_of_gates, outline_for
from mailward.recovery.premises import Premise
from mailward.recovery.settings import RecoverySettings

_HEAD = """\
# Monitors

What each monitor says is no longer true, what it is judged by, what mailward does about it and what is yours to do.
Every alert leads to its monitor here; `mailward items help` with a monitor's name says the same.

A *stage* is passed over, with the reason, where its premise is refuted; between any two stages the target is probed
again, and a probe that succeeds ends the procedure. A stage with a *class of action* touches something: how far it
goes is the mode of its class, and never further than the organization's mode, which is `{mode}` at first. Before it
the gates of its class are asked, all of them; what each says no to is in
[recovery](../explanation/recovery.md#gates). *Exchange* is the step in Exchange's own page on the IMAP health set, in
its section of recovery actions for the monitor.

| monitor | health sets | what is no longer true | procedure |
|---|---|---|---|
"""
_FOOT = """\
## What the gates protect

| gate | why it is asked |
|---|---|
"""


def monitors_page() -> str:
    """The reference page of the monitors, in Markdown."""
    lines = [_HEAD.format(mode=RecoverySettings().mode.value).rstrip(), *map(_entry, MONITORS), ""]
    for item in MONITORS:
        lines += [*_section(item), ""]
    lines += [_FOOT.rstrip(), *(_row((gate.value, why)) for gate, why in _gates())]
    return "\n".join(lines) + "\n"


def _entry(item: MonitorItem) -> str:
    outline = outline_for(item.name)
    procedure = f"`{outline.procedure.value}`" if outline is not None else "people are told"
    return _row((f"[{item.name}](#{item.name.lower()})", ", ".join(item.health_sets), item.describes, procedure))


def _section(item: MonitorItem) -> Iterator[str]:
    yield f"## {item.name}"
    yield ""
    yield item.describes
    yield ""
    yield f"- What to do: {item.advice}"
    yield f"- Rule: {item.rule}."
    yield f"- Health sets: {', '.join(_health_set_link(known, item.name) for known in item.health_sets)}."
    yield f"- Judges: {', '.join(_probe_link(probe) for probe in item.probes)}."
    yield f"- Depends on: {', '.join(one.value for one in item.dependencies) or 'nothing else'}."
    if item.component:
        yield f"- Server component: {item.component}."
    yield f"- Settings: `[monitors.{item.name}]` {_keys(defaults_of(item.name))}."
    for probe in item.probes:
        keys = _keys_of_probe(probe)
        if keys:
            yield f"- Settings of its probe: `[probes.{probe}]` {_keys(keys)}."
    yield ""
    outline = outline_for(item.name)
    if outline is None:
        yield "Nothing is done about it by itself: people are told."
    else:
        yield from _procedure(outline)


def _procedure(outline: Outline) -> Iterator[str]:
    yield f"Procedure `{outline.procedure.value}`:"
    yield ""
    yield "| | stage | premise | class of action | by default | on every exit | Exchange |"
    yield "|---|---|---|---|---|---|---|"
    yield from (_row(_stage_cells(stage)) for stage in outline.stages)
    yield ""
    yield "Gates, in the order they are asked:"
    yield ""
    for known in outline.gates:
        yield f"- before `{known.action.value}`: {', '.join(gate.value for gate in known.gates)}."


def _stage_cells(stage: OutlinedStage) -> tuple[str, ...]:
    return (
        str(stage.number),
        stage.step.value,
        stage.premise.value if stage.premise is not Premise.ALWAYS else "",
        f"`{stage.action.value}`" if stage.action is not None else "",
        f"`{stage.by_default.value}`" if isinstance(stage.by_default, Mode) else "",
        stage.gives_back.value if stage.gives_back is not None else "",
        stage.seed,
    )


def _keys(defaults: dict[str, str]) -> str:
    return ", ".join(f"`{key}` = {value}" for key, value in defaults.items())


def _keys_of_probe(probe: str) -> dict[str, str]:
    settings = ProbingSettings()
    return {key: written(getattr(settings, field)) for key, field in PROBE_KEYS.get(probe, {}).items()}


def _health_set_link(health_set: str, monitor: str) -> str:
    return f"[{health_set}](health-sets/{health_set}.md#{monitor.lower()})"


def _probe_link(probe: str) -> str:
    health_sets = next(item.health_sets for item in PROBES if item.name == probe)
    return f"[{probe}](health-sets/{health_sets[0]}.md#{probe.lower()})"


def _gates() -> Iterable[tuple[Gate, str]]:
    """In the order of the model, each with why it is asked."""
    known = meaning_of_gates()
    return ((gate, " ".join(known[gate].split())) for gate in Gate if gate in known)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
