from pathlib import Path

import pytest

from mailward.config.sources import Sources
from mailward.config.validation import validate


def mistakes_in(tree: dict[str, object]) -> list[str]:
    validated = validate(Sources(directory=Path("/nowhere"), files=(), tree=tree))
    return [mistake.text for mistake in validated.mistakes]


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"servers": {"a": {"sentinel": 1}}}, "servers.a.sentinel must be true or false"),
        ({"servers": {"a": {"imap": {"port": "x"}}}}, "servers.a.imap.port must be a whole number"),
        ({"servers": {"a": {"imap": {"port": 1.5}}}}, "servers.a.imap.port must be a whole number"),
        ({"servers": {"a": {"imap": {"port": True}}}}, "servers.a.imap.port must be a whole number"),
        ({"servers": {"a": {"imap": {"port": 0}}}}, "servers.a.imap.port must be at least 1"),
        ({"servers": {"a": {"imap": {"port": 65536}}}}, "servers.a.imap.port must be at most 65535"),
        ({"servers": {"a": {"imap": {"host": ""}}}}, "servers.a.imap.host must not be empty"),
        ({"servers": {"a": {"imap": {"host": "x" * 5000}}}}, "servers.a.imap.host is too long"),
        (
            {"servers": {"a": {"imap": {"host": "a\nb"}}}},
            "servers.a.imap.host must be one line of text without control characters",
        ),
        ({"servers": {"a": {"imap": {"host": 5}}}}, "servers.a.imap.host must be text in quotation marks"),
        ({"servers": {"a": {"known_as": "x"}}}, 'servers.a.known_as must be a list, such as ["a", "b"]'),
        ({"servers": {"a": {"imap": 5}}}, "servers.a.imap must be a table"),
        ({"servers": {"a": 5}}, "servers.a must be a table"),
        ({"servers": 5}, "servers must be a table"),
        (
            {"servers": {"a": {"host": {"service": "dovecot"}}}},
            'servers.a.host.service must be "systemd:UNIT", "doveadm:CONFIG", "pidfile:FILE", "supervisor:SOCKET" or'
            ' "command"',
        ),
        (
            {"servers": {"a": {"host": {"control": "ipmi:x"}}}},
            'servers.a.host.control must be "systemd", "supervisor:SOCKET" or "command"',
        ),
        *(
            ({"servers": {"a": {"lmtp": wrong}}}, 'servers.a.lmtp must be "tcp:HOST:PORT" or "unix:/SOCKET"')
            for wrong in ("proxy1:24", "tcp:proxy1", "tcp::24", "tcp:proxy1:0", "tcp:proxy1:65536", "unix:lmtp")
        ),
        (
            {"access_points": {"a": {"control": "nginx:x"}}},
            'access_points.a.control must be "haproxy:SOCKET" or "health-page"',
        ),
        (
            {"access_points": {"a": {"members": {"p1": "a b"}}}},
            "access_points.a.members.p1 must be a name in HAProxy: letters, digits, and any of _ . : -",
        ),
        (
            {"servers": {"a": {"host": {"commands": {"status": []}}}}},
            "servers.a.host.commands.status must not be empty",
        ),
        (
            {"servers": {"a": {"host": {"commands": {"status": ["bin/x"]}}}}},
            "servers.a.host.commands.status must begin with an absolute path, or with the plain name of a program",
        ),
        (
            {"servers": {"a": {"host": {"commands": {"status": "x -y"}}}}},
            'servers.a.host.commands.status must be a list, such as ["a", "b"]',
        ),
        (
            {"servers": {"a": {"host": {"commands": {"restart_server": ["x"]}}}}},
            'servers.a.host.commands.restart_server is not known; did you mean "restart-server"?',
        ),
        ({"escalation": {"guidelines": "a\x00b"}}, "escalation.guidelines must be text without control characters"),
        (
            {"escalation": {"repeat_after": "5s"}},
            "escalation.repeat_after must be at least one minute, or people would be told nothing else",
        ),
        ({"recovery": {"blast_radius_percent": 101}}, "recovery.blast_radius_percent must be at most 100"),
        (
            {"recovery": {"look_again": "10ms"}},
            "recovery.look_again must be at least one second, or the servers would be flooded",
        ),
        (
            {"recovery": {"throttles": {"move_apart": "0s"}}},
            "recovery.throttles.move_apart must be longer than nothing",
        ),
        (
            {"notify": {"a": {"recipients": ["a@b", "Name <a@b>"]}}},
            'notify.a.recipients must be a mail address and nothing else, such as "postmaster@example.org"',
        ),
        ({"notify": {"a": {"url": "ftp://x/"}}}, "notify.a.url must be a web address: https://HOST/PATH, or http:"),
        ({"notify": {"a": {"url": "https:///x"}}}, "notify.a.url must be a web address: https://HOST/PATH, or http:"),
        (
            {"notify": {"a": {"token": "x"}}},
            "notify.a.token would be a token in the configuration, which many people can read; write it to a file of"
            " its own and give bearer_token_file, or use bearer_token_environment or bearer_token_credential",
        ),
        ({"rollup": {"minimum_percent": float("nan")}}, None),
    ],
)
def test_what_is_not_of_its_kind_is_told_what_it_must_be(tree, text):
    (found,) = mistakes_in(tree)

    assert text is None or text == found


@pytest.mark.parametrize(
    "reach",
    [
        *(
            "",
            "ssh:",
            "ssh:host",
            "ssh:-oProxyCommand=x@host",
            "ssh:u@-host",
            "ssh:u@h:0",
            "ssh:u@h:65536",
            "ssh:u@h h",
        ),
        *("ssh:u@h:", "telnet:u@h", "local:x", "ssh:u@h;x"),
    ],
)
def test_what_is_no_way_to_a_host_is_refused(reach):
    (found,) = mistakes_in({"servers": {"a": {"host": {"reach": reach}}}})

    assert found.startswith("servers.a.host.reach must ")


@pytest.mark.parametrize(
    "reach", ["local", "ssh:u@h", "ssh:mail-ward@{name}.example.org:22", "ssh:u@[2001:db8::1]:2222", "ssh:u@192.0.2.1"]
)
def test_a_way_to_a_host_is_accepted(reach):
    assert [] == mistakes_in({"servers": {"a": {"host": {"reach": reach}}}})


def test_a_server_may_be_called_like_a_secret():
    assert [] == mistakes_in({"servers": {"token": {"roles": ["proxy"]}}, "groups": {"secret": {"servers": ["token"]}}})


def test_what_is_wrong_is_taken_out_and_the_rest_is_kept():
    tree = {"servers": {"a": {"roles": ["proxy"], "imap": {"port": 0, "host": "x"}}}}

    validated = validate(Sources(directory=Path("/nowhere"), files=(), tree=tree))

    assert ("x", None) == (
        validated.configuration.servers["a"].imap.host,
        validated.configuration.servers["a"].imap.port,
    )
    assert validated.was_given(("servers", "a", "imap", "port"))
    assert not validated.was_given(("servers", "a", "imap", "host"))


def test_a_wrong_item_of_a_list_takes_the_list_with_it_and_is_said_once_for_each():
    assert 2 == len(mistakes_in({"servers": {"a": {"roles": ["prxy", "mailbox", "x"]}}}))
