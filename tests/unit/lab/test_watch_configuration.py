import tomllib
from pathlib import Path

import pytest

from mailward.config.building import build
from mailward.config.sources import read_sources
from mailward.config.validation import validate
from mailward.lab.blueprint import Blueprint, Ports, Shape, draw
from mailward.lab.watch_configuration import Timings, render_configuration, write_configuration
from mailward.model import items
from mailward.model.organization import Organization
from mailward.model.recovery import ActionClass, Mode
from mailward.ports.settings import Snapshot
from mailward.recovery.settings import RecoverySettings


def planned(shape: Shape, directory: Path = Path("/lab"), *, balanced: bool = False) -> Blueprint:
    return draw(
        shape, directory, network="127.9.9", ports=Ports(), rootless=True, user="me", group="us", balanced=balanced
    )


def snapshot(blueprint: Blueprint, *, timings: Timings = Timings.DEFAULT, mode: str | None = None) -> Snapshot:
    file = write_configuration(blueprint, timings=timings, mode=mode)
    validated = validate(read_sources(file))
    assert validated.configuration is not None
    return build(validated.configuration, file.parent)


def watched(shape: Shape, directory: Path, timings: Timings) -> Organization:
    return snapshot(planned(shape, directory), timings=timings).organization


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


def test_two_tiers_behind_haproxy_have_a_public_name_that_a_proxy_can_be_taken_out_of(tmp_path: Path) -> None:
    (point,) = snapshot(planned(Shape.TWO_TIER, tmp_path, balanced=True)).organization.access_points.values()

    assert ("imap.lab.example", ("proxy1", "proxy2")) == (point.name, point.servers)
    assert ("127.9.9.10", "imap.lab.example") == (point.imap.host, point.imap.tls.expected_name)
    assert (f"haproxy:{tmp_path}/balancer/haproxy.sock", "proxies") == (point.control, point.backend)


def test_without_haproxy_two_tiers_have_no_access_point(tmp_path: Path) -> None:
    assert {} == watched(Shape.TWO_TIER, tmp_path, Timings.DEFAULT).access_points


def test_hosts_of_two_tiers_can_be_restarted_and_one_box_cannot(tmp_path: Path) -> None:
    for server in watched(Shape.TWO_TIER, tmp_path, Timings.DEFAULT).servers.values():
        assert (True, f"supervisor:{tmp_path}/{server.name}/control.sock") == (server.restartable, server.host.control)
    assert not watched(Shape.ONE_BOX, tmp_path, Timings.DEFAULT).servers["mail"].restartable


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_holds_for_every_class_of_action(mode: Mode, tmp_path: Path) -> None:
    recovery = snapshot(planned(Shape.TWO_TIER, tmp_path), mode=mode.value).recovery

    assert {mode} == {recovery.mode_of(action) for action in ActionClass}


def test_without_a_mode_nothing_is_said_of_recovery(tmp_path: Path) -> None:
    assert RecoverySettings() == snapshot(planned(Shape.TWO_TIER, tmp_path), timings=Timings.SHORT).recovery


def test_short_timings_shorten_waits_and_not_the_patience(tmp_path: Path) -> None:
    usual = RecoverySettings()
    short = snapshot(planned(Shape.ONE_BOX, tmp_path), timings=Timings.SHORT, mode="act").recovery

    assert usual.patience == short.patience
    assert usual.throttles == short.throttles
    assert short.settle < usual.settle
    assert short.server_settle < usual.server_settle
    assert short.look_again < usual.look_again


def test_short_timings_change_intervals_and_no_time_out() -> None:
    blueprint = planned(Shape.TWO_TIER)
    usual = tomllib.loads(render_configuration(blueprint, timings=Timings.DEFAULT))
    short = tomllib.loads(render_configuration(blueprint, timings=Timings.SHORT))

    probes = short.pop("probes")
    assert {"moves": {"poll_every": "2s"}} == {"moves": short.pop("moves")}
    monitors = {"ImapCTPMonitor": "a window as short as the intervals", items.COMMAND_TIME_MONITOR: "a limit to reach"}
    assert monitors.keys() == short.pop("monitors").keys()
    assert usual == short
    assert not [key for table in probes.values() for key in table if "timeout" in key]


def test_it_holds_no_password() -> None:
    blueprint = planned(Shape.TWO_TIER)
    text = render_configuration(blueprint, timings=Timings.DEFAULT)

    secrets = [line for line in text.splitlines() if "password" in line and "=" in line]

    assert 2 == len(secrets)
    assert all(line.startswith('password_file = "/') for line in secrets)
