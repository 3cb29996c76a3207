"""What `items help` tells of a monitor beyond the catalogue: its settings, what is done about it, where to read on."""

from typing import Any

from mailward.alerts.documentation import references
from mailward.model.items import MonitorItem
from mailward.model.wire import SCHEMA, to_plain
from mailward.monitors.defaults import defaults_of
from mailward.recovery.outline import OutlinedStage, outline_for
from mailward.recovery.premises import Premise

NOTHING_IS_DONE = "none: people are told, and nothing is done by itself"


def settings_text(item: MonitorItem) -> str:
    """Its table of the configuration, each key with its default."""
    return "\n".join(
        (f"[monitors.{item.name}]", *(f"{key} = {value}" for key, value in defaults_of(item.name).items()))
    )


def procedure_text(item: MonitorItem) -> str:
    """The stages of its procedure, one a line, each on its premise."""
    outline = outline_for(item.name)
    if outline is None:
        return NOTHING_IS_DONE
    return "\n".join((outline.procedure.value, *(_stage(stage) for stage in outline.stages)))


def gates_text(item: MonitorItem) -> str:
    """What is asked before each class of action, one a line."""
    outline = outline_for(item.name)
    if outline is None:
        return ""
    return "\n".join(
        f"before {known.action.value}: {', '.join(gate.value for gate in known.gates)}" for known in outline.gates
    )


def documentation_text(item: MonitorItem) -> str:
    """The page that came with mailward; an organization's own address only its configuration knows."""
    return references([item.name], "")[0].page


def monitor_as_plain(item: MonitorItem) -> dict[str, Any]:
    """The monitor as JSON, with all of this."""
    return {
        "schema": SCHEMA,
        **to_plain(item),
        "settings": defaults_of(item.name),
        "recovery": to_plain(outline_for(item.name)),
        "documentation": documentation_text(item),
    }


def _stage(stage: OutlinedStage) -> str:
    back = f", later {stage.gives_back.value}" if stage.gives_back is not None else ""
    premise = f", if {stage.premise.value}" if stage.premise is not Premise.ALWAYS else ""
    deed = f" [{stage.action.value}: {stage.by_default.value}]" if stage.action and stage.by_default else ""
    return f"{stage.number}. {stage.step.value}{premise}{back}{deed}"
