"""Pages that follow from the code are what the code says now."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from mailward.alerts.documentation import PAGE, references
from mailward.health.order import WORST_FIRST
from mailward.model.items import HEALTH_SETS, MONITORS, PROBES, MonitorItem
from mailward.monitors.defaults import defaults_of
from mailward.recovery.outline import outline_for
from mailward.recovery.premises import Premise


def test_every_generated_page_is_what_the_code_gives_now(root: Path, generator: ModuleType) -> None:
    stale = [name for name, text in generator.pages().items() if _committed(root, name) != text]

    assert [] == stale, "run `make docs` and commit what it writes"


def test_every_health_set_has_its_page_and_there_are_no_others(root: Path) -> None:
    pages = {file.stem for file in (root / "docs/reference/health-sets").glob("*.md")} - {"README"}

    assert {known.name for known in HEALTH_SETS} == pages


def test_every_probe_and_monitor_is_explained_on_the_page_of_each_of_its_health_sets(root: Path) -> None:
    missing = [
        (health_set, name)
        for name, health_sets in (
            *((one.name, one.health_sets) for one in PROBES),
            *((one.name, one.health_sets) for one in MONITORS),
        )
        for health_set in health_sets
        if f"### {name}\n" not in _committed(root, f"reference/health-sets/{health_set}.md")
    ]

    assert [] == missing


@pytest.mark.parametrize("item", MONITORS, ids=lambda item: item.name)
def test_what_an_alert_links_to_is_the_heading_of_its_monitor(root: Path, item: MonitorItem) -> None:
    (reference,) = references([item.name], "")
    page, _, anchor = reference.page.partition("#")

    headings = [line for line in (root / page).read_text().splitlines() if line.startswith("#")]

    assert 1 == headings.count(f"## {item.name}")
    assert anchor == item.name.lower()


@pytest.mark.parametrize("item", MONITORS, ids=lambda item: item.name)
def test_a_monitors_section_says_its_rule_settings_stages_and_gates_and_what_a_person_does(
    root: Path, item: MonitorItem
) -> None:
    section = _section(_committed(root, PAGE), item.name)
    outline = outline_for(item.name)

    assert [] == [
        wanted
        for wanted in (item.describes, item.rule, item.advice, *item.probes, *item.health_sets, *defaults_of(item.name))
        if wanted not in section
    ]
    stages = re.findall(r"^\| \d+ \| ([^|]+) \| ([^|]*) \|", section, re.MULTILINE)
    assert [
        (stage.step.value, "" if stage.premise is Premise.ALWAYS else stage.premise.value)
        for stage in (outline.stages if outline else ())
    ] == [(step, premise.strip()) for step, premise in stages]
    for known in outline.gates if outline else ():
        assert f"- before `{known.action.value}`: {', '.join(gate.value for gate in known.gates)}." in section


def test_the_page_of_states_gives_the_worst_first(root: Path) -> None:
    page = _committed(root, "reference/states.md")

    places = [page.index(f". **{state.value}**") for state in WORST_FIRST]

    assert sorted(places) == places


def test_what_was_measured_survives_a_new_page(generator: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "reference" / "faults.md"
    page.parent.mkdir()
    page.write_text(generator.faults_page("\n\n| a table |\n\n"))

    assert "\n\n| a table |\n\n" == generator.measured_in(generator.pages(tmp_path)["reference/faults.md"])


def test_a_page_that_was_never_measured_says_so(generator: ModuleType) -> None:
    assert generator.NOT_MEASURED == generator.measured_in("")


def _section(page: str, name: str) -> str:
    return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def _committed(root: Path, name: str) -> str:
    file = root / "docs" / name
    return file.read_text() if file.exists() else ""
