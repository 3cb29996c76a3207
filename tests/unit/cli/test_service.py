"""`mailward service` and `server`: orders by hand, which show the command and the gates before anything is done."""

import io
import json
import sys
from contextlib import nullcontext

import click
import pytest

from mailward.cli.orders import carry_out
from mailward.model.evidence import ServiceState
from mailward.model.recovery import Answer, Gate, GateAnswer
from mailward.model.wire import answer
from mailward.ports.manager import Intention
from mailward.ports.service_control import ServiceDeed
from mailward.testing.repair_values import SERVICES

DEEDS = [deed.value for deed in ServiceDeed]
THROTTLED = GateAnswer(gate=Gate.THROTTLE, answer=Answer.WAITS, because="restarted 2 min ago")
LEASED = GateAnswer(gate=Gate.LEASE, answer=Answer.PASSES, because="held")
INVALID = GateAnswer(gate=Gate.CONFIGURATION_INVALID, answer=Answer.REFUSES, because="dovecot.conf:7: unknown setting")


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_the_service_is_shown_as_its_host_says(ask):
    out = ask("service", "status", "mbx2").out

    assert "State    : running" in out
    assert "Pid      : 4712" in out
    assert answer(SERVICES["mbx2"]) == json.loads(ask("service", "status", "mbx2", "--format", "json").out)
    assert ["running"] == [
        line.split()[0] for line in ask("service", "status", "mbx2", "--format", "table").out.splitlines()[2:]
    ]


def test_a_host_that_is_not_reached_is_a_refusal(ask, served):
    served.fake.server_names.append("mbx9")
    ran = ask("service", "status", "mbx9")

    assert 1 == ran.code
    assert "not reached" in ran.err


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_shows_the_command_and_that_it_is_done(ask, served, deed):
    ran = ask("service", deed, "proxy1", "--yes", "--reason", "it hangs")

    assert (0, "") == (ran.code, ran.err)
    assert f"proxy1  $ systemctl {deed} dovecot.service" in ran.out
    assert "done: every gate passes; `mailward why " in ran.out
    assert [(deed, "proxy1", "it hangs")] == [order[1:] for order in served.fake.orders]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_rehearsal_shows_the_same_command_and_does_nothing(ask, served, deed):
    ran = ask("service", deed, "proxy1", "--dry-run")

    assert (0, "") == (ran.code, ran.err)
    assert f"proxy1  $ systemctl {deed} dovecot.service" in ran.out
    assert f"(--dry-run: would {deed} the IMAP service of proxy1; nothing was done)" in ran.out
    assert [] == served.fake.orders


@pytest.mark.parametrize("words", [("--yes",), ("--dry-run",), ()])
def test_a_gate_that_stops_it_is_shown_with_its_reason_and_the_command_fails(ask, served, words):
    served.fake.gates = (LEASED, THROTTLED)
    ran = ask("service", "restart", "mbx2", *words)

    assert (1, "") == (ran.code, ran.err)
    assert "… throttle waits: restarted 2 min ago" in ran.out
    assert "✓ no objection: lease" in ran.out
    assert "refused: the gate throttle says: restarted 2 min ago; --force passes it\n" in ran.out
    assert [] == served.fake.orders


def test_force_passes_a_gate_that_advises_and_no_other(ask, served):
    served.fake.gates = (THROTTLED,)
    assert 0 == ask("service", "restart", "mbx2", "--yes", "--force").code
    served.fake.gates = (INVALID,)
    ran = ask("service", "restart", "mbx2", "--yes", "--force")

    assert 1 == ran.code
    assert "✗ configuration invalid refuses: dovecot.conf:7: unknown setting" in ran.out
    assert "--force" not in ran.out
    assert 1 == len(served.fake.orders)


@pytest.mark.parametrize(
    "words", [("service", "stop", "mbx2"), ("service", "restart", "mbx2"), ("server", "restart", "mbx2")]
)
def test_what_ends_sessions_is_not_done_where_nobody_can_be_asked(ask, served, words):
    ran = ask(*words)

    assert 3 == ran.code
    assert "give --yes" in ran.err
    assert [] == served.fake.orders


@pytest.mark.parametrize(
    "words", [("service", "stop", "mbx2"), ("service", "restart", "mbx2"), ("server", "restart", "mbx2")]
)
@pytest.mark.parametrize(("said", "code", "orders"), [("y\n", 0, 1), ("n\n", 130, 0), ("\n", 130, 0)])
def test_on_a_terminal_the_question_comes_after_the_command(ask, served, monkeypatch, words, said, code, orders):
    monkeypatch.setattr(sys, "stdin", Tty(said))
    ran = ask(*words)

    assert (code, orders) == (ran.code, len(served.fake.orders))
    assert "mbx2  $ systemctl " in ran.out
    assert "mbx2? [y/N]" in ran.err


@pytest.mark.parametrize("deed", ["start", "reload", "enable"])
def test_what_ends_no_session_is_done_without_a_question(ask, served, deed):
    assert 0 == ask("service", deed, "mbx2").code
    assert ServiceState.RUNNING is served.fake.services["mbx2"].state


def test_a_server_is_restarted_by_hand(ask, served):
    ran = ask("server", "restart", "mbx2", "--yes", "--reason", "new kernel")

    assert 0 == ran.code
    assert "mbx2  $ systemctl reboot" in ran.out
    assert [("restart-server", "mbx2", "new kernel")] == [order[1:] for order in served.fake.orders]


def test_an_unknown_server_names_the_nearest(ask):
    ran = ask("service", "restart", "mbx3", "--yes")

    assert 1 == ran.code
    assert "did you mean 'mbx2'?" in ran.err


@pytest.mark.parametrize(
    ("done", "operation", "word", "code"),
    [(True, 7, "done", None), (False, 7, "failed", 1), (False, None, "failed", 1)],
)
def test_how_it_ended_is_told_and_a_failure_is_one(capsys, done, operation, word, code):
    intention = Intention(
        server="mbx2", command=("true",), answers=(), allowed=True, because="so", done=done, operation=operation
    )

    with nullcontext() if code is None else pytest.raises(click.exceptions.Exit) as ended:
        carry_out(lambda _: intention, "reload it", dry_run=False, force=False, yes=True, asks=False)

    assert code == (ended and ended.value.exit_code)
    assert f"{word}: so" in capsys.readouterr().out
