from dataclasses import fields

from mailward.model.items import MONITORS
from mailward.monitors.settings import FIELD_OF_ITEM, MonitorSettings


def test_every_monitor_item_has_its_settings():
    assert {item.name for item in MONITORS} == set(FIELD_OF_ITEM)


def test_every_settings_field_but_flapping_belongs_to_an_item():
    assert {field.name for field in fields(MonitorSettings)} - {"flapping"} == set(FIELD_OF_ITEM.values())
