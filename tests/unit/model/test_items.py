from mailward.model import items


def test_every_monitor_of_a_probe_exists_and_judges_it():
    monitors = {monitor.name: monitor for monitor in items.MONITORS}

    for probe in items.PROBES:
        for name in probe.monitors:
            assert probe.name in monitors[name].probes


def test_every_probe_of_a_monitor_exists_and_names_it():
    probes = {probe.name: probe for probe in items.PROBES}

    for monitor in items.MONITORS:
        for name in monitor.probes:
            assert monitor.name in probes[name].monitors


def test_every_item_stands_in_a_health_set_that_exists():
    known = {health_set.name for health_set in items.HEALTH_SETS}

    for item in (*items.PROBES, *items.MONITORS):
        assert set(item.health_sets) <= known
        assert item.health_sets
