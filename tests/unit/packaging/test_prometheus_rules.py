"""The alert rules that are shipped: Prometheus takes them, they ask for what is there, and each leads to a page."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mailward.metrics.described import METRICS
from mailward.model.items import HEALTH_SETS

ROOT = Path(__file__).parents[3]
RULES = ROOT / "packaging" / "prometheus" / "mailward.rules.yml"
NAMES = {name for metric in METRICS for name in metric.sample_names}
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="this machine has no promtool")


def rules() -> list[dict[str, str]]:
    """Each rule's own lines as pairs; the file is written so that one line is one pair."""
    found: list[dict[str, str]] = []
    for line in RULES.read_text().splitlines():
        if line.strip().startswith("- alert:"):
            found.append({})
        if found and (pair := re.match(r"\s*(?:- )?(\w+): (.+)", line)):
            found[-1][pair[1]] = pair[2].strip("'")
    return found


def promtool(*words: str) -> str:
    done = subprocess.run(
        ["promtool", *words], cwd=RULES.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_prometheus_takes_the_rules():
    assert f"SUCCESS: {len(rules())} rules found" in promtool("check", "rules", RULES.name)


@needs_promtool
def test_series_lead_to_the_alerts_they_should():
    assert "SUCCESS" in promtool("test", "rules", "mailward.rules.test.yml")


def test_rules_ask_only_for_what_is_shown():
    asked = {name for rule in rules() for name in re.findall(r"\bmailward_\w+", rule["expr"])}

    assert asked
    assert set() == asked - NAMES


def test_every_alert_says_what_is_wrong_how_urgent_it_is_and_where_to_read_on():
    for rule in rules():
        assert {"alert", "expr", "severity", "summary", "description", "runbook_url"} <= rule.keys(), rule
        assert rule["severity"] in ("critical", "warning", "info")


def test_what_a_runbook_url_names_is_a_heading_or_page_of_the_documentation():
    for rule in rules():
        _, _, place = rule["runbook_url"].partition("docs{{ end }}/")
        page, _, anchor = place.partition("#")
        for health_set in HEALTH_SETS:
            text = (ROOT / "docs" / page.replace("{{ $labels.health_set }}", health_set.name)).read_text()
            headings = {line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")}
            assert not anchor or anchor in headings, rule["alert"]
