"""
The states of a monitor: one table.

Every event in every state has exactly one answer: it moves the monitor, it is old news, or it asks for what cannot be.
Nothing automatic ends a repair or wakes a disabled monitor. What a rule is, this file does not know.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum

from mailward.model.errors import Refused
from mailward.model.monitoring import AlertValue as S
from mailward.model.monitoring import MonitorStatus


class MonitorEvent(Enum):
    """What can happen to a monitor."""

    RULE_BROKE = "rule broke"
    RULE_WARNED = "rule warned"
    RULE_HELD = "rule held"
    """A good result, but not yet enough of them in a row."""
    RECOVERED = "recovered"
    """The rule holds and enough results in a row were good."""
    GRACE_EXPIRED = "grace expired"
    NO_ANSWER = "no answer"
    REPAIR_STARTED = "repair started"
    REPAIR_ENDED = "repair ended"
    SWITCHED_OFF = "switched off"
    SWITCHED_ON = "switched on"


E = MonitorEvent

MOVES: Mapping[tuple[S, E], tuple[S, str]] = {
    (S.UNINITIALIZED, E.RULE_HELD): (S.HEALTHY, "the first result is good"),
    (S.UNINITIALIZED, E.RECOVERED): (S.HEALTHY, "the first results are good"),
    (S.UNINITIALIZED, E.RULE_BROKE): (S.DEGRADED, "the rule broke"),
    (S.UNINITIALIZED, E.RULE_WARNED): (S.DEGRADED, "the rule warns"),
    (S.UNINITIALIZED, E.NO_ANSWER): (S.UNAVAILABLE, "no result came"),
    (S.UNINITIALIZED, E.REPAIR_STARTED): (S.REPAIRING, "an operator began a repair"),
    (S.UNINITIALIZED, E.SWITCHED_OFF): (S.DISABLED, "switched off"),
    (S.HEALTHY, E.RULE_BROKE): (S.DEGRADED, "the rule broke"),
    (S.HEALTHY, E.RULE_WARNED): (S.DEGRADED, "the rule warns"),
    (S.HEALTHY, E.NO_ANSWER): (S.UNAVAILABLE, "no result came any more"),
    (S.HEALTHY, E.REPAIR_STARTED): (S.REPAIRING, "an operator began a repair"),
    (S.HEALTHY, E.SWITCHED_OFF): (S.DISABLED, "switched off"),
    (S.DEGRADED, E.RECOVERED): (S.HEALTHY, "recovered within the grace period"),
    (S.DEGRADED, E.GRACE_EXPIRED): (S.UNHEALTHY, "still broken after the grace period"),
    (S.DEGRADED, E.NO_ANSWER): (S.UNAVAILABLE, "no result came any more"),
    (S.DEGRADED, E.REPAIR_STARTED): (S.REPAIRING, "an operator began a repair"),
    (S.DEGRADED, E.SWITCHED_OFF): (S.DISABLED, "switched off"),
    (S.UNHEALTHY, E.RECOVERED): (S.HEALTHY, "recovered"),
    (S.UNHEALTHY, E.RULE_WARNED): (S.DEGRADED, "no longer broken, but the rule warns"),
    (S.UNHEALTHY, E.NO_ANSWER): (S.UNAVAILABLE, "no result came any more"),
    (S.UNHEALTHY, E.REPAIR_STARTED): (S.REPAIRING, "an operator began a repair"),
    (S.UNHEALTHY, E.SWITCHED_OFF): (S.DISABLED, "switched off"),
    (S.UNAVAILABLE, E.RECOVERED): (S.HEALTHY, "results come again and are good"),
    (S.UNAVAILABLE, E.RULE_BROKE): (S.DEGRADED, "results come again and broke the rule"),
    (S.UNAVAILABLE, E.RULE_WARNED): (S.DEGRADED, "results come again and the rule warns"),
    (S.UNAVAILABLE, E.REPAIR_STARTED): (S.REPAIRING, "an operator began a repair"),
    (S.UNAVAILABLE, E.SWITCHED_OFF): (S.DISABLED, "switched off"),
    (S.REPAIRING, E.REPAIR_ENDED): (S.DEGRADED, "the repair ended and has yet to prove itself"),
    (S.REPAIRING, E.SWITCHED_OFF): (S.DISABLED, "switched off"),
    (S.DISABLED, E.SWITCHED_ON): (S.UNINITIALIZED, "switched on; nothing is known yet"),
}
"""The event moves the monitor, for this reason."""

KEEPS: frozenset[tuple[S, E]] = frozenset(
    {
        *((S.UNINITIALIZED, event) for event in (E.GRACE_EXPIRED, E.SWITCHED_ON)),
        *((S.HEALTHY, event) for event in (E.RULE_HELD, E.RECOVERED, E.GRACE_EXPIRED, E.SWITCHED_ON)),
        *((S.DEGRADED, event) for event in (E.RULE_BROKE, E.RULE_WARNED, E.RULE_HELD, E.SWITCHED_ON)),
        *((S.UNHEALTHY, event) for event in (E.RULE_BROKE, E.RULE_HELD, E.GRACE_EXPIRED, E.SWITCHED_ON)),
        *((S.UNAVAILABLE, event) for event in (E.RULE_HELD, E.GRACE_EXPIRED, E.NO_ANSWER, E.SWITCHED_ON)),
        *((S.REPAIRING, event) for event in (E.RULE_BROKE, E.RULE_WARNED, E.RULE_HELD, E.RECOVERED)),
        *((S.REPAIRING, event) for event in (E.GRACE_EXPIRED, E.NO_ANSWER, E.REPAIR_STARTED, E.SWITCHED_ON)),
        *((S.DISABLED, event) for event in (E.RULE_BROKE, E.RULE_WARNED, E.RULE_HELD, E.RECOVERED)),
        *((S.DISABLED, event) for event in (E.GRACE_EXPIRED, E.NO_ANSWER, E.SWITCHED_OFF)),
    }
)
"""Old news, a timer that rang late, or something this state does not listen to."""

_NO_REPAIR = "the monitor is not under repair: start a repair before ending one"

REFUSES: Mapping[tuple[S, E], str] = {
    (S.UNINITIALIZED, E.REPAIR_ENDED): _NO_REPAIR,
    (S.HEALTHY, E.REPAIR_ENDED): _NO_REPAIR,
    (S.DEGRADED, E.REPAIR_ENDED): _NO_REPAIR,
    (S.UNHEALTHY, E.REPAIR_ENDED): _NO_REPAIR,
    (S.UNAVAILABLE, E.REPAIR_ENDED): _NO_REPAIR,
    (S.DISABLED, E.REPAIR_ENDED): _NO_REPAIR,
    (S.DISABLED, E.REPAIR_STARTED): "the monitor is disabled: enable it before marking it as under repair",
}
"""An operator asked for what cannot be."""


def advance(status: MonitorStatus, event: MonitorEvent, *, at: datetime, because: str = "") -> MonitorStatus:
    """
    Return *status* after *event*, or the same object when nothing changed.

    `broken_since` is the moment the grace period counts from. It stays through single good results and through
    silence, and ends with recovery; the end of a repair begins it anew.

    Args:
        status: The monitor as it is.
        event: What happened.
        at: When.
        because: The sentence that says why; the table's own reason when empty.

    Raises:
        Refused: An operator asked for what cannot be in this state.
    """
    pair = (status.state, event)
    if pair in REFUSES:
        raise Refused(REFUSES[pair])
    broken_since = _broken_since(status, event, at)
    if pair in KEEPS:
        return status if broken_since == status.broken_since else replace(status, broken_since=broken_since)
    state, reason = MOVES[pair]
    return replace(status, state=state, since=at, because=because or reason, broken_since=broken_since)


def _broken_since(status: MonitorStatus, event: MonitorEvent, at: datetime) -> datetime | None:
    if event is E.REPAIR_ENDED:
        return at
    if event is E.SWITCHED_OFF:
        return None
    if status.state.is_set_aside:
        return status.broken_since
    if event is E.RULE_BROKE:
        return status.broken_since or at
    return None if event in (E.RULE_WARNED, E.RECOVERED) else status.broken_since


def state_diagram() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {S.UNINITIALIZED.value}"]
    edges: dict[tuple[S, S], list[str]] = {}
    for (state, event), (following, _) in MOVES.items():
        edges.setdefault((state, following), []).append(event.value)
    lines += [f"    {a.value} --> {b.value}: {', '.join(events)}" for (a, b), events in edges.items()]
    return "\n".join(lines) + "\n"


def transition_table() -> str:
    """The whole table in Markdown: for every state and event what becomes of the monitor, and why."""
    rows = ["| state | event | becomes | because |", "|---|---|---|---|"]
    for state in S:
        for event in MonitorEvent:
            pair = (state, event)
            if pair in MOVES:
                following, reason = MOVES[pair]
                rows.append(f"| {state.value} | {event.value} | **{following.value}** | {reason} |")
            elif pair in REFUSES:
                rows.append(f"| {state.value} | {event.value} | refused | {REFUSES[pair]} |")
            else:
                rows.append(f"| {state.value} | {event.value} | stays | |")
    return "\n".join(rows) + "\n"
