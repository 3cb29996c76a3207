"""The dashboard that is shipped: it draws only what /metrics shows, and every panel says what it is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailward.metrics.described import METRICS

BOARD = json.loads((Path(__file__).parents[3] / "packaging" / "grafana" / "mailward.json").read_text())
LABELS = {name: set(metric.labels) for metric in METRICS for name in metric.sample_names}


def expressions(value: object) -> Iterator[str]:
    """Whatever is asked of Prometheus, wherever it stands."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key in ("expr", "query") and isinstance(member, str) and "mailward" in member:
                yield member
            yield from expressions(member)
    elif isinstance(value, list):
        for member in value:
            yield from expressions(member)


@pytest.mark.parametrize("expression", [*expressions(BOARD)])
def test_every_expression_asks_only_for_what_is_shown(expression):
    asked = re.findall(r"\b(mailward_\w+)", expression)

    assert asked
    assert [] == [name for name in asked if name not in LABELS]


@pytest.mark.parametrize("expression", [*expressions(BOARD)])
def test_labels_that_are_chosen_by_exist(expression):
    for name, chosen in re.findall(r"(mailward_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*[=!]~?\"", chosen.replace("=~", '="').replace('=""', '="'))) <= LABELS[name]


def test_every_panel_says_what_it_shows_and_has_a_place_of_its_own():
    places = [tuple(panel["gridPos"].values()) for panel in BOARD["panels"]]

    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in BOARD["panels"])
    assert len(places) == len(set(places)) > 10
    assert len(places) == len({panel["id"] for panel in BOARD["panels"]})


def test_no_data_source_of_ours_is_named():
    sources = {panel["datasource"]["uid"] for panel in BOARD["panels"]}

    assert {"${source}"} == sources
