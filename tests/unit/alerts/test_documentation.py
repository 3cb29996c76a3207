"""Where an alert says that its monitors are explained."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.alerts.documentation import references
from mailward.model import items


def test_without_an_address_a_command_and_a_page_are_named_and_no_host_is_made_up():
    (known,) = references([items.CTP_MONITOR], "")

    assert "mailward items help ImapCTPMonitor (docs/reference/monitors.md#imapctpmonitor)" == str(known)


@pytest.mark.parametrize(
    ("documentation", "address"),
    [
        ("https://wiki.example.org/mw/docs/", "https://wiki.example.org/mw/docs/reference/monitors.md#imapctpmonitor"),
        ("https://wiki.example.org/mw/docs", "https://wiki.example.org/mw/docs/reference/monitors.md#imapctpmonitor"),
        ("https://wiki.example.org/run/{monitor}.html", "https://wiki.example.org/run/ImapCTPMonitor.html"),
    ],
)
def test_an_organizations_own_address_is_followed(documentation, address):
    (known,) = references([items.CTP_MONITOR], documentation)

    assert address == str(known)


def test_each_monitor_is_named_once_and_no_more_than_a_phone_shows():
    names = ["a", "b", "a", "c", "d"]

    assert ["a", "b", "c"] == [known.monitor for known in references(names, "")]


def test_with_an_address_every_notice_and_the_end_carry_it(night):
    address = "https://wiki.example.org/docs"
    organization = replace(night.told.organization, documentation=address)
    page = f"{address}/reference/monitors.md#imapselftestmonitor"

    night.at(timedelta(seconds=90), organization=organization, statuses=[night.status()])
    begun = night.last.notices
    night.at(timedelta(minutes=5), statuses=[])
    night.at(timedelta(minutes=6))
    ended = night.last.notices

    assert begun
    assert ended
    for notice in (*begun, *ended):
        assert f"    {page}\n" in notice.alert.text
        assert page == notice.alert.annotations["runbook_url"] == notice.alert.annotations["documentation"]
