"""What a monitor item can be told, and what holds where nobody tells it: the keys of `[monitors.ITEM]`."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import timedelta

from mailward.model.durations import write_duration
from mailward.monitors.settings import FIELD_OF_ITEM, MonitorSettings


def defaults_of(item: str) -> dict[str, str]:
    """Each key with its default as TOML writes it; "not set" where nothing holds, or it follows from elsewhere."""
    return dict(_defaults(getattr(MonitorSettings(), FIELD_OF_ITEM[item])))


def _defaults(settings: object, above: str = "") -> Iterator[tuple[str, str]]:
    assert is_dataclass(settings)
    for known in fields(settings):
        value = getattr(settings, known.name)
        if is_dataclass(value):
            yield from _defaults(value, f"{above}{known.name}.")
        else:
            yield f"{above}{known.name}", written(value)


def written(value: object) -> str:
    """A default as TOML writes it."""
    match value:
        case None:
            return "not set"
        case bool():
            return str(value).lower()
        case timedelta():
            return f'"{write_duration(value)}"'
        case tuple():
            return f"[{', '.join(written(one) for one in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
