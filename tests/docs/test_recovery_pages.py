"""The pages on recovery name every mode, class, gate and throttle there is, with the defaults in force."""

import re

import pytest

from mailward.model.recovery import ActionClass, Gate, Mode, OperationKind
from mailward.recovery.procedures import PROCEDURES
from mailward.recovery.settings import CLASS_DEFAULTS, RecoverySettings, Throttles

EXPLANATION = "explanation/recovery.md"


@pytest.fixture
def rows(pages: dict[str, str]) -> dict[str, list[str]]:
    """First cell of every table row of the explanation -> its other cells."""
    page = next(text for name, text in pages.items() if name.endswith(EXPLANATION))
    lines = re.findall(r"^\|.*", page, re.MULTILINE)
    found = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {cells[0].strip("`"): cells[1:] for cells in found}


@pytest.mark.parametrize("gate", Gate, ids=lambda gate: gate.value)
def test_every_gate_is_explained_with_what_to_do(rows: dict[str, list[str]], gate: Gate) -> None:
    assert rows[gate.value][0]


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_every_mode_is_explained(rows: dict[str, list[str]], mode: Mode) -> None:
    assert rows[mode.value][0]


@pytest.mark.parametrize("action", ActionClass, ids=lambda action: action.value)
def test_every_class_of_action_has_its_default_limit(rows: dict[str, list[str]], action: ActionClass) -> None:
    assert f"`{CLASS_DEFAULTS[action].value}`" == rows[action.value][-1]


@pytest.mark.parametrize("kind", PROCEDURES, ids=lambda kind: kind.value)
def test_every_procedure_is_shown(rows: dict[str, list[str]], kind: OperationKind) -> None:
    assert rows[kind.value][1]


@pytest.mark.parametrize("throttle", Throttles.__dataclass_fields__)
def test_every_throttle_has_its_default(rows: dict[str, list[str]], throttle: str) -> None:
    number, *unit = rows[throttle][0].split()
    default = getattr(Throttles(), throttle)

    seconds = {"min": 60, "h": 3600}
    assert default == int(number) if not unit else default.total_seconds() == int(number) * seconds[unit[0]]


def test_the_numbers_in_the_text_are_the_defaults(pages: dict[str, str]) -> None:
    page = next(text for name, text in pages.items() if name.endswith(EXPLANATION))
    settings = RecoverySettings()

    assert f"every {settings.look_again.total_seconds():.0f} s (`look_again`)" in page
    assert f"less than {settings.patience.total_seconds():.0f} s (`patience`)" in page
    assert f"more than {settings.blast_radius_percent} % (`blast_radius_percent`)" in page
    assert f"{settings.start_anew_after.total_seconds() / 60:.0f} min (`start_anew_after`)" in page
    assert (
        f"{settings.start_anew_same_verdict_after.total_seconds() / 3600:.0f} h (`start_anew_same_verdict_after`)"
        in page
    )
    assert f"within {settings.ineffective_window.total_seconds() / 3600:.0f} h (`ineffective_times`" in page
    assert f"within {settings.approval_expires.total_seconds() / 60:.0f} minutes" in page
