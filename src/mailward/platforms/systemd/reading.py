"""What systemctl's answers mean, wherever it was run: systemctl(1), org.freedesktop.systemd1(5)."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from mailward.model.errors import PermanentFailure, Refused, TemporaryFailure
from mailward.model.evidence import ServiceState, ServiceStatus
from mailward.platforms.commands import Finished, one_line

#: systemctl(1): invalid argument, not implemented, no permission, not installed, not configured.
_NOTHING_DONE = (2, 3, 4, 5, 6)


def read_properties(unit: str, output: str) -> Mapping[str, str]:
    """
    Read the output of `systemctl show`.

    Raises:
        TemporaryFailure: There is no such unit.
    """
    shown = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if shown.get("LoadState") in (None, "not-found", "bad-setting", "error"):
        raise TemporaryFailure(
            f"systemd has no usable unit {unit} (LoadState={one_line(shown.get('LoadState') or '')})"
        )
    return shown


def raise_unless_done(argv: Sequence[str], finished: Finished) -> None:
    """
    Judge how a deed of systemctl ended.

    Raises:
        Refused: It was not even tried.
        PermanentFailure: It was tried, and failed.
    """
    if finished.status in _NOTHING_DONE:
        raise Refused(f"{' '.join(argv)}: {finished.said()}")
    if finished.status != 0:
        raise PermanentFailure(f"{' '.join(argv)}: {finished.said()}")


def status_of(unit: str, shown: Mapping[str, str]) -> ServiceStatus:
    """
    What the properties say of the unit.

    Raises:
        TemporaryFailure: They name a process that cannot be one.
    """
    active, sub, result = shown.get("ActiveState", ""), shown.get("SubState", ""), shown.get("Result", "")
    pid = _number(shown.get("MainPID") or "0")
    if pid is None:
        raise TemporaryFailure(f"systemd says that {unit} is process {one_line(shown['MainPID'])}, which is no number")
    restarts = _number(shown.get("NRestarts", ""))
    runs = pid > 0 and active in ("active", "reloading", "activating", "deactivating", "refreshing")
    # a unit's state also changes by a reload; the present process has one start
    since = _moment(shown.get("ExecMainStartTimestamp", "")) if runs else None
    return ServiceStatus(
        state=_state(active, sub, result),
        because=one_line(f"systemd says {unit} is {active} ({sub}), result {result}"),
        since=since or _moment(shown.get("StateChangeTimestamp", "")),
        pid=pid if runs else None,
        starts=None if restarts is None else restarts + 1,
    )


def _state(active: str, sub: str, result: str) -> ServiceState:
    if active in ("active", "reloading", "refreshing"):
        return ServiceState.RUNNING
    if active == "failed" or sub.startswith("auto-restart"):
        return ServiceState.FAILED
    if active == "activating":
        return ServiceState.RUNNING
    if active in ("inactive", "deactivating"):
        return ServiceState.STOPPED if result == "success" else ServiceState.FAILED
    return ServiceState.UNKNOWN


def exec_start(shown: Mapping[str, str]) -> tuple[str, ...]:
    """The argv within "{ path=/usr/sbin/dovecot ; argv[]=/usr/sbin/dovecot -F ; ignore_errors=no ; … }"."""
    found = re.search(r"argv\[\]=(.*?) ; ", shown.get("ExecStart", ""))
    return tuple(found[1].split()) if found else ()


def _moment(text: str) -> datetime | None:
    """systemd ≥ 247 writes "@1795480929" with --timestamp=unix; anything else says nothing."""
    seconds = _number(text.removeprefix("@"))
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _number(text: str) -> int | None:
    """As systemd writes process numbers, counters of 32 bits, and moments of this and the next century."""
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else None
