"""
One examination as a Nagios plugin says it (Monitoring Plugins Development Guidelines).

One line: state, sentence, `|`, performance data. OK 0, WARNING 1, CRITICAL 2, UNKNOWN 3. What could not be examined is
UNKNOWN, never CRITICAL: a fault of the prober must wake nobody for the server's sake.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from mailward.cli.terminal import printable
from mailward.diagnosis.place import fault_text
from mailward.model.errors import Refused
from mailward.model.probing import ProbeResult
from mailward.model.verdict import Tier

_RANGE = re.compile(r"(?P<inside>@?)(?:(?P<low>~|-?\d+(?:\.\d+)?)?(?P<colon>:))?(?P<high>-?\d+(?:\.\d+)?)?")
_DAY = timedelta(days=1)


class State(IntEnum):
    """The plugin's exit code. UNKNOWN is graver than OK and WARNING and less than CRITICAL; see `_worst`."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A threshold range: alerts outside low..high, or inside when it began with `@`."""

    text: str
    low: float
    high: float
    inside: bool = False

    def alerts(self, value: float) -> bool:
        """Whether *value* is worth an alert."""
        return (self.low <= value <= self.high) is self.inside


def read_range(text: str) -> Range:
    """
    Read `10`, `10:`, `~:10`, `10:20`, `@10:20`.

    Raises:
        Refused: It is no range.
    """
    match = _RANGE.fullmatch(text)
    if not match or not (match["low"] or match["high"]):
        raise Refused(f"{text!r} is no threshold range; ranges look like 5, 5:, ~:5, 1:5 or @1:5")
    low = float("-inf") if match["low"] == "~" else float(match["low"] or 0)
    high = float(match["high"]) if match["high"] else float("inf")
    if low > high:
        raise Refused(f"the range {text!r} begins after its end")
    return Range(text=text, low=low, high=high, inside=bool(match["inside"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """When to warn although everything worked."""

    seconds_warning: Range | None = None
    seconds_critical: Range | None = None
    days_warning: Range | None = None
    """Days the certificate is still valid."""
    days_critical: Range | None = None


def plugin_output(result: ProbeResult, where: str, thresholds: Thresholds) -> tuple[State, str]:
    """Return the plugin's exit code and its line for the examination of *where*."""
    seconds = result.took.total_seconds()
    findings = [_of_result(result, where)]
    if result.is_healthy:
        findings.append(_of_range(f"{where} took {seconds:.3f} s", seconds, thresholds.seconds_warning, State.WARNING))
        findings.append(
            _of_range(f"{where} took {seconds:.3f} s", seconds, thresholds.seconds_critical, State.CRITICAL)
        )
    days = (result.certificate.not_after - result.at) / _DAY if result.certificate else None
    if days is not None and result.is_healthy:
        sentence = f"the certificate of {where} expires in {days:.0f} days"
        findings.append(_of_range(sentence, days, thresholds.days_warning, State.WARNING))
        findings.append(_of_range(sentence, days, thresholds.days_critical, State.CRITICAL))
    state, sentence = max(findings, key=lambda finding: _GRAVITY[finding[0]])
    return state, f"IMAP {state.name} - {_plain(sentence)} | {_performance(result, days, thresholds)}"


def unknown(because: str) -> str:
    """Return the line for an examination that could not be made."""
    return f"IMAP UNKNOWN - {_plain(because)}"


_GRAVITY = {State.OK: 0, State.WARNING: 1, State.UNKNOWN: 2, State.CRITICAL: 3}


def _of_result(result: ProbeResult, where: str) -> tuple[State, str]:
    seconds = result.took.total_seconds()
    if result.is_healthy:
        return State.OK, f"{where} answered in {seconds:.3f} s"
    phase = f" at {result.failed_phase.value}" if result.failed_phase else ""
    cause = f" {result.cause.value}" if result.cause else ""
    sentence = f"{where}{phase}{cause}"
    if result.verdict:
        sentence = f"{sentence}: {result.verdict.because} ({fault_text(result.verdict)})"
    elif result.detail:
        sentence = f"{sentence}: {result.detail}"
    ours = result.verdict is not None and result.verdict.tier is Tier.MONITORING
    return (State.CRITICAL if result.result.is_failure and not ours else State.UNKNOWN), sentence


def _of_range(sentence: str, value: float, limit: Range | None, state: State) -> tuple[State, str]:
    return (state, sentence) if limit is not None and limit.alerts(value) else (State.OK, sentence)


def _performance(result: ProbeResult, days: float | None, thresholds: Thresholds) -> str:
    limits = f"{_text(thresholds.seconds_warning)};{_text(thresholds.seconds_critical)}"
    parts = [f"time={result.took.total_seconds():.6f}s;{limits};0"]
    spent: dict[str, timedelta] = {}
    for timing in result.phases:
        spent[timing.phase.value] = spent.get(timing.phase.value, timedelta(0)) + timing.took
    parts.extend(f"{phase}={took.total_seconds():.6f}s;;;0" for phase, took in spent.items())
    if days is not None:
        parts.append(f"certificate_days={days:.1f};{_text(thresholds.days_warning)};{_text(thresholds.days_critical)}")
    return " ".join(parts)


def _text(limit: Range | None) -> str:
    return limit.text if limit else ""


def _plain(sentence: str) -> str:
    """One line without the `|` that would begin performance data."""
    return printable(" ".join(sentence.split())).replace("|", "/")
