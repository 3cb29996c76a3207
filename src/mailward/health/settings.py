"""How health sets are rolled up over groups of servers."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RollupSettings:
    """Get-HealthReport -RollupGroup -GroupSize -MinimumOnlinePercent, with Exchange's defaults."""

    group_size: int = 12
    """How many servers of a role make one group where the configuration names no groups."""
    minimum_online_percent: int = 70
    """While at least this share of a group works, the group is Degraded rather than Unhealthy."""
