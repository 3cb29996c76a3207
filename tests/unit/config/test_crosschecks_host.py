"""What a host or an access point needs to be controlled is asked for when it is written."""

import json

import pytest

from mailward.config.load import load, read

SERVERS = """
[organization]
name = "example"
[servers.be1]
roles = ["mailbox"]
[servers.proxy1]
roles = ["proxy"]
[servers.proxy2]
roles = ["proxy"]
"""


@pytest.mark.parametrize(
    ("more", "texts"),
    [
        (
            "[servers.be1.host]\nservice = 'command'",
            [
                'servers.be1.host.commands.start is missing; service = "command" needs it',
                'servers.be1.host.commands.status is missing; service = "command" needs it',
            ],
        ),
        (
            "[servers.be1.host]\nservice = 'systemd:dovecot'\ncommands.stop = ['x']",
            ['servers.be1.host.commands.stop is used with host.service = "command" alone'],
        ),
        (
            "[servers.be1.host]\ncommands.stop = ['x']\ncommands.boot-id = ['x']",
            [
                'servers.be1.host.commands.boot-id is used with host.control = "command" alone',
                'servers.be1.host.commands.stop is used with host.service = "command" alone',
            ],
        ),
        (
            "[servers.be1.host]\ncontrol = 'command'\ncommands.boot-id = ['x']",
            ['servers.be1.host.commands.restart-server is missing; control = "command" needs it'],
        ),
        (
            "[servers.be1]\nrestartable = true",
            [
                "servers.be1.restartable needs host.control, by which the machine is restarted:"
                ' "systemd", "supervisor:SOCKET" or "command"'
            ],
        ),
        ("[servers.be1]\nrestartable = true\nhost.control = 'systemd'", []),
        ("[servers.be1]\nrestartable = false", []),
        (
            "[servers.be1]\nrestartable = true\nhost.control = 'ipmi'",
            ['servers.be1.host.control must be "systemd", "supervisor:SOCKET" or "command"'],
        ),
        (
            "[servers.be1.host]\nreach = 'ssh:u@be1'\nservice = 'pidfile:x'\ncontrol = 'supervisor:y'",
            [
                "servers.be1.host.control looks at this machine, but host.reach leads to another;"
                ' use "systemd" or "command"',
                'servers.be1.host.service looks at this machine, but host.reach leads to another; use "systemd:UNIT"',
            ],
        ),
        ("[servers.be1.host]\nreach = 'ssh:u@be1'\nservice = 'systemd:x'\ncontrol = 'systemd'", []),
        *(
            (
                f"[servers.be1.host]\nreach = 'ssh:u@be1'\nservice = '{service}'",
                ['servers.be1.host.service looks at this machine, but host.reach leads to another; use "systemd:UNIT"'],
            )
            for service in ("doveadm:/etc/dovecot/dovecot.conf", "supervisor:/run/x")
        ),
        (
            "[servers.be1.host]\nreach = 'ssh:u@be1'\nservice = 'systemd:x'\ncontrol = 'command'\n"
            "commands = { restart-server = ['virsh', 'reset', 'be1'], boot-id = ['/x'] }",
            [],
        ),
        *(
            (
                f"[servers.be1.host]\nreach = 'ssh:u@be1'\ndoveadm = '{doveadm}'",
                [
                    "servers.be1.host.doveadm names a file of this machine, but host.reach leads to another;"
                    ' use the name of its dovecot.conf there, such as "/etc/dovecot/dovecot.conf"'
                ],
            )
            for doveadm in ("dovecot.conf", "~/dovecot.conf", "{name}.conf")
        ),
        ("[servers.be1.host]\nreach = 'ssh:u@be1'\ndoveadm = '/etc/dovecot/dovecot.conf'", []),
        ("[servers.be1.host]\ndoveadm = 'dovecot.conf'", []),
        (
            "[access_points.a]\nservers = ['proxy1']\ncontrol = 'haproxy:x'",
            ["access_points.a.backend is missing; name HAProxy's backend the proxies are in"],
        ),
        (
            "[access_points.a]\nservers = ['proxy1']\ncontrol = 'health-page'\nbackend = 'x'\nmembers.proxy1 = 'a'",
            [
                'access_points.a.backend is used with control = "haproxy:SOCKET" alone',
                'access_points.a.members is used with control = "haproxy:SOCKET" alone',
            ],
        ),
        (
            "[access_points.a]\nservers = ['proxy1']\ncontrol = 'haproxy:x'\nbackend = 'x'\nmembers.proxy2 = 'a'",
            ['access_points.a.members.proxy2 names "proxy2", which is not among its servers; did you mean "proxy1"?'],
        ),
        (
            "[access_points.a]\nservers = ['proxy1']\ncontrol = 'haproxy:x'\nbackend = 'x'\n"
            "members = { proxy1 = 'a', PROXY1 = 'b' }",
            ['access_points.a.members.PROXY1 names "PROXY1" twice'],
        ),
        (
            "[access_points.a]\nservers = ['proxy1', 'proxy2']\ncontrol = 'haproxy:x'\nbackend = 'x'\n"
            "members = { proxy1 = 'a', proxy2 = 'a' }",
            ['access_points.a.members.proxy2 has the name "a", which proxy1 has'],
        ),
    ],
)
def test_words_that_need_each_other_are_asked_for(write, more, texts, mistakes_of):
    assert texts == sorted(mistakes_of(write(SERVERS, more=more)))


def test_a_name_that_is_no_host_is_told_where_it_would_be_one(write, mistakes_of):
    main = write(SERVERS, more="[servers.mail_1]\nroles = ['proxy']\nhost.reach = 'ssh:u@{name}.example.org'")

    text = "'ssh:u@mail_1.example.org' is not ssh:USER@HOST or ssh:USER@HOST:PORT"
    assert [f"servers.mail_1.host.reach leads nowhere for server mail_1: {text}"] == mistakes_of(main)


PEERS = """
[servers.be1.host]
reach = "REACH"
doveadm = "/etc/dovecot/dovecot.conf"
replication_address = "tcp:[2001:db8::1]:12345"
[servers.be2]
roles = ["mailbox"]
host.replication_address = "ADDRESS"
"""


@pytest.mark.parametrize("address", ["tcp:[2001:db8::2]:12345", "tcp:a;b:1", "tcps:größe:1", "tcp:-x:1"])
def test_an_address_that_a_host_behind_ssh_cannot_be_told_is_found_where_it_is_written(address, write):
    main = write(SERVERS, more=PEERS.replace("REACH", "ssh:u@be1").replace("ADDRESS", address))

    (mistake,) = read(main).mistakes
    text = (
        "is no address that be1, which is reached by ssh, can be told: tcp:HOST:PORT or tcps:HOST:PORT, HOST a name or"
    )
    assert f"servers.be2.host.replication_address {text} IPv4" == mistake.text
    assert ("more.toml", 8) == (mistake.file.name, mistake.line)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        *(
            (address, 'must be "tcp:HOST:PORT" or "tcps:HOST:PORT"')
            for address in ("be2", "be2:1", "ssh:be2:1", "tcp:1")
        ),
        *((f"tcp:be2:{port}", "must end with a port from 1 to 65535") for port in (0, 65536, 99999)),
    ],
)
@pytest.mark.parametrize("reach", ["local", "ssh:u@be1"])
def test_an_address_that_is_none_is_told_in_its_own_words(address, text, reach, write):
    main = write(SERVERS, more=PEERS.replace("REACH", reach).replace("ADDRESS", address))

    (mistake,) = read(main).mistakes
    assert ("more.toml", 8) == (mistake.file.name, mistake.line)
    assert f"servers.be2.host.replication_address {text}" == mistake.text


@pytest.mark.parametrize(
    ("reach", "address"), [("local", "tcp:[2001:db8::2]:12345"), ("ssh:u@be1", "tcps:{name}.example.org:12345")]
)
def test_an_address_that_can_be_told_is_none(reach, address, write, mistakes_of):
    assert [] == mistakes_of(write(SERVERS, more=PEERS.replace("REACH", reach).replace("ADDRESS", address)))


@pytest.mark.parametrize(
    ("words", "before"),
    [
        (["power", "--password=hunter2"], "--password="),
        (["power", "--PASSWORD=hunter2"], "--PASSWORD="),
        (["power", "password=hunter2", "cycle"], "password="),
        (["power", "--ipmi-passwd=hunter2"], "--ipmi-passwd="),
        (["curl", "--api-key=hunter2"], "--api-key="),
        (["sh", "-c", "power --token=hunter2 cycle"], "--token="),
        (["power", "--secret", "hunter2"], "--secret"),
        (["sh", "-c", "power --token hunter2 cycle"], "--token"),
        (["sh", "-c", 'exec power --token "hunter2" cycle'], "--token"),
        (["sh", "-c", "power --token hunter2 it's"], "--token"),
        (["curl", "-H", "Authorization: Bearer hunter2"], "Authorization: Bearer"),
        (["curl", "--header=authorization:basic hunter2", "x"], "authorization:basic"),
        (["sh", "-c", "curl -H 'Authorization: Bearer hunter2' https://power"], "Authorization: Bearer"),
        (["curl", "-H", "Proxy-Authorization: Token hunter2"], "Authorization: Token"),
    ],
)
def test_a_secret_among_the_words_of_a_command_is_a_mistake_and_not_repeated(words, before, write):
    commands = f"commands.boot-id = ['x']\ncommands.restart-server = {json.dumps(words)}"
    main = write(SERVERS, more=f"[servers.be1.host]\ncontrol = 'command'\n{commands}")

    (mistake,) = read(main).mistakes

    assert mistake.text.startswith(f'servers.be1.host.commands.restart-server has a secret after "{before}"')
    assert ("more.toml", 4) == (mistake.file.name, mistake.line)
    assert "read it from a file" in mistake.text
    assert "hunter2" not in str(mistake)


@pytest.mark.parametrize(
    "words",
    [
        ["power", "--password-file=/etc/x"], ["power", "--password-file", "/etc/x"], ["power", "--password=/etc/x"],
        ["power", "--password", "--cycle"], ["curl", "--token=@/etc/x"], ["openssl", "--password", "file:/x"],
        ["passwd", "--status"], ["power", "--password="], ["power", "-p", "x"], ["power", "secret"],
        ["sh", "-c", "power --token $(cat /etc/x)"], ["sh", "-c", "power --token \"$TOKEN\" cycle"],
        ["sh", "-c", "power --password /etc/x"], ["sh", "-c", "curl -H \"Authorization: Bearer $TOKEN\" x"],
        ["curl", "-H", "Authorization: Bearer"], ["echo", "authorization: none"], ["sh", "-c", "power --password"],
    ],
)  # fmt: skip
def test_what_is_no_secret_is_let_through(words, write, mistakes_of):
    commands = f"commands.boot-id = ['x']\ncommands.restart-server = {json.dumps(words)}"

    assert [] == mistakes_of(write(SERVERS, more=f"[servers.be1.host]\ncontrol = 'command'\n{commands}"))


@pytest.mark.parametrize("reach", ["local", "ssh:u@be1"])
@pytest.mark.parametrize("unit", ["--now", "-Hroot@x", "a b", "dovecot/x"])
def test_a_unit_that_could_be_none_is_found_before_the_manager_refuses_to_start(unit, reach, write, mistakes_of):
    main = write(SERVERS, more=f"[servers.be1.host]\nreach = '{reach}'\nservice = 'systemd:{unit}'")

    text = f'{unit!r} cannot be the name of a systemd unit; write it as systemctl does, such as "dovecot.service"'
    assert [f"servers.be1.host.service leads nowhere for server be1: {text}"] == mistakes_of(main)


@pytest.mark.parametrize("unit", ["dovecot", "dovecot.service", "dovecot@{name}.service", r"imap-a\x2db.service"])
def test_a_unit_by_any_name_that_systemd_allows(unit, write, mistakes_of):
    assert [] == mistakes_of(write(SERVERS, more=f"[servers.be1.host]\nservice = 'systemd:{unit}'"))


def test_a_server_may_decide_for_another_service_than_its_group(write):
    group = (
        "[groups.g]\nservers = ['*']\nhost.service = 'command'\n"
        "host.commands = { status = ['/x', '{name}'], start = ['/y', '{ print $1 }'] }"
    )
    main = write(SERVERS, group=group, own="[servers.be1]\nhost.service = 'systemd:dovecot'")

    servers = load(main).organization.servers

    assert ("command", "systemd:dovecot") == (servers["proxy1"].host.service, servers["be1"].host.service)
    assert {"status": ("/x", "proxy1"), "start": ("/y", "{ print $1 }")} == servers["proxy1"].host.commands


def test_hosts_and_access_points_become_values(write, tmp_path):
    more = """
[servers.be1]
site = "site-{name}"
restartable = true
[servers.be1.host]
service = "doveadm:dovecot.conf"
control = "supervisor:door-{name}"
reach = "local"
healer_marks = ["/run/cluster", "mark"]
[servers.proxy1.host]
service = "systemd:dovecot@{name}"
reach = "ssh:mailward@{name}.example.org:2222"
[access_points.imap]
servers = ["proxy1", "Proxy2"]
control = "haproxy:admin.sock"
backend = "imap"
members = { PROXY2 = "px-2" }
"""
    organization = load(write(SERVERS, more=more)).organization

    be1, proxy1 = organization.servers["be1"], organization.servers["proxy1"]
    assert ("site-be1", True, False) == (be1.site, be1.restartable, proxy1.restartable)
    assert (f"doveadm:{tmp_path}/dovecot.conf", f"supervisor:{tmp_path}/door-be1") == (
        be1.host.service,
        be1.host.control,
    )
    assert ("local", ("/run/cluster", f"{tmp_path}/mark")) == (be1.host.reach, be1.host.healer_marks)
    assert ("systemd:dovecot@proxy1", "ssh:mailward@proxy1.example.org:2222") == (
        proxy1.host.service,
        proxy1.host.reach,
    )
    access_point = organization.access_points["imap"]
    assert (f"haproxy:{tmp_path}/admin.sock", "imap", {"proxy2": "px-2"}) == (
        access_point.control,
        access_point.backend,
        access_point.members,
    )


def test_the_stop_file_lies_beside_the_configuration(write, tmp_path, monkeypatch):
    write(SERVERS)
    monkeypatch.chdir(tmp_path)

    assert str(tmp_path / "STOP") == load(tmp_path).stop_file == load(type(tmp_path)("mailward.toml")).stop_file
