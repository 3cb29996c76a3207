"""`mailward availability`: a month as people and programs read it."""

import json

from mailward.model.wire import answer
from mailward.testing.availability_values import AVAILABILITY


def test_the_organization_comes_first_and_what_was_not_measured_has_no_figure(ask):
    ran = ask("availability", "--month", "2026-11")

    overall, proxy, mailbox = ran.out.splitlines()[2:]
    assert (0, "") == (ran.code, ran.err)
    assert overall.startswith("all customer touch points  IMAP ")
    assert ["99.895", "30", "min"] == overall.split()[5:8]
    assert "proxy1" == proxy.split()[0]
    assert ["mbx2", "IMAP.Protocol"] == mailbox.split()[:2]


def test_json_is_what_the_api_gives(ask):
    assert answer(AVAILABILITY) == json.loads(ask("availability", "--month", "2026-11", "--format", "json").out)


def test_what_is_no_month_is_refused(ask):
    ran = ask("availability", "--month", "November")

    assert 0 != ran.code
    assert "no month" in ran.err
