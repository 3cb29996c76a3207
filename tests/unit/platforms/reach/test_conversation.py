import json

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.platforms.commands import Finished


async def test_a_request_and_its_answer(mailward_host):
    assert {"ok": True, "boot_id": "b1"} == await mailward_host.ask("boot-id", seconds=5)


@pytest.mark.parametrize("said", ["", "hello", "[]", "{}", '{"no": 1}', "null", "Welcome!\n", "[" * 100_000])
async def test_what_is_not_mailward_host_is_unknown(said, mailward_host, other_end):
    other_end.lost = Finished(status=0, output=said, errors="")

    with pytest.raises(TemporaryFailure, match="mbx1.example: that is not mailward-host"):
        await mailward_host.ask("status", seconds=5)


async def test_a_missing_program_is_unknown(mailward_host, other_end):
    other_end.lost = Finished(status=127, output="", errors="python3: command not found")

    with pytest.raises(TemporaryFailure, match="python3: command not found"):
        await mailward_host.ask("status", seconds=5)


async def test_a_refusal_is_told_with_the_host(mailward_host):
    with pytest.raises(Refused, match=r"mbx1.example: there is no such request; known: status, check"):
        await mailward_host.ask("nosuch", seconds=5)


async def test_a_sudoers_line_that_is_missing_is_a_refusal(mailward_host, other_end):
    other_end.finished["restart"] = (1, "sudo: a password is required")

    with pytest.raises(Refused, match="its sudoers lacks this command"):
        await mailward_host.run("restart", seconds=5)


@pytest.mark.parametrize("status", ['"0"', "null", "1.5", "true", "1e400", "[]", "4711"])
async def test_a_program_whose_end_is_not_told_is_unknown(status, mailward_host, other_end):
    other_end.lost = Finished(status=0, output=f'{{"ok": true, "status": {status}, "output": ""}}', errors="")

    with pytest.raises(TemporaryFailure, match="does not say how restart ended"):
        await mailward_host.run("restart", seconds=5)


@pytest.mark.parametrize("unknown", [True, False])
async def test_an_error_is_told_within_a_sentence_whatever_it_is(unknown, mailward_host, other_end):
    error = "no\n\x1b[2J\ud800" + "x" * 10_000
    other_end.lost = Finished(status=0, output=json.dumps({"ok": False, "unknown": unknown, "error": error}), errors="")

    with pytest.raises((TemporaryFailure, Refused)) as caught:
        await mailward_host.ask("status", seconds=5)

    assert str(caught.value).startswith("mbx1.example: no �[2J�xxx")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


async def test_half_characters_of_an_output_can_be_stored(mailward_host, other_end):
    answer = {"ok": True, "status": 0, "output": "a\ud800b\n", "errors": None}
    other_end.lost = Finished(status=0, output=json.dumps(answer), errors="")

    assert Finished(status=0, output="a?b\n", errors="") == await mailward_host.run("check", seconds=5)


WARNING = "sudo: unable to resolve host mbx1: Name or service not known\n"


@pytest.mark.parametrize(
    ("status", "errors"),
    [(1, WARNING), (1, WARNING + "Job for dovecot.service failed."), (89, WARNING + "doveconf: Fatal: line 7")],
)
async def test_a_warning_of_sudo_is_no_refusal(status, errors, mailward_host, other_end):
    other_end.finished["restart"] = (status, errors)

    assert Finished(status=status, output="", errors=errors) == await mailward_host.run("restart", seconds=5)


async def test_a_refusal_after_a_warning_is_one(mailward_host, other_end):
    other_end.finished["restart"] = (1, WARNING + "sudo: a password is required\n")

    with pytest.raises(Refused, match="mbx1.example: sudo: a password is required; its sudoers"):
        await mailward_host.run("restart", seconds=5)


async def test_counters_come_from_doveadm(mailward_host, other_end):
    await mailward_host.run("doveadm", "service", "status", seconds=5)

    assert ("/usr/bin/sudo", "-n", "--", "/usr/bin/doveadm", "-c", "/etc/dovecot/dovecot.conf") == other_end.ran[0][:6]


async def test_an_answer_that_is_not_whole_is_unknown(mailward_host, other_end):
    answer = {"ok": True, "status": 0, "output": "[]", "errors": "", "truncated": True}
    other_end.lost = Finished(status=0, output=json.dumps(answer), errors="")

    with pytest.raises(TemporaryFailure, match="mbx1.example: doveadm said more than mailward-host passes on"):
        await mailward_host.run("doveadm", "proxy", "list", seconds=5)
