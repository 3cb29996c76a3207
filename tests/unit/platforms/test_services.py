import pytest

from mailward.model.errors import ConfigError, Refused
from mailward.model.organization import HostAccess, ImapEndpoint, Role, Server
from mailward.platforms.command.host import CommandHost
from mailward.platforms.command.service import CommandService
from mailward.platforms.dovecot.service import DovecotService
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.reach.remote_host import RemoteHost
from mailward.platforms.reach.remote_service import RemoteService
from mailward.platforms.services import host_control_for, service_control_for
from mailward.platforms.supervisor.host import SupervisedHost
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.platforms.systemd.host import SystemdHost
from mailward.platforms.systemd.systemd_service import SystemdService
from mailward.ports.service_control import ServiceDeed

STATUS = {"status": ("/opt/imap", "status")}
POWER = {"restart-server": ("power", "cycle"), "boot-id": ("power", "boots")}


def a_server(service=None, *, platform="imap", **access):
    return Server(
        name="be1",
        roles=frozenset({Role.MAILBOX}),
        imap=ImapEndpoint(host="127.0.0.1"),
        platform=platform,
        host=HostAccess(service=service, **access),
    )


@pytest.mark.parametrize(
    ("service", "access", "kind"),
    [
        ("supervisor:/run/control.sock", {}, SupervisedService),
        ("pidfile:/run/dovecot/master.pid", {}, PidFileService),
        ("systemd:dovecot.service", {}, SystemdService),
        ("doveadm:/etc/dovecot/dovecot.conf", {}, DovecotService),
        ("command", {"commands": STATUS}, CommandService),
        ("systemd:dovecot.service", {"reach": "ssh:mailward-host@mbx1"}, RemoteService),
    ],
)
def test_each_kind_of_service_has_its_control(service, access, kind):
    assert kind is type(service_control_for(a_server(service, **access)))


@pytest.mark.parametrize(
    ("control", "access", "kind"),
    [
        ("supervisor:/run/control.sock", {}, SupervisedHost),
        ("systemd", {}, SystemdHost),
        ("command", {"commands": POWER}, CommandHost),
        ("systemd", {"reach": "ssh:mailward-host@mbx1:2222"}, RemoteHost),
        ("command", {"commands": POWER, "reach": "ssh:mailward-host@mbx1"}, CommandHost),
    ],
)
def test_each_kind_of_host_has_its_control(control, access, kind):
    assert kind is type(host_control_for(a_server(control=control, **access)))


def test_a_server_without_service_or_control_has_none():
    assert (None, None) == (service_control_for(a_server()), host_control_for(a_server()))


@pytest.mark.parametrize("service", ["launchd:x", "supervisor", "supervisor:", "/run/x", "", "command:x"])
def test_anything_else_is_a_mistake_of_the_configuration_that_names_the_known_kinds(service):
    known = "supervisor:…, pidfile:…, systemd:…, doveadm:…, command"
    with pytest.raises(ConfigError, match=f"server be1: service = .* is none of {known}"):
        service_control_for(a_server(service))


@pytest.mark.parametrize("control", ["", "systemd:x", "supervisor:", "ipmi", "/run/x"])
def test_any_other_control_is_a_mistake_that_names_the_known_kinds(control):
    with pytest.raises(ConfigError, match="server be1: control = .* is none of supervisor:…, systemd, command"):
        host_control_for(a_server(control=control))


@pytest.mark.parametrize("service", ["supervisor:/x", "pidfile:/x", "doveadm:/x", "command", "systemd:"])
def test_over_ssh_only_a_unit_of_systemd_can_be_controlled(service):
    with pytest.raises(ConfigError, match="only systemd:UNIT is possible"):
        service_control_for(a_server(service, reach="ssh:mailward-host@mbx1", commands=STATUS))


def test_over_ssh_no_supervisor_can_be_asked():
    with pytest.raises(ConfigError, match="is none of systemd, command"):
        host_control_for(a_server(control="supervisor:/x", reach="ssh:mailward-host@mbx1"))


@pytest.mark.parametrize("reach", ["", "mbx1", "ssh:mbx1", "ssh:u@-x"])
def test_a_wrong_reach_is_a_mistake_of_the_configuration(reach):
    with pytest.raises(ConfigError, match=r"server be1: reach = .* is not ssh:USER@HOST"):
        service_control_for(a_server("systemd:dovecot", reach=reach))


@pytest.mark.parametrize("unit", ["-x", "a b"])
def test_a_wrong_unit_is_a_mistake_of_the_configuration(unit):
    with pytest.raises(ConfigError, match="server be1: .* cannot be the name of a systemd unit"):
        service_control_for(a_server(f"systemd:{unit}"))


@pytest.mark.parametrize("missing", ["restart-server", "boot-id"])
def test_programs_that_are_missing_are_a_mistake_of_the_configuration(missing):
    commands = {verb: argv for verb, argv in POWER.items() if verb != missing}

    with pytest.raises(ConfigError, match=f"needs commands.{missing}"):
        host_control_for(a_server(control="command", commands=commands))


def test_a_service_without_status_is_a_mistake_of_the_configuration():
    with pytest.raises(ConfigError, match="needs commands.status"):
        service_control_for(a_server("command", commands={"start": ("x",)}))


def test_the_environment_names_other_key_files(monkeypatch):
    monkeypatch.setenv("MAILWARD_SSH_KEY", "/etc/mailward/key")
    monkeypatch.setenv("MAILWARD_KNOWN_HOSTS", "/etc/mailward/hosts")

    words = service_control_for(a_server("systemd:x", reach="ssh:u@mbx1")).command(ServiceDeed.START)

    assert ("/etc/mailward/key", True) == (
        words[words.index("-i") + 1],
        'UserKnownHostsFile="/etc/mailward/hosts"' in words,
    )


async def test_marks_on_the_host_are_looked_at_whatever_controls_the_service(tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    marks = (str(mark),)

    for service in ("pidfile:/nosuch", "doveadm:/nosuch"):
        said = await service_control_for(a_server(service, healer_marks=marks)).others_at_work()
        assert f"{mark} exists: another manager is at work" in said


async def test_a_pid_file_of_anything_but_dovecot_cannot_be_checked():
    assert None is (await service_control_for(a_server("pidfile:/nosuch")).check_configuration()).is_valid


def test_a_refusal_is_about_the_platform():
    with pytest.raises(Refused, match="commands.start is not configured"):
        service_control_for(a_server("command", commands=STATUS)).command(ServiceDeed.START)
