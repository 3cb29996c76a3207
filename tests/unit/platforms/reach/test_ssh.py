from itertools import pairwise
from pathlib import Path

import pytest

from mailward.model.errors import ConfigError, Refused, TemporaryFailure
from mailward.platforms.reach.ssh import Destination, SshRunner, destination


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        ("ssh:mailward-host@mbx1", Destination(user="mailward-host", host="mbx1")),
        ("ssh:u@mbx1.example.net:2222", Destination(user="u", host="mbx1.example.net", port=2222)),
        ("ssh:u@192.0.2.1", Destination(user="u", host="192.0.2.1")),
        ("ssh:u@[2001:db8::1]:22", Destination(user="u", host="2001:db8::1")),
    ],
)
def test_where_to(reach, expected):
    assert expected == destination(reach)


@pytest.mark.parametrize(
    "reach",
    [
        "", "ssh:", "ssh:host", "ssh:@host", "ssh:u@", "ssh:u@-oProxyCommand=x", "ssh:-l@host", "ssh:u@host:0",
        "ssh:u@host:99999", "ssh:u@host:", "ssh:u@a b", "ssh:u@h;reboot", "ssh:U@host", "ssh:u@h/x", "rsh:u@h",
        "ssh:u@2001:db8::1", "ssh:u@host\n",
    ],
)  # fmt: skip
def test_what_is_no_destination_is_a_mistake_of_the_configuration(reach):
    with pytest.raises(ConfigError, match="is not ssh:USER@HOST"):
        destination(reach)


def a_runner(runner):
    return SshRunner(
        Destination(user="mailward-host", host="mbx1", port=2222),
        key=Path("/home/m/.ssh/mailward"),
        known_hosts=Path("/home/m m/100%/known_hosts"),
        runner=runner,
    )


async def test_ssh_asks_nobody_trusts_only_known_hosts_and_offers_one_key(recording):
    runner = recording()

    await a_runner(runner).run(("doveadm", "who"), timeout=5)

    (argv,) = runner.argvs
    options = {value for option, value in pairwise(argv) if option == "-o"}
    assert {
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        'UserKnownHostsFile="/home/m m/100%%/known_hosts"',
        "GlobalKnownHostsFile=/dev/null",
        "IdentitiesOnly=yes",
        "ClearAllForwardings=yes",
        "ConnectTimeout=5",
    } <= options
    assert ("ssh", "-F", "none", "-T") == argv[:4]
    assert ("-i", "/home/m/.ssh/mailward", "-p", "2222", "-l", "mailward-host") == argv[-10:-4]
    assert ("--", "mbx1", "doveadm", "who") == argv[-4:]


async def test_what_is_run_is_what_a_rehearsal_shows(recording):
    runner = recording()
    ssh = a_runner(runner)

    await ssh.run(("status",), timeout=5)

    assert [ssh.words(("status",))] == runner.argvs


@pytest.mark.parametrize("word", ["", "a b", "$(id)", "a;b", "a\nb", "a'b", "ä", "*", "a\0b", "`id`", "a|b", "~"])
async def test_a_word_that_could_mean_something_else_is_not_sent(word, recording):
    runner = recording()

    with pytest.raises(Refused, match="cannot be sent"):
        await a_runner(runner).run(("status", word), timeout=5)
    assert [] == runner.argvs


async def test_why_a_host_is_not_reached_is_told_with_the_files_that_were_used(recording, ended):
    errors = (
        "@@@@@@@\n@   WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!   @\n@@@@@@@\nSomeone could be eavesdropping\n"
        "Offending ED25519 key in /x:3\r\n\nHost key for mbx1 has changed.\r\nHost key verification failed.\r\n"
    )

    with pytest.raises(TemporaryFailure) as caught:
        await a_runner(recording(ended(255, errors=errors))).run(("status",), timeout=5)

    assert (
        "mbx1 was not reached over ssh: Offending ED25519 key in /x:3; Host key for mbx1 has changed.; "
        "Host key verification failed. (key /home/m/.ssh/mailward, host keys /home/m m/100%/known_hosts)"
    ) == str(caught.value)


async def test_a_host_that_is_not_reached_is_unknown(recording, ended):
    runner = recording(ended(255, errors="Host key verification failed.\n"))

    with pytest.raises(TemporaryFailure, match="mbx1 was not reached over ssh: Host key verification failed"):
        await a_runner(runner).run(("status",), timeout=5)
