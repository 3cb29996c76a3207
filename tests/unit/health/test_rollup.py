import pytest

from mailward.health.rollup import groups_of, rollup
from mailward.health.sets import report
from mailward.health.settings import RollupSettings
from mailward.model.monitoring import AlertValue
from mailward.model.organization import AccessPoint, ImapEndpoint, Organization, Role, Server


def an_organization(count: int, *, groups: tuple[str, ...] = ()) -> Organization:
    servers = [
        Server(name=f"mbx{n}", roles=frozenset({Role.MAILBOX}), imap=ImapEndpoint(host="h"), groups=groups)
        for n in range(1, count + 1)
    ]
    return Organization(name="example", servers={server.name: server for server in servers})


@pytest.mark.parametrize(
    ("unhealthy", "expected"),
    [(0, AlertValue.HEALTHY), (1, AlertValue.DEGRADED), (3, AlertValue.DEGRADED), (4, AlertValue.UNHEALTHY)],
)
def test_a_group_is_degraded_rather_than_unhealthy_while_seventy_percent_work(a_status, unhealthy, expected):
    statuses = [
        a_status(AlertValue.UNHEALTHY if n <= unhealthy else AlertValue.HEALTHY, server=f"mbx{n}") for n in range(1, 11)
    ]

    (row,) = rollup(report(statuses), an_organization(10), RollupSettings())

    assert (expected, 10 - unhealthy, 10) == (row.alert_value, row.healthy_servers, row.servers)


def test_the_reason_names_the_numbers_and_the_servers(a_status):
    statuses = [a_status(server="mbx1"), a_status(AlertValue.UNHEALTHY, server="mbx2"), a_status(server="mbx3")]

    (row,) = rollup(report(statuses), an_organization(3), RollupSettings())

    assert "2 of 3 work (66 %, 70 % are needed): mbx2 Unhealthy" == row.because
    assert AlertValue.UNHEALTHY is row.alert_value


def test_what_is_not_known_is_not_called_unhealthy(a_status):
    statuses = [a_status(AlertValue.UNAVAILABLE, server=f"mbx{n}") for n in (1, 2)]

    (row,) = rollup(report(statuses), an_organization(2), RollupSettings())

    assert AlertValue.UNAVAILABLE is row.alert_value


def test_disabled_servers_are_not_counted(a_status):
    statuses = [a_status(server="mbx1"), a_status(AlertValue.DISABLED, server="mbx2")]

    (row,) = rollup(report(statuses), an_organization(2), RollupSettings())
    (off,) = rollup(report(statuses[1:]), an_organization(2), RollupSettings())

    assert (AlertValue.HEALTHY, 1, 1) == (row.alert_value, row.healthy_servers, row.servers)
    assert (AlertValue.DISABLED, "disabled on every server") == (off.alert_value, off.because)


def test_servers_without_a_configured_group_are_grouped_by_role_twelve_at_a_time():
    groups = groups_of(an_organization(25), RollupSettings())

    assert {"mailbox servers 1-12": 12, "mailbox servers 13-24": 12, "mailbox servers 25-25": 1} == {
        name: len(servers) for name, servers in groups.items()
    }
    assert ["mailbox servers"] == list(groups_of(an_organization(12), RollupSettings()))


def test_configured_groups_come_first_and_access_points_are_a_group_of_their_own():
    organization = an_organization(2, groups=("rack-a", "rack-b"))
    point = AccessPoint(name="imap", imap=ImapEndpoint(host="imap.example.net"))

    groups = groups_of(
        Organization(name="example", servers=organization.servers, access_points={"imap": point}), RollupSettings()
    )

    assert {"rack-a": ("mbx1", "mbx2"), "rack-b": ("mbx1", "mbx2"), "access points": ("imap",)} == groups


def test_many_bad_servers_are_named_only_in_part(a_status):
    statuses = [a_status(AlertValue.UNHEALTHY, server=f"mbx{n}") for n in range(1, 10)]

    (row,) = rollup(report(statuses), an_organization(9), RollupSettings())

    assert row.because.endswith("mbx6 Unhealthy and 3 more")
