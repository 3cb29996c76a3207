import tomllib
from pathlib import Path

import pytest

from mailward.config.building import build
from mailward.config.sources import read_sources
from mailward.config.validation import validate
from mailward.lab.blueprint import Ports, Shape, draw
from mailward.lab.watch_configuration import Timings, render_configuration, write_configuration
from mailward.model.organization import Organization


def watched(shape: Shape, directory: Path, timings: Timings) -> Organization:
    blueprint = draw(shape, directory, network="127.9.9", ports=Ports(), rootless=True, user="me", group="us")
    file = write_configuration(blueprint, timings=timings)
    validated = validate(read_sources(file))
    assert validated.configuration is not None
    return build(validated.configuration, file.parent).organization


@pytest.mark.parametrize("timings", Timings)
@pytest.mark.parametrize("shape", Shape)
def test_it_is_a_valid_configuration(shape: Shape, timings: Timings, tmp_path: Path) -> None:
    assert "lab" == watched(shape, tmp_path, timings).name


def test_two_tiers_are_described_as_they_are(tmp_path: Path) -> None:
    organization = watched(Shape.TWO_TIER, tmp_path, Timings.DEFAULT)

    assert ["proxy1", "proxy2"] == [server.name for server in organization.proxies]
    assert ["be1", "be2"] == [server.name for server in organization.mailbox_servers]
    assert ["DB3", "DB4"] == [database.name for database in organization.active_on("be2")]
    assert 8 == organization.servers["proxy1"].backend_timeout.total_seconds()


def test_every_probe_comes_from_the_probers_address_and_expects_the_hosts_name(tmp_path: Path) -> None:
    for server in watched(Shape.TWO_TIER, tmp_path, Timings.DEFAULT).servers.values():
        assert "127.9.9.5" == server.imap.source_address
        assert f"{server.name}.lab.example" == server.imap.tls.expected_name
        assert str(tmp_path / "ca.pem") == server.imap.tls.ca_file


def test_one_box_has_a_public_name(tmp_path: Path) -> None:
    organization = watched(Shape.ONE_BOX, tmp_path, Timings.DEFAULT)

    (access_point,) = organization.access_points.values()
    assert ("imap.lab.example", ("mail",)) == (access_point.name, access_point.servers)


def test_short_timings_change_intervals_and_no_time_out() -> None:
    blueprint = draw(
        Shape.TWO_TIER, Path("/lab"), network="127.9.9", ports=Ports(), rootless=True, user="me", group="us"
    )
    usual = tomllib.loads(render_configuration(blueprint, timings=Timings.DEFAULT))
    short = tomllib.loads(render_configuration(blueprint, timings=Timings.SHORT))

    probes = short.pop("probes")
    assert {"ImapCTPMonitor"} == short.pop("monitors").keys(), "a window as short as the intervals"
    assert usual == short
    assert not [key for table in probes.values() for key in table if "timeout" in key]


def test_it_holds_no_password() -> None:
    blueprint = draw(
        Shape.TWO_TIER, Path("/lab"), network="127.9.9", ports=Ports(), rootless=True, user="me", group="us"
    )
    text = render_configuration(blueprint, timings=Timings.DEFAULT)

    secrets = [line for line in text.splitlines() if "password" in line and "=" in line]

    assert 2 == len(secrets)
    assert all(line.startswith('password_file = "/') for line in secrets)
