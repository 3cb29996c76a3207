"""What a rule and a monitor are: values that say how to judge, filled by `cover` from the organization."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from mailward.model.items import HealthGroup
from mailward.model.monitoring import MonitorKey
from mailward.model.verdict import Dependency
from mailward.monitors.samples import ProbeKey, Sample
from mailward.monitors.settings import FlappingSettings, ItemSettings


class Reading(Enum):
    """What one sample says to one rule."""

    WELL = "well"
    BAD = "bad"
    NOTHING = "nothing"
    """No data: a fault of the monitoring, or a sample that has nothing to do with the rule."""


class Standing(Enum):
    """What a rule says of a window of samples."""

    HELD = "held"
    DOUBTFUL = "doubtful"
    """The last sample was bad, but not enough of them were."""
    WARNS = "warns"
    """Works, but will not for long: Degraded, and never Unhealthy by the mere passing of time."""
    BROKE = "broke"
    NO_DATA = "no data"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A rule's answer and the sentence that says why."""

    standing: Standing
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """How many samples a rule needs to remember, and for how long."""

    count: int
    """This many are kept, however old."""
    age: timedelta | None = None
    """Beyond those, what is younger than this is kept too."""
    most: int = 256
    """Bound on what is kept, whatever its age: memory must not grow with a probe's eagerness."""


class Rule(Protocol):
    """One way to judge. Rules are values: equal parameters, equal rule."""

    @property
    def memory(self) -> Memory:
        """What must be remembered for `judge`."""
        ...

    def read(self, sample: Sample) -> Reading:
        """What one sample says; those that say NOTHING are not remembered."""
        ...

    def judge(self, samples: Sequence[Sample], now: datetime) -> Judgement:
        """Judge the remembered samples, the oldest first."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorDefinition:
    """One monitor as it exists in this organization."""

    key: MonitorKey
    group: HealthGroup
    rule: Rule
    probes: tuple[ProbeKey, ...]
    """Whose results it judges; the first is the one to run when the monitor is named."""
    settings: ItemSettings
    flapping: FlappingSettings
    patience: timedelta
    """Without a sample that says anything for this long, the monitor is Unavailable."""
    dependencies: tuple[Dependency, ...] = ()
    component: str | None = None
    """The server component that can be made inactive, such as ImapProxy."""
    databases: tuple[str, ...] = ()
    """Whose users are affected when it is unhealthy."""
