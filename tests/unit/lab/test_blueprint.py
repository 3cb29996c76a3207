from pathlib import Path

import pytest

from mailward.lab.blueprint import DIRECTORY_LENGTH_MAX, Blueprint, Ports, Shape, draw


def a_blueprint(shape: Shape = Shape.TWO_TIER, *, rootless: bool = False, directory: Path = Path("/lab")) -> Blueprint:
    return draw(shape, directory, network="127.3.4", ports=Ports(), rootless=rootless, user="dovecot", group="dovecot")


@pytest.mark.parametrize("shape", Shape)
def test_every_host_has_an_address_of_its_own_that_is_not_the_probers(shape: Shape) -> None:
    blueprint = a_blueprint(shape)
    addresses = {host.address for host in blueprint.hosts}

    assert len(blueprint.hosts) == len(addresses)
    assert blueprint.prober not in addresses
    assert all(address.startswith("127.3.4.") for address in addresses)


def test_ports_are_open_to_ordinary_users_and_below_those_of_clients() -> None:
    for base in (10_000, 30_000):
        ports = Ports(base=base)
        used = {
            *(ports.imap, ports.imaps, ports.behind_balancer, ports.lmtp),
            *(ports.doveadm, ports.metrics, ports.taken),
        }
        assert 7 == len(used)
        assert all(1024 < port < 32768 for port in used)


def test_two_tiers_have_two_of_each_and_databases_active_on_both_servers() -> None:
    blueprint = a_blueprint()

    assert ["proxy1", "proxy2"] == [host.name for host in blueprint.proxies]
    assert ["be1", "be2"] == [host.name for host in blueprint.mailbox_servers]
    assert {"be1", "be2"} == {database.copies[0] for database in blueprint.databases}
    assert all({"be1", "be2"} == set(database.copies) for database in blueprint.databases)
    assert blueprint.proxies == blueprint.entrances


def test_one_box_is_its_own_entrance() -> None:
    blueprint = a_blueprint(Shape.ONE_BOX)

    assert blueprint.hosts == blueprint.entrances == blueprint.mailbox_servers
    assert () == blueprint.proxies


def test_every_database_and_every_mailbox_server_has_a_health_mailbox_of_its_own() -> None:
    blueprint = a_blueprint()
    names = [database.health_user for database in blueprint.databases]
    names += [blueprint.local_health_user(host) for host in blueprint.mailbox_servers]

    assert len(names) == len(set(names))
    assert "DB3" == getattr(blueprint.database_of("health-db3"), "name", None)
    assert blueprint.database_of("health-be1") is None


def test_a_balancer_stands_beside_the_hosts_that_run_dovecot() -> None:
    blueprint = draw(
        Shape.TWO_TIER,
        Path("/lab"),
        network="127.3.4",
        ports=Ports(),
        rootless=True,
        user="me",
        group="us",
        balanced=True,
    )

    assert blueprint.balancer is not None
    assert blueprint.balancer not in (*blueprint.hosts, *blueprint.entrances)
    assert (*blueprint.hosts, blueprint.balancer) == blueprint.machines
    assert blueprint.balancer == blueprint.host("balancer")
    assert blueprint.balancer.address not in {blueprint.prober, *(host.address for host in blueprint.hosts)}


def test_one_box_has_no_balancer() -> None:
    blueprint = draw(
        Shape.ONE_BOX,
        Path("/lab"),
        network="127.3.4",
        ports=Ports(),
        rootless=True,
        user="me",
        group="us",
        balanced=True,
    )

    assert blueprint.balancer is None


def test_an_unknown_host_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        a_blueprint().host("nosuch")


def test_sockets_below_the_longest_allowed_directory_fit_into_what_unix_allows() -> None:
    host = a_blueprint(directory=Path("/" + "d" * (DIRECTORY_LENGTH_MAX - 1))).host("proxy1")

    for socket in (
        "replication-notify-fifo",
        "token-login/imap-urlauth",
        "auth-token-tokenlogin",
        "anvil-auth-penalty",
    ):
        assert len(str(host.directory / "run" / socket)) < 108
    assert len(str(host.control_socket)) < 108
