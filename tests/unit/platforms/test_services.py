import pytest

from mailward.model.errors import ConfigError
from mailward.model.organization import HostAccess, ImapEndpoint, Role, Server
from mailward.platforms.linux.pid_file_service import PidFileService
from mailward.platforms.services import service_control_for
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.platforms.systemd.systemd_service import SystemdService


def a_server(service):
    return Server(
        name="be1",
        roles=frozenset({Role.MAILBOX}),
        imap=ImapEndpoint(host="127.0.0.1"),
        host=HostAccess(service=service),
    )


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("supervisor:/run/control.sock", SupervisedService),
        ("pidfile:/run/dovecot/master.pid", PidFileService),
        ("systemd:dovecot.service", SystemdService),
    ],
)
def test_each_kind_of_service_has_its_control(service, kind):
    assert kind is type(service_control_for(a_server(service)))


def test_a_server_without_service_has_no_control():
    assert service_control_for(a_server(None)) is None


@pytest.mark.parametrize("service", ["launchd:x", "supervisor", "supervisor:", "/run/x", ""])
def test_anything_else_is_a_mistake_of_the_configuration_that_names_the_known_kinds(service):
    with pytest.raises(ConfigError, match="server be1: service = .* is none of supervisor:…, pidfile:…, systemd:…"):
        service_control_for(a_server(service))
