from pathlib import Path

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.dovecot.configuration_check import DoveconfCheck


def asked_with(runner):
    """What doveconf was run with, without its place."""
    return [argv[1:] for argv in runner.argvs]


async def test_a_valid_configuration_is_asked_for_one_harmless_setting(recording):
    runner = recording()

    check = await DoveconfCheck(runner, Path("/etc/x.conf")).check()

    assert True is check.is_valid
    assert [("-x", "-c", "/etc/x.conf", "-h", "protocols")] == asked_with(runner)


async def test_an_invalid_one_says_where(recording, ended):
    text = "doveconf: Fatal: Error in configuration file /etc/x.conf line 7: Unknown setting: imap_nosuch\n"

    check = await DoveconfCheck(recording(ended(89, errors=text)), Path("/etc/x.conf")).check()

    assert False is check.is_valid
    assert "/etc/x.conf line 7: Unknown setting" in check.because


@pytest.mark.parametrize("first", [(89, "", "ssl_key: Can't open file: Permission denied"), (64, "", "unknown option")])
async def test_what_may_not_be_read_is_left_out(first, recording, ended):
    runner = recording(ended(*first), ended())

    check = await DoveconfCheck(runner, Path("/etc/x.conf")).check()

    assert True is check.is_valid
    assert ("-c", "/etc/x.conf", "-h", "protocols") == asked_with(runner)[1]


async def test_a_configuration_that_may_not_be_read_at_all_is_not_invalid(recording, ended):
    check = await DoveconfCheck(recording(ended(89, errors="open(x) failed: Permission denied"))).check()

    assert None is check.is_valid


@pytest.mark.parametrize(
    ("argv", "config"),
    [
        ((), "/etc/dovecot/dovecot.conf"),
        (("/usr/sbin/dovecot", "-F"), "/etc/dovecot/dovecot.conf"),
        (("/usr/sbin/dovecot", "-F", "-c", "/srv/d.conf"), "/srv/d.conf"),
    ],
)
async def test_the_file_is_the_one_dovecot_is_started_with(argv, config, recording):
    runner = recording()

    await DoveconfCheck(runner).check(argv)

    assert config == asked_with(runner)[0][2]


async def test_a_doveconf_that_hangs_is_unknown(recording):
    with pytest.raises(TemporaryFailure):
        await DoveconfCheck(recording(TemporaryFailure("it did not end"))).check()
