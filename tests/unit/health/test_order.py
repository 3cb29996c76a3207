from itertools import pairwise, permutations

import pytest

from mailward.health.order import WORST_FIRST, worst, worst_component, worst_monitor
from mailward.model.health import ComponentState
from mailward.model.monitoring import AlertValue


def test_the_order_is_stated_for_every_state():
    stated = "Unhealthy Degraded Unavailable Repairing Uninitialized Healthy Disabled"

    assert stated.split() == [value.value for value in WORST_FIRST]
    assert set(AlertValue) == set(WORST_FIRST)


@pytest.mark.parametrize("pair", list(pairwise(WORST_FIRST)))
def test_of_two_neighbours_the_worse_one_wins_in_any_order(pair):
    for values in permutations(pair):
        assert pair[0] is worst(values)


def test_disabled_monitors_make_a_set_neither_worse_nor_better():
    assert AlertValue.HEALTHY is worst([AlertValue.HEALTHY, AlertValue.DISABLED])
    assert AlertValue.UNHEALTHY is worst([AlertValue.DISABLED, AlertValue.UNHEALTHY])
    assert AlertValue.DISABLED is worst([AlertValue.DISABLED, AlertValue.DISABLED])


def test_of_nothing_nothing_is_known():
    assert AlertValue.UNINITIALIZED is worst([])


def test_of_equally_bad_monitors_the_one_that_has_been_so_for_longest_speaks(a_status):
    young = a_status(AlertValue.UNHEALTHY, target="DB1", minutes=1)
    old = a_status(AlertValue.UNHEALTHY, target="DB2", minutes=5)

    assert old is worst_monitor([young, a_status(minutes=60), old])


@pytest.mark.parametrize("states", list(permutations([ComponentState.ONLINE, ComponentState.NOT_APPLICABLE])))
def test_a_component_counts_more_than_none(states):
    assert ComponentState.ONLINE is worst_component(states)


def test_one_offline_component_makes_the_set_offline():
    assert ComponentState.OFFLINE is worst_component([ComponentState.DRAINING, ComponentState.OFFLINE])
    assert ComponentState.DRAINING is worst_component([ComponentState.DRAINING, ComponentState.ONLINE])
    assert ComponentState.NOT_APPLICABLE is worst_component([])
