from datetime import timedelta

from mailward.monitors.cost import cost
from mailward.monitors.coverage import cover
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings


def test_one_box_sees_fewer_than_six_thousand_conversations_a_day_by_default(one_box):
    price = cost(cover(one_box, ProbingSettings(), MonitorSettings()), one_box)

    # self test 2,880; deep test 1,440; second sessions of writing turns 288; touch point 720
    assert [5328] == [server.conversations for server in price.servers]
    assert [10656] == [server.log_lines for server in price.servers]


def test_a_conversation_through_a_proxy_is_one_on_the_mailbox_server_too(two_tiers):
    price = cost(cover(two_tiers, ProbingSettings(), MonitorSettings()), two_tiers)
    conversations = {server.server: server.conversations for server in price.servers}

    # proxy test 4,320; own lane 2,880; half of the access point's lane 1,440
    assert 8640 == conversations["proxy1"]
    # self test 4,320; two deep tests 2 x (1,440 + 288); three lanes 3 x 2,880
    assert 16416 == conversations["mbx1"]
    # self test 4,320; local deep test 1,728; passive copy 288
    assert 6336 == conversations["mbx2"]


def test_a_session_without_a_login_leaves_one_log_line(two_tiers):
    price = cost(cover(two_tiers, ProbingSettings(), MonitorSettings()), two_tiers)
    lines = {server.server: server.log_lines for server in price.servers}

    assert 4320 + 2 * (2880 + 1440) == lines["proxy1"]


def test_an_account_never_has_more_than_three_sessions_at_once(two_tiers):
    price = cost(cover(two_tiers, ProbingSettings(), MonitorSettings()), two_tiers)

    assert ["health-db1", "health-db2", "health-local"] == [account.account for account in price.accounts]
    assert all(account.sessions_max <= 3 for account in price.accounts)


def test_the_covering_time_of_each_proxy_is_stated(two_tiers):
    price = cost(cover(two_tiers, ProbingSettings(), MonitorSettings()), two_tiers)

    assert [("imap", timedelta(seconds=60)), ("proxy1", timedelta(seconds=60)), ("proxy2", timedelta(seconds=60))] == [
        (lane.server, lane.covering_time) for lane in price.lanes
    ]
