"""An alert carries the link of its page, where people reach the dashboard."""

from dataclasses import replace
from datetime import timedelta

from mailward.alerts.links import page_of

DASHBOARD = "https://mailward.example.org"


def test_the_key_is_one_part_of_the_address():
    assert f"{DASHBOARD}/alerts/mailbox%20server%2Fbe1" == page_of("mailbox server/be1", DASHBOARD)


def test_without_an_address_there_is_no_link(night):
    night.at(timedelta(seconds=90), statuses=[night.status()])

    assert "" == page_of("mailbox server/be1", "")
    assert all("dashboard" not in notice.alert.annotations for notice in night.last.notices)


def test_every_notice_and_the_end_carry_the_link(night):
    organization = replace(night.told.organization, dashboard=DASHBOARD)

    night.at(timedelta(seconds=90), organization=organization, statuses=[night.status()])
    begun = night.last.notices
    night.at(timedelta(minutes=5), statuses=[])
    night.at(timedelta(minutes=6))
    ended = night.last.notices

    assert begun
    assert ended
    for notice in (*begun, *ended):
        link = page_of(notice.alert.key, DASHBOARD)
        assert f"\n\n{link}\n\n" in notice.alert.text
        assert link == notice.alert.annotations["dashboard"]
