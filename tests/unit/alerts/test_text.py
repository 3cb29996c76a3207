"""
What people read at night, word for word: each situation is a file in `texts/`.

After a change on purpose: delete the file, run the test (it fails and writes what it got), read it as if woken by it.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailward.alerts.matter import Excerpt, Recovery
from mailward.alerts.settings import EscalationSettings
from mailward.cli.main import cli
from mailward.model import items
from mailward.model.alerting import Alert
from mailward.model.monitoring import AlertValue
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Gate,
    GateAnswer,
    Mode,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

TEXTS = Path(__file__).parent / "texts"
OWN_WORDS = EscalationSettings(
    guidelines="Do not fail over to be2 before 06:00: its backup runs.\nhttps://wiki.example.org/imap",
    support="Mail team on duty: +49 30 1234567, then the vendor's hotline, contract 4711.",
)
TRANSCRIPT = (
    "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] Dovecot ready.",
    "C: p1 AUTHENTICATE PLAIN ***",
    "S: p1 NO [UNAVAILABLE] Temporary authentication failure. [be1:2026-11-24 02:14:03] and a very long tail",
)


@pytest.fixture
def situations(a_status, an_operation, be1_dead) -> Mapping[str, Callable[..., Alert]]:
    """Name -> what makes its alert out of a night's watch."""
    deep = a_status(items.DEEP_TEST_MONITOR, "be1", "db1")
    touch = a_status(items.CTP_MONITOR, "proxy1", "db2", mailbox_server="be1")
    night_begins = a_status().broken_since

    def a_step(place: int, name: StepName, outcome: StepOutcome | None, because: str, **changes: object) -> Step:
        started = night_begins + timedelta(seconds=5 + 20 * place)
        step = Step(
            operation=12,
            seq=place,
            place=place,
            name=name,
            server="be1",
            started=started,
            ended=None if outcome is None else started + timedelta(seconds=3),
            outcome=outcome,
            because=because,
        )
        return replace(step, **changes)  # type: ignore[arg-type]

    def tell(night, seconds: float = 90, **changes: object) -> Alert:
        night.told = replace(night.told, settings=OWN_WORDS)
        night.at(timedelta(seconds=seconds), **changes)
        return night.last.alerts[0]

    def escalated(night) -> Alert:
        steps = (
            a_step(0, StepName.RE_PROBE, StepOutcome.FAILED, "connection refused"),
            a_step(1, StepName.START_SERVICE, StepOutcome.DONE, "", action=ActionClass.START),
            a_step(2, StepName.RE_PROBE, StepOutcome.FAILED, "connection refused"),
            a_step(
                3,
                StepName.MOVE_DATABASES,
                StepOutcome.REFUSED,
                "not available yet: moving databases",
                action=ActionClass.MOVE,
            ),
            a_step(4, StepName.ESCALATE, StepOutcome.DONE, ""),
        )
        answers = (
            GateAnswer(gate=Gate.MODE, answer=Answer.PASSES, because="mode is act", operation=12, seq=3),
            GateAnswer(
                gate=Gate.NOT_AVAILABLE,
                answer=Answer.REFUSES,
                because="moving databases is not available on this platform",
                operation=12,
                seq=3,
            ),
        )
        operation = an_operation(OperationStatus.ESCALATED, ended_at=night_begins + timedelta(seconds=85))
        return tell(
            night,
            statuses=[a_status(), deep, touch],
            recoveries=[Recovery(operation=operation, steps=steps, answers=answers)],
            excerpts={deep.key: Excerpt(transcript=TRANSCRIPT)},
        )

    def asks(night) -> Alert:
        operation = an_operation(
            OperationStatus.AWAITING_APPROVAL,
            because="restarting the IMAP service on be1 needs a yes until 02:29 UTC",
            mode=Mode.APPROVE,
        )
        return tell(night, statuses=[a_status(), deep], recoveries=[Recovery(operation=operation)])

    def recommends(night) -> Alert:
        refused = a_step(
            1,
            StepName.START_SERVICE,
            StepOutcome.REFUSED,
            "mode recommend only says what would be done",
            action=ActionClass.START,
            command=("systemctl", "start", "dovecot.service"),
        )
        mode = GateAnswer(
            gate=Gate.MODE, answer=Answer.REFUSES, because="the organization is in mode recommend", operation=12, seq=1
        )
        operation = an_operation(OperationStatus.WAITING, mode=Mode.RECOMMEND, because="it is only recommended")
        return tell(
            night,
            statuses=[a_status(), deep],
            recoveries=[Recovery(operation=operation, steps=(refused,), answers=(mode,))],
        )

    def at_work(night) -> Alert:
        step = a_step(0, StepName.RESTART_SERVICE, None, "", action=ActionClass.RESTART, command=("doveadm", "stop"))
        recovery = Recovery(operation=an_operation(because="it restarts the service"), steps=(step,))
        return tell(night, statuses=[a_status(), deep], recoveries=[recovery])

    def directory(night) -> Alert:
        verdict = Verdict(
            tier=Tier.DIRECTORY,
            confidence=Confidence.CERTAIN,
            dependency=Dependency.DIRECTORY,
            because="every server refuses every login with [UNAVAILABLE]: the directory they share does not answer",
        )
        statuses = [a_status(server=server, verdict=verdict) for server in ("be1", "be2")]
        return tell(night, statuses=statuses, excerpts={statuses[0].key: Excerpt(transcript=TRANSCRIPT)})

    def certificate(night) -> Alert:
        verdict = replace(
            be1_dead,
            tier=Tier.PROXY,
            server="proxy1",
            dependency=Dependency.CERTIFICATE,
            because="the certificate of proxy1 expired on 24 Nov 2026",
        )
        return tell(
            night,
            statuses=[
                a_status(items.PROXY_TEST_MONITOR, "proxy1", verdict=verdict),
                a_status(items.CTP_MONITOR, "proxy1", "db3", verdict=verdict),
            ],
        )

    def monitoring(night) -> Alert:
        own = a_status(
            items.HEALTH_MAILBOX_MONITOR,
            "be2",
            "health-db3@example.org",
            verdict=None,
            because="the password of health-db3@example.org is rejected",
        )
        return tell(night, statuses=[own])

    def degraded(night) -> Alert:
        status = a_status(
            items.PUSH_MONITOR,
            "be2",
            "db3",
            verdict=None,
            state=AlertValue.DEGRADED,
            because="IDLE stayed silent for 12 s",
        )
        return tell(night, statuses=[status])

    def over(night) -> Alert:
        recovery = Recovery(
            operation=an_operation(OperationStatus.HEALED, ended_at=night_begins + timedelta(minutes=9))
        )
        tell(night, statuses=[a_status(), deep])
        night.at(timedelta(minutes=8), recoveries=[Recovery(operation=an_operation(because="it starts the service"))])
        night.at(timedelta(minutes=10), statuses=[], recoveries=[recovery])
        return tell(night, seconds=660)

    return {
        "escalated-service-that-does-not-come-back": escalated,
        "asks-for-approval": asks,
        "only-recommended": recommends,
        "recovery-at-work": at_work,
        "directory-down": directory,
        "certificate-expired": certificate,
        "monitoring-at-fault": monitoring,
        "degraded-without-users": degraded,
        "resolved": over,
    }


NAMES = sorted(file.stem for file in TEXTS.glob("*.txt"))


def test_every_situation_has_its_text_and_every_text_its_situation(situations):
    assert sorted(situations) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_text_of_a_situation(name, situations, night):
    file = TEXTS / f"{name}.txt"

    got = situations[name](night).text

    assert file.read_text() == got


@pytest.mark.parametrize("name", NAMES)
def test_a_text_fits_a_phone_and_begins_with_what_the_lock_screen_shows(name, situations, night):
    alert = situations[name](night)

    lines = alert.text.splitlines()
    assert alert.title == lines[0]
    assert len(alert.title) <= 70
    assert [] == [line for line in lines if len(line) > 78 or line != line.rstrip()]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_a_text_shows_exists(name, situations, night):
    text = situations[name](night).text.replace(" \\\n", " ")
    shown = [line for line in text.splitlines() if line.startswith("    mailward ")]
    wrong = []
    for words in map(shlex.split, shown):
        command: click.Command = cli
        rest = words[1:]
        while isinstance(command, click.Group):
            group = command
            command = group.get_command(click.Context(group), rest.pop(0)) or pytest.fail(f"no such command: {words}")
        try:
            command.make_context(words[-1], list(rest))
        except click.ClickException as error:
            wrong.append((words, error.format_message()))

    assert [] == wrong


WORDS = st.text(st.characters(codec="utf-8"), max_size=200)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(because=WORDS, said=WORDS, own=WORDS, name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=90))
def test_whatever_servers_say_no_line_is_long_and_none_carries_a_control_character(
    because, said, own, name, a_status, an_operation, night, be1_dead
):
    status = a_status(verdict=replace(be1_dead, because=because, server=name), because=said, server=name)
    night.told = replace(night.told, alerts=(), settings=EscalationSettings(guidelines=own, support=own))
    night.at(
        timedelta(minutes=2),
        statuses=[status],
        recoveries=[Recovery(operation=an_operation(OperationStatus.ESCALATED, because=said, server=name))],
        excerpts={status.key: Excerpt(transcript=(said, because))},
    )

    (alert,) = night.last.alerts
    lines = alert.text.split("\n")
    command = [line for line in lines if line.startswith(("    ", "      "))]
    assert len(alert.title) <= 70
    assert [] == [line for line in lines if line not in command and len(line) > 78]
    assert all(character.isprintable() for line in lines for character in line)
