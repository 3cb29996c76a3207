"""What a recovery wanted to do and was not let: read from the facts that are kept with it and its events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailward.model.event import Event
from mailward.model.recovery import Operation


@dataclass(frozen=True, kw_only=True, slots=True)
class Withheld:
    """One deed that was wanted."""

    step: str
    """What it would do: "restart the IMAP service"."""
    server: str
    command: tuple[str, ...] = ()
    because: str = ""
    """What held it back."""
    at: datetime | None = None


def recommended_in(operation: Operation) -> tuple[Withheld, ...]:
    """The deeds that only consent was missing for, in the order in which they came up."""
    listed = operation.data.get("recommended")
    return tuple(map(_read, _mappings(listed)))


def withheld_in(operation: Operation) -> Withheld | None:
    """What was held back last; None when nothing is."""
    return next(map(_read, _mappings([operation.data.get("withheld")])), None)


def withheld_by(event: Event) -> Withheld | None:
    """What an event says was held back; None when it speaks of no deed."""
    if "step" not in event.data:
        return None
    return _read({**event.data, "server": event.data.get("on", event.subject), "because": event.because})


def _read(plain: Mapping[str, object]) -> Withheld:
    command = plain.get("command")
    return Withheld(
        step=str(plain.get("step", "")),
        server=str(plain.get("server", "")),
        command=tuple(map(str, command)) if isinstance(command, list | tuple) else (),
        because=str(plain.get("because", "")),
        at=_moment(plain.get("at")),
    )


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _mappings(listed: object) -> list[Mapping[str, object]]:
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list | tuple) else []
