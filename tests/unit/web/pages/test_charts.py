"""Which charts a server has, and what stands in each."""

from datetime import timedelta

from mailward.model.items import CTP_PROBE, DEEP_TEST_PROBE, DISK_SPACE_CHECK
from mailward.model.probing import Phase, PhaseOutcome
from mailward.ports.manager import ItemInstance
from mailward.testing.manager_values import EVENTS, FAILED, HEALTH, LATENCIES
from mailward.web.pages.charts import chart, choose_targets, marks, targets_of, waterfall


def an_item(name: str, target: str, item_type: str = "Probe") -> ItemInstance:
    return ItemInstance(
        identity=f"IMAP/{name}/{target}", item_type=item_type, name=name, server="mbx2", target_resource=target
    )


def test_probes_that_hold_no_conversation_and_monitors_have_no_chart():
    found = targets_of(
        [
            an_item(DEEP_TEST_PROBE, "DB2"),
            an_item(DEEP_TEST_PROBE, "DB1"),
            an_item(DISK_SPACE_CHECK, "/store"),
            an_item("ImapDeepTestMonitor", "DB1", "Monitor"),
        ]
    )

    assert {DEEP_TEST_PROBE: ("DB1", "DB2")} == found


def test_the_target_that_is_worst_off_is_shown_unless_another_is_wanted():
    targets = {DEEP_TEST_PROBE: ("DB1", "DB2"), CTP_PROBE: ("DB7", "DB8")}

    assert {DEEP_TEST_PROBE: "DB2", CTP_PROBE: "DB7"} == choose_targets(targets, HEALTH, None)
    assert {DEEP_TEST_PROBE: "DB1", CTP_PROBE: "DB7"} == choose_targets(targets, HEALTH, "DB1")


def test_each_row_has_a_cell_for_every_phase_that_ever_happened():
    shown = chart(LATENCIES[0], ("DB2",))

    assert (Phase.CONNECT, Phase.AUTH, Phase.SELECT) == shown.phases
    assert [("0.50", "12.0", ""), ("0.50", "", "40.0")] == [cells for _, cells in shown.rows]


def test_phases_of_a_conversation_follow_each_other_over_the_whole_width():
    bars = waterfall(FAILED)

    assert [0.0, 1.65, 41.32] == [bar.begins for bar in bars]
    assert PhaseOutcome.FAILED is bars[-1].outcome
    assert 99.9 < bars[-1].begins + bars[-1].width < 100.1


def test_what_was_done_before_the_time_shown_is_not_marked():
    assert EVENTS[1:] == marks(reversed(EVENTS), since=EVENTS[1].at - timedelta(seconds=1))
