"""The monitors of one server as its page shows them: what is wrong first, the rest in a line for each health set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailward.health.order import RANK
from mailward.model.health import MonitorHealth
from mailward.model.monitoring import AlertValue
from mailward.web.pages.matrix import is_wrong


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownSet:
    """One health set."""

    name: str
    worst: AlertValue
    wrong: tuple[MonitorHealth, ...]
    """Worst first; each with its sentence."""
    others: tuple[MonitorHealth, ...]
    """Those that are well, or switched off."""

    @property
    def summary(self) -> str:
        """The others in one line."""
        healthy = sum(one.alert_value is AlertValue.HEALTHY for one in self.others)
        off = len(self.others) - healthy
        said = [f"{healthy} {'monitor is' if healthy == 1 else 'monitors are'} healthy"] if healthy else []
        said += [f"{off} {'is' if off == 1 else 'are'} disabled"] if off else []
        return ", ".join(said)


def shown_sets(monitors: Iterable[MonitorHealth]) -> tuple[ShownSet, ...]:
    """The health sets of *monitors*, the worst first, then by name."""
    members: dict[str, list[MonitorHealth]] = {}
    for one in monitors:
        members.setdefault(one.health_set_name, []).append(one)
    found = [_set(name, own) for name, own in members.items()]
    return tuple(sorted(found, key=lambda one: (RANK[one.worst], one.name)))


def _set(name: str, members: list[MonitorHealth]) -> ShownSet:
    members = sorted(members, key=lambda one: (RANK[one.alert_value], one.name, one.target_resource))
    return ShownSet(
        name=name,
        worst=members[0].alert_value,
        wrong=tuple(one for one in members if is_wrong(one.alert_value)),
        others=tuple(one for one in members if not is_wrong(one.alert_value)),
    )


def probes_to_run(targets: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What can be probed now, from the targets of each probe: the whole probe, and each target where there are few."""
    few = 20
    return tuple(
        name
        for probe, own in targets.items()
        for name in (probe, *(f"{probe}/{target}" for target in own if 1 < len(own) <= few))
    )
