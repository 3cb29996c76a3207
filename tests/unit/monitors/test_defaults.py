"""What a monitor can be told, with what holds where nobody tells it."""

import pytest

from mailward.model import items
from mailward.monitors.defaults import defaults_of


def test_each_key_has_its_default_as_toml_writes_it():
    known = defaults_of(items.CTP_MONITOR)

    assert "true" == known["enabled"]
    assert '"1m"' == known["grace"]
    assert '["1s", "2s"]' == known["confirm_after"]
    assert "3" == known["consecutive_failures"]


def test_a_table_within_has_dotted_keys_and_one_that_is_off_says_so():
    assert "90" == defaults_of(items.CTP_MONITOR)["percent.minimum_percent"]
    assert "not set" == defaults_of(items.SELF_TEST_MONITOR)["percent"]


@pytest.mark.parametrize("item", items.MONITORS, ids=lambda item: item.name)
def test_every_monitor_of_the_catalogue_can_be_told_something(item):
    assert "grace" in defaults_of(item.name)
