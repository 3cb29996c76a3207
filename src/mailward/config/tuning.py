"""What the configuration says about probes, monitors and the like, put over the defaults of their rooms."""

from collections.abc import Container
from dataclasses import is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, get_args, get_type_hints

from mailward.config.fields import Table
from mailward.config.schema import PROBE_KEYS, PROBES_KEYS, Configuration
from mailward.config.schema_acting import CLASSES
from mailward.model.recovery import ActionClass, Mode
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import FIELD_OF_ITEM, MonitorSettings
from mailward.recovery.settings import RecoverySettings

Value = TypeVar("Value")


def over(defaults: Value, table: Any, *, but: Container[str] = ()) -> Value:
    """*defaults*, a settings value, with what *table* says in its place, *but* for some keys."""
    if table is None:
        return defaults
    changed: dict[str, Any] = {}
    for key in table.model_fields_set:
        if key in but:
            continue
        value, default = getattr(table, key), getattr(defaults, key)
        if isinstance(value, Table):
            changed[key] = over(default if is_dataclass(default) else _empty(defaults, key), value)
        elif isinstance(default, Enum):
            changed[key] = type(default)(value)
        else:
            changed[key] = tuple(value) if isinstance(value, list) else value
    return replace(defaults, **changed)  # type: ignore[type-var]


def _empty(settings: Any, key: str) -> Any:
    """The defaults of a nested settings value that is absent by default, such as a percentage rule."""
    hint = get_type_hints(type(settings))[key]
    kind: Any = next(kind for kind in get_args(hint) if is_dataclass(kind))
    return kind()


def monitors(configuration: Configuration) -> MonitorSettings:
    """How monitors judge, `[monitors]` over the defaults."""
    given: Any = configuration.monitors
    if given is None:
        return MonitorSettings()
    defaults = MonitorSettings()
    names = {**FIELD_OF_ITEM, "flapping": "flapping"}
    return replace(
        defaults,
        **{names[item]: over(getattr(defaults, names[item]), getattr(given, item)) for item in given.model_fields_set},
    )


def probing(configuration: Configuration) -> ProbingSettings:
    """How often and long to probe, `[probes]` over the defaults."""
    given: Any = configuration.probes
    if given is None:
        return ProbingSettings()
    changed = {PROBES_KEYS[key]: getattr(given, key) for key in given.model_fields_set & PROBES_KEYS.keys()}
    for item in given.model_fields_set & PROBE_KEYS.keys():
        table = getattr(given, item)
        changed |= {PROBE_KEYS[item][key]: getattr(table, key) for key in table.model_fields_set}
    return replace(ProbingSettings(), **changed)


def recovery(configuration: Configuration) -> RecoverySettings:
    """How far and how often mailward acts, `[recovery]` over the defaults; classes that are not named keep theirs."""
    given: Any = configuration.recovery
    settings = over(RecoverySettings(), given, but=(CLASSES,))
    named = None if given is None else given.classes
    if named is None:
        return settings
    said = {ActionClass(key): Mode(getattr(named, key)) for key in named.model_fields_set}
    return replace(settings, classes={**settings.classes, **said})
