from dataclasses import replace
from datetime import timedelta

from mailward.model import items
from mailward.model.organization import AccessPoint, Organization
from mailward.model.probing import Canary
from mailward.model.target import Turn
from mailward.monitors.coverage import Coverage, cover
from mailward.monitors.planned import PlannedProbe
from mailward.monitors.planning import names_of_servers
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings

CANARY = Canary(uid_validity=1, uid=2, size=3, sha256="aa")


def covered(organization: Organization, settings: ProbingSettings | None = None) -> Coverage:
    return cover(organization, settings or ProbingSettings(), MonitorSettings())


def probe(coverage: Coverage, item: str, server: str, target: str) -> PlannedProbe:
    return next(p for p in coverage.probes if (p.key.probe, p.key.server, p.key.target) == (item, server, target))


def test_each_conversation_knows_whom_to_ask_as_whom_and_for_how_long(two_tiers):
    deep = probe(covered(two_tiers), items.DEEP_TEST_PROBE, "mbx1", "DB1")

    assert deep.target is not None
    assert deep.target.account == two_tiers.databases["DB1"].health_mailbox
    assert "mbx1.example.net" == deep.target.endpoint.host
    assert (timedelta(seconds=60), timedelta(seconds=15)) == (deep.interval, deep.target.timeout)
    assert ("DB1", "DB1", "example-token") == (deep.target.database, deep.canary_name, deep.target.identity)


def test_a_writing_turn_is_taken_only_where_writing_is_planned(two_tiers):
    coverage = covered(two_tiers)
    deep = probe(coverage, items.DEEP_TEST_PROBE, "mbx1", "DB1")
    passive = probe(coverage, items.DEEP_TEST_PROBE, "mbx2", "DB2:passive")
    touch = probe(coverage, items.CTP_PROBE, "proxy1", "DB1")

    turns = [p.turn_of(write=True, canary=CANARY, confirmation=True) for p in (deep, passive, touch)]

    assert [Turn.WRITE, Turn.EXAMINE, Turn.READ] == [turn.turn for turn in turns if turn is not None]
    assert [(CANARY, True)] * 3 == [(turn.canary, turn.confirmation) for turn in turns if turn is not None]


def test_a_server_without_an_active_copy_is_tested_on_its_local_health_mailbox(two_tiers):
    local = probe(covered(two_tiers), items.DEEP_TEST_PROBE, "mbx2", "mbx2")

    assert ("@mbx2", None, "health-local on mbx2") == (local.canary_name, local.database, local.mailbox)
    assert timedelta(minutes=5) == local.write_every


def test_a_database_mailbox_is_one_whoever_leads_to_it_but_each_passive_copy_is_its_own(two_tiers):
    coverage = covered(two_tiers)

    shared = [
        probe(coverage, items.DEEP_TEST_PROBE, "mbx1", "DB2"),
        probe(coverage, items.CTP_PROBE, "proxy1", "DB2"),
        probe(coverage, items.CTP_PROBE, "imap", "DB2"),
    ]

    assert {"health-db2"} == {p.mailbox for p in shared}
    assert "health-db2 on mbx2" == probe(coverage, items.DEEP_TEST_PROBE, "mbx2", "DB2:passive").mailbox


def test_local_health_mailboxes_of_the_same_name_on_two_servers_do_not_wait_for_each_other(two_tiers):
    coverage = covered(two_tiers)

    assert ["health-local on mbx1", "health-local on mbx2"] == [
        probe(coverage, items.SELF_TEST_PROBE, name, name).mailbox for name in ("mbx1", "mbx2")
    ]


def test_one_account_for_everything_is_still_one_mailbox(one_box):
    account = one_box.databases["DB1"].health_mailbox
    server = replace(one_box.servers["box"], health_mailbox=account)
    coverage = covered(replace(one_box, servers={"box": server}))

    assert {"health-db1"} == {p.mailbox for p in coverage.probes if p.target is not None}


def test_a_proxy_lane_takes_turns_and_outlasts_the_proxys_own_timeout(two_tiers):
    coverage = covered(two_tiers)
    lane = next(lane for lane in coverage.lanes if lane.server == "proxy1")
    touch = probe(coverage, items.CTP_PROBE, "proxy1", "DB1")

    assert ["DB1", "DB2"] == [member.target for member in lane.members]
    assert (timedelta(seconds=30), timedelta(seconds=60)) == (lane.interval, lane.covering_time)
    assert (lane.name, lane.covering_time, timedelta(seconds=11)) == (touch.lane, touch.interval, touch.timeout)


def test_an_access_point_waits_for_the_slowest_proxy_behind_it(two_tiers):
    slow = replace(two_tiers.servers["proxy2"], backend_timeout=timedelta(seconds=40))
    organization = replace(two_tiers, servers={**two_tiers.servers, "proxy2": slow})

    assert timedelta(seconds=43) == probe(covered(organization), items.CTP_PROBE, "imap", "DB1").timeout


def test_where_an_access_point_leads_straight_to_mailbox_servers_only_their_databases_are_tried(two_tiers, moved):
    direct = AccessPoint(name="direct", imap=two_tiers.access_points["imap"].imap, servers=("mbx2",))
    organization = replace(moved(two_tiers, "DB2", "mbx2"), access_points={"direct": direct})
    lane = next(lane for lane in covered(organization).lanes if lane.server == "direct")

    assert (["DB2"], timedelta(minutes=2)) == ([member.target for member in lane.members], lane.interval)


def test_intervals_that_are_set_hold_everywhere(one_box):
    settings = ProbingSettings(self_test_interval=timedelta(seconds=10), ctp_interval=timedelta(seconds=45))
    coverage = covered(one_box, settings)

    assert timedelta(seconds=10) == probe(coverage, items.SELF_TEST_PROBE, "box", "box").interval
    assert timedelta(seconds=45) == probe(coverage, items.CTP_PROBE, "mail.example.net", "DB1").interval


def test_looks_are_no_conversations(one_box):
    disk = probe(covered(one_box), items.DISK_SPACE_CHECK, "box", "/srv/mail")

    assert (None, None, None) == (disk.target, disk.turn_of(), disk.mailbox)


def test_back_ends_are_recognised_by_every_name_of_their_own_and_by_no_shared_one(two_tiers):
    shared = {
        name: replace(server, known_as=server.known_as | {"Cluster.example.net"})
        for name, server in two_tiers.servers.items()
    }

    names = dict(names_of_servers(replace(two_tiers, servers=shared)))

    assert ("mbx1", "mbx1", None) == (names["mbx1"], names["mbx1.example.net"], names.get("cluster.example.net"))
