"""
How monitoring items are written on command lines and in events: HEALTHSET/ITEM[/TARGET].

A backslash serves as well as a slash, case does not matter, targets are percent-encoded (design, "Words"), since a
target may be a path.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import quote, unquote

from mailward.model.errors import NotFound
from mailward.model.items import HEALTH_SETS, MONITORS, PROBES
from mailward.model.monitoring import MonitorKey

_HEALTH_SETS = {health_set.name.lower(): health_set.name for health_set in HEALTH_SETS}
_HOME = {
    **{probe.name: probe.health_sets for probe in PROBES},
    **{monitor.name: monitor.health_sets for monitor in MONITORS},
}
_KNOWN = {name.lower(): name for name in _HOME}
_MONITORS = {monitor.name: monitor for monitor in MONITORS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What was named: an item, perhaps within one health set, perhaps with one target."""

    item: str
    """In the spelling of the table."""
    health_set: str | None = None
    target: str | None = None
    """As written by the user, decoded; targets are compared without regard to case."""

    @property
    def probes(self) -> tuple[str, ...]:
        """The probes it means: itself, or those of the monitor it names, the one to run first."""
        monitor = _MONITORS.get(self.item)
        return monitor.probes if monitor is not None else (self.item,)

    def has_target(self, target: str) -> bool:
        """Whether *target* is meant; without a target every one is."""
        return self.target is None or self.target.lower() == target.lower()

    def __str__(self) -> str:
        parts = [self.health_set or "", self.item, "" if self.target is None else encoded(self.target)]
        return "/".join(part for part in parts if part)


def parse_identity(text: str) -> Identity:
    """
    Read HEALTHSET/ITEM[/TARGET], HEALTHSET\\ITEM[\\TARGET] or a bare item.

    Raises:
        NotFound: No such health set or item, or the item is not in that set; the text names the nearest.
    """
    parts = text.strip().replace("\\", "/").split("/")
    if len(parts) > 3 or not all(parts):
        raise NotFound(
            f"{text!r} is no identity: write HEALTHSET/ITEM or HEALTHSET/ITEM/TARGET, a slash in TARGET as %2F"
        )
    if len(parts) == 1:
        return Identity(item=_item(parts[0]))
    health_set = _HEALTH_SETS.get(parts[0].lower())
    if health_set is None:
        raise NotFound(f"there is no health set {parts[0]!r}{_nearest(parts[0], _HEALTH_SETS.values())}")
    item = _item(parts[1])
    in_sets = _HOME[item]
    if health_set not in in_sets:
        raise NotFound(f"{item} is not in the health set {health_set} but in {', '.join(in_sets)}")
    return Identity(item=item, health_set=health_set, target=unquote(parts[2]) if len(parts) == 3 else None)


def encoded(target: str) -> str:
    """A target as it is written within an identity: no slash, no blank."""
    return quote(target, safe=":@")


def identity_of(health_set: str, item: str, target: str) -> str:
    """HEALTHSET/ITEM/TARGET."""
    return f"{health_set}/{item}/{encoded(target)}"


def subject_of(key: MonitorKey) -> str:
    """The subject of a monitor's events: SERVER/HEALTHSET/ITEM/TARGET."""
    return f"{key.server}/{identity_of(key.health_set, key.item, key.target)}"


def _item(name: str) -> str:
    if name.lower() in _KNOWN:
        return _KNOWN[name.lower()]
    swallowed = _swallowed_backslash(name)
    if swallowed is not None:
        raise NotFound(f"there is no item {name!r}; the shell seems to have eaten the backslash: write {swallowed}")
    raise NotFound(f"there is no probe or monitor {name!r}{_nearest(name, _KNOWN.values())}")


def _swallowed_backslash(name: str) -> str | None:
    """IMAPImapCTPProbe, which is what a shell makes of IMAP\\ImapCTPProbe."""
    for lowered, health_set in _HEALTH_SETS.items():
        item = _KNOWN.get(name.lower().removeprefix(lowered))
        if name.lower().startswith(lowered) and item is not None:
            return f"{health_set}/{item}"
    return None


def _nearest(name: str, known: Iterable[str]) -> str:
    spelled = {candidate.lower(): candidate for candidate in known}
    nearest = get_close_matches(name.lower(), spelled, n=1, cutoff=0.5)
    return f"; did you mean {spelled[nearest[0]]!r}?" if nearest else f"; known: {', '.join(spelled.values())}"
