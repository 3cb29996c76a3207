"""Below the table of monitors each trouble stands once, however many monitors tell of it in how many words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.cli.health_table import why_lines
from mailward.cli.terminal import Terminal
from mailward.model.health import ComponentState, MonitorHealth
from mailward.model.monitoring import AlertValue
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict
from mailward.testing.repair_values import NOON

PLAIN = Terminal(width=None, colours=False)
SILENT = Verdict(
    tier=Tier.MAILBOX_SERVER,
    confidence=Confidence.CERTAIN,
    server="be1",
    because="be1 left the TLS handshake unanswered for 3.0 s, and the host of be1 says the IMAP service hangs",
)
ROW = MonitorHealth(
    server="be1",
    state=ComponentState.ONLINE,
    name="ImapSelfTestMonitor",
    target_resource="be1",
    health_set_name="IMAP.Protocol",
    alert_value=AlertValue.UNHEALTHY,
    server_component="Imap",
    since=NOON,
    because="3 of 3 failed",
    verdict=SILENT,
)


def told(*rows) -> list[list[str]]:
    """The lines of each trouble."""
    lines = "\n".join(why_lines(rows, PLAIN))
    return [part.split("\n") for part in lines.strip().split("\n\n")] if lines else []


def otherwise(because: str, **changes) -> MonitorHealth:
    return replace(ROW, verdict=replace(SILENT, because=because, **changes), name="ImapDeepTestMonitor")


def test_monitors_of_one_cause_stand_once_with_their_number():
    waits = (1.2, 3.0, 5.5)
    rows = [otherwise(f"be1 left the TLS handshake unanswered for {wait} s; DB1 is affected") for wait in waits]

    (trouble,) = told(replace(ROW, since=NOON + timedelta(minutes=1)), *rows)

    assert trouble[0].startswith("✗ be1 left the TLS handshake unanswered for 3.0 s, and the host")
    assert "4 monitors since " in " ".join(trouble)
    assert "be1 ImapSelfTestMonitor; be1 ImapDeepTestMonitor" in " ".join(trouble)


@pytest.mark.parametrize(
    "other",
    [
        otherwise("be1 refuses connections, and the host says the IMAP service failed"),
        otherwise(SILENT.because, server="be2"),
        otherwise(SILENT.because, tier=Tier.STORE),
        otherwise(SILENT.because, dependency=Dependency.NETWORKING),
        replace(ROW, verdict=None, because=SILENT.because),
    ],
)
def test_another_fault_or_another_opening_is_another_trouble(other):
    assert 2 == len(told(ROW, other))


def test_without_a_verdict_the_whole_sentence_counts():
    rows = [replace(ROW, verdict=None, because=f"the disk is nearly full: {name}") for name in ("/var", "/srv")]

    assert 2 == len(told(*rows))


def test_one_monitor_is_not_counted_and_well_ones_are_not_told():
    (trouble,) = told(ROW, replace(ROW, alert_value=AlertValue.HEALTHY))

    assert "monitors" not in " ".join(trouble)
    assert [] == told(replace(ROW, alert_value=AlertValue.HEALTHY))
