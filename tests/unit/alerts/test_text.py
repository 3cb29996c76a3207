"""
What people read at night, word for word: each situation is a file in `texts/`, and one for each other language.

After a change on purpose: put what the test got into the file, and read it as if woken by it.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailward.alerts.documentation import PAGE, anchor_of
from mailward.alerts.matter import Excerpt, Recovery
from mailward.alerts.settings import EscalationSettings
from mailward.cli.main import cli
from mailward.config.languages import LanguageTag, languages
from mailward.model import items
from mailward.model.alerting import Alert
from mailward.model.monitoring import AlertValue, MonitorStatus
from mailward.model.organization import Database
from mailward.model.recovery import (
    ActionClass,
    Answer,
    Gate,
    GateAnswer,
    Mode,
    OperationKind,
    OperationStatus,
    Step,
    StepName,
    StepOutcome,
)
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

NIGHT_BEGINS = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)
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


def a_step(place: int, name: StepName, outcome: StepOutcome | None, because: str = "", **changes: object) -> Step:
    """A step of the recovery of be1, each 20 s after the one before."""
    started = NIGHT_BEGINS + timedelta(seconds=5 + 20 * place)
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


def an_answer(gate: Gate, answer: Answer, because: str, step: int) -> GateAnswer:
    return GateAnswer(gate=gate, answer=answer, because=because, operation=12, seq=step)


def told(night, *, seconds: float = 90, **changes: object) -> Alert:
    """The alert of the night as it then stands."""
    night.told = replace(night.told, settings=OWN_WORDS)
    night.at(timedelta(seconds=seconds), **changes)
    return night.last.alerts[0]


def dead_and_unread(night) -> list[MonitorStatus]:
    """be1 is dead: its own test fails, and nobody reads db1."""
    return [night.status(), night.status(items.DEEP_TEST_MONITOR, "be1", "db1")]


def escalated(night) -> Alert:
    own, deep = dead_and_unread(night)
    touch = night.status(items.CTP_MONITOR, "proxy1", "db2", mailbox_server="be1")
    no_move = "moving databases is not available on this platform"
    recovery = Recovery(
        operation=night.operation(OperationStatus.ESCALATED, ended_at=NIGHT_BEGINS + timedelta(seconds=85)),
        steps=(
            a_step(0, StepName.RE_PROBE, StepOutcome.FAILED, "connection refused"),
            a_step(1, StepName.START_SERVICE, StepOutcome.DONE, action=ActionClass.START),
            a_step(2, StepName.RE_PROBE, StepOutcome.FAILED, "connection refused"),
            a_step(
                3,
                StepName.MOVE_DATABASES,
                StepOutcome.REFUSED,
                "not available yet: moving databases",
                action=ActionClass.MOVE,
            ),
            a_step(4, StepName.ESCALATE, StepOutcome.DONE),
        ),
        answers=(
            an_answer(Gate.MODE, Answer.PASSES, "mode is act", step=3),
            an_answer(Gate.NOT_AVAILABLE, Answer.REFUSES, no_move, step=3),
        ),
    )
    excerpts = {deep.key: Excerpt(transcript=TRANSCRIPT)}
    return told(night, statuses=[own, deep, touch], recoveries=[recovery], excerpts=excerpts)


def stopped_on_purpose(night) -> Alert:
    """Its own recovery knows what is to be done; that of a touch point, begun later, only meets the fault."""
    because = "somebody stopped the service of be1 on purpose; start it with: mailward service start be1"
    met = "proxy1 answered the login with “NO [UNAVAILABLE] Account is temporarily unavailable.”"
    verdict = replace(night.status().verdict, because="be1 refuses connections, and its host says it was stopped")
    touch = night.status(items.CTP_MONITOR, "proxy1", "db1", verdict=verdict, mailbox_server="be1")
    own = Recovery(
        operation=night.operation(OperationStatus.WAITING, escalated_at=NIGHT_BEGINS, because=because),
        answers=(an_answer(Gate.STOPPED_ON_PURPOSE, Answer.REFUSES, because, step=1),),
    )
    later = night.operation(
        OperationStatus.ESCALATED,
        number=13,
        kind=OperationKind.CUSTOMER_TOUCH_POINT,
        target="proxy1/be1",
        server="proxy1",
        cause=touch.key,
        because="nothing could be done",
        started_at=NIGHT_BEGINS + timedelta(seconds=5),
        ended_at=NIGHT_BEGINS + timedelta(seconds=60),
    )
    looks = tuple(
        a_step(place, StepName.RE_PROBE, StepOutcome.FAILED, met, operation=13, server="proxy1") for place in range(2)
    )
    statuses = [night.status(verdict=verdict), touch]
    return told(night, statuses=statuses, recoveries=[own, Recovery(operation=later, steps=looks)])


def asks(night) -> Alert:
    operation = night.operation(
        OperationStatus.AWAITING_APPROVAL,
        because="restarting the IMAP service on be1 needs a yes until 02:29 UTC",
        mode=Mode.APPROVE,
    )
    return told(night, statuses=dead_and_unread(night), recoveries=[Recovery(operation=operation)])


def recommends(night) -> Alert:
    refused = a_step(
        1,
        StepName.START_SERVICE,
        StepOutcome.REFUSED,
        "mode recommend only says what would be done",
        action=ActionClass.START,
        command=("systemctl", "start", "dovecot.service"),
    )
    mode = an_answer(Gate.MODE, Answer.REFUSES, "the organization is in mode recommend", step=1)
    operation = night.operation(OperationStatus.WAITING, mode=Mode.RECOMMEND, because="it is only recommended")
    recovery = Recovery(operation=operation, steps=(refused,), answers=(mode,))
    return told(night, statuses=dead_and_unread(night), recoveries=[recovery])


def at_work(night) -> Alert:
    step = a_step(0, StepName.RESTART_SERVICE, None, action=ActionClass.RESTART, command=("doveadm", "stop"))
    recovery = Recovery(operation=night.operation(because="it restarts the service"), steps=(step,))
    return told(night, statuses=dead_and_unread(night), recoveries=[recovery])


def directory_down(night) -> Alert:
    verdict = Verdict(
        tier=Tier.DIRECTORY,
        confidence=Confidence.CERTAIN,
        dependency=Dependency.DIRECTORY,
        because="every server refuses every login with [UNAVAILABLE]: the directory they share does not answer",
    )
    statuses = [night.status(server=server, verdict=verdict) for server in ("be1", "be2")]
    return told(night, statuses=statuses, excerpts={statuses[0].key: Excerpt(transcript=TRANSCRIPT)})


def certificate_expired(night) -> Alert:
    verdict = Verdict(
        tier=Tier.PROXY,
        server="proxy1",
        confidence=Confidence.CERTAIN,
        dependency=Dependency.CERTIFICATE,
        because="the certificate of proxy1 expired on 24 Nov 2026",
    )
    proxy = night.status(items.PROXY_TEST_MONITOR, "proxy1", verdict=verdict)
    touch = night.status(items.CTP_MONITOR, "proxy1", "db3", verdict=verdict)
    return told(night, statuses=[proxy, touch])


def monitoring_at_fault(night) -> Alert:
    own = night.status(
        items.HEALTH_MAILBOX_MONITOR,
        "be2",
        "health-db3@example.org",
        verdict=None,
        because="the password of health-db3@example.org is rejected",
    )
    return told(night, statuses=[own])


def degraded(night) -> Alert:
    silent = night.status(
        items.PUSH_MONITOR,
        "be2",
        "db3",
        verdict=None,
        state=AlertValue.DEGRADED,
        because="IDLE stayed silent for 12 s",
    )
    return told(night, statuses=[silent])


def resolved(night) -> Alert:
    at_work = Recovery(operation=night.operation(because="it starts the service"))
    healed = night.operation(OperationStatus.HEALED, ended_at=NIGHT_BEGINS + timedelta(minutes=9))
    told(night, statuses=dead_and_unread(night))
    night.at(timedelta(minutes=8), recoveries=[at_work])
    night.at(timedelta(minutes=10), statuses=[], recoveries=[Recovery(operation=healed)])
    return told(night, seconds=660)


def long_night(night) -> Alert:
    """Everything a text can say: flapping, many of everything, tries, gates that open on another day, a log."""
    databases = {
        f"db{number:02}": Database(name=f"db{number:02}", copies=("be1", "be2"), active="be1", mailboxes=100)
        for number in range(14)
    }
    night.told = replace(night.told, organization=replace(night.told.organization, databases=databases))
    touches = [night.status(items.CTP_MONITOR, "proxy1", name, flapping=True) for name in databases]
    until = NIGHT_BEGINS + timedelta(days=2)
    steps = [a_step(place, StepName.RE_PROBE, StepOutcome.FAILED, "refused", attempt=2) for place in range(22)]
    recovery = Recovery(
        operation=night.operation(OperationStatus.WAITING, because="a gate is closed"),
        steps=(*steps, a_step(22, StepName.RESTART_SERVER, None, command=("reboot",))),
        answers=(
            replace(an_answer(Gate.THROTTLE, Answer.WAITS, "it was done too often", step=22), until=until),
            an_answer(Gate.BLAST_RADIUS, Answer.REFUSES, "many are broken at once", step=22),
        ),
    )
    log = Excerpt(protocol_log=("2026-11-24T02:14:03Z,00AB,2,login,ana *****",))
    statuses = [night.status(), *touches]
    return told(night, seconds=7200, statuses=statuses, recoveries=[recovery], excerpts={touches[0].key: log})


def without_a_verdict(night) -> Alert:
    """Nobody repairs it, nothing names a tier: a health set of a server is all that is known."""
    touch = night.status(items.CTP_MONITOR, "proxy1", "db1", verdict=None, because="3 of 3 failed: time-out")
    return told(night, statuses=[touch])


def written_in(name: str, night, language: str) -> Alert:
    """The alert of a situation, as an organization of that language is told it."""
    organization = replace(night.told.organization, language=language)
    night.told = replace(night.told, organization=organization, languages=languages([language]))
    return SITUATIONS[name](night)


SITUATIONS: Mapping[str, Callable[..., Alert]] = {
    "escalated-service-that-does-not-come-back": escalated,
    "stopped-on-purpose": stopped_on_purpose,
    "asks-for-approval": asks,
    "only-recommended": recommends,
    "recovery-at-work": at_work,
    "directory-down": directory_down,
    "certificate-expired": certificate_expired,
    "monitoring-at-fault": monitoring_at_fault,
    "degraded-without-users": degraded,
    "resolved": resolved,
    "long-night": long_night,
    "without-a-verdict": without_a_verdict,
}
"""The name of a text, and what makes its alert out of a night's watch."""


OTHERS = [tag for tag in get_args(LanguageTag) if tag != "en"]
NAMES = sorted(file.stem for file in TEXTS.glob("*.txt"))


def test_every_situation_has_its_text_and_every_text_its_situation():
    assert sorted(SITUATIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_text_of_a_situation(name, night):
    file = TEXTS / f"{name}.txt"

    got = SITUATIONS[name](night).text

    assert file.read_text() == got


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", OTHERS)
def test_the_text_of_a_situation_in_another_language(name, language, night):
    file = TEXTS / language / f"{name}.txt"

    got = written_in(name, night, language).text

    assert file.read_text() == got


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_a_text_fits_a_phone_and_begins_with_what_the_lock_screen_shows(name, language, night):
    alert = written_in(name, night, language)

    lines = alert.text.splitlines()
    assert alert.title == lines[0]
    assert len(alert.title) <= 70
    assert [] == [line for line in lines if len(line) > 78 or line != line.rstrip()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_every_text_says_where_its_monitors_are_explained(name, language, night):
    alert = written_in(name, night, language)

    for item in {key.item for key in alert.monitors}:  # none of these nights has more than three
        assert f"    mailward items help {item}\n    docs/{PAGE}#{anchor_of(item)}\n" in alert.text
    assert alert.annotations["documentation"].startswith("mailward items help ")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_a_text_shows_exists(name, night):
    text = SITUATIONS[name](night).text.replace(" \\\n", " ")
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


def test_a_long_reason_is_told_once_whole_and_otherwise_in_its_beginning(night):
    gates = [f"gate {number} refuses: {'for a reason of its own ' * 3}{number}" for number in range(12)]
    reason = "; ".join(gates)
    recovery = Recovery(
        operation=night.operation(OperationStatus.ESCALATED, because=f"nothing could be done ({reason})"),
        steps=(
            a_step(0, StepName.START_SERVICE, StepOutcome.REFUSED, reason),
            a_step(1, StepName.RESTART_SERVICE, StepOutcome.REFUSED, f"{reason}; and one gate that says what is new"),
            a_step(2, StepName.ESCALATE, StepOutcome.DONE, f"a person is called: nothing could be done ({reason})"),
        ),
    )

    alert = told(night, statuses=dead_and_unread(night), recoveries=[recovery])

    text = " ".join(alert.text.split())
    beyond_the_beginning = gates[3:]
    assert [1] * 9 == [text.count(gate) for gate in beyond_the_beginning]
    assert "and one gate that says what is new; the rest as before" in text
    assert "escalate (be1): done after 3 s: a person is called MONITORS" in text
    assert len(alert.annotations["because"]) < 300


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


WORD = re.compile(r"(?<!\w)[^\W\d_]{2,}(?!\w)")


def nested_quotations_out(text: str) -> str:
    """Without what stands in quotation marks: the words of other rooms."""
    while (without := re.sub("“[^“”]*”", "", text)) != text:
        text = without
    return text


def own_words_of(alert: Alert) -> set[str]:
    """The words the alert says itself: no quotations, commands, addresses, transcripts or words of the organization."""
    sections = alert.text.split("\n\n")
    headings = ("ÚLTIMA CONVERSA", "LOG DO PROTOCOLO", "ORIENTAÇÕES", "SUPORTE")
    heads = {line for section in sections for line in section.splitlines()[:1] if line in headings}
    kept = [section for section in sections if not section.startswith(headings)]
    joined = "\n".join([*heads, *kept]).replace(" \\\n", " ")
    lines = [line for line in joined.splitlines() if not line.startswith(("    mailward ", "    docs/", " " * 10))]
    plain = re.sub("`[^`]*`", "", nested_quotations_out(" ".join(lines)))
    return {word.lower() for word in WORD.findall(plain)}


def identifiers() -> set[str]:
    """What is called the same in every language."""
    kinds = (Tier, Confidence, Dependency, AlertValue, Mode, OperationKind, Gate)
    names = [
        *(member.value for kind in kinds for member in kind),
        *(item.name for item in items.MONITORS),
        *(known.name for known in items.HEALTH_SETS),
    ]
    return {word.lower() for name in names for word in WORD.findall(name)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", OTHERS)
def test_no_english_is_left_but_names_and_quotations(name, language, night):
    catalogue = languages([language])[language].words
    english, own = (
        {word.lower() for words in side for word in WORD.findall(re.sub(r"\{[^}]*\}|`[^`]*`", "", words))}
        for side in (catalogue.keys(), catalogue.values())
    )

    left = own_words_of(written_in(name, night, language)) & (english - own - identifiers())

    assert set() == left


def test_a_sentence_that_stayed_english_would_be_noticed(night):
    alert = replace(written_in("resolved", night, "pt-BR"), text="CRÍTICO be1: o serviço não is well again\n")

    assert {"again"} <= own_words_of(alert)


def test_each_channel_is_told_in_its_own_language(night):
    abroad = replace(night.told.channels[0], name="abroad", language="pt-BR")
    night.told = replace(night.told, channels=(*night.told.channels, abroad), languages=languages(["pt-BR"]))

    escalated(night)

    titles = {notice.channel: notice.alert.title.split()[0] for notice in night.last.notices}
    assert {"mail": "CRITICAL", "pager": "CRITICAL", "am": "CRITICAL", "abroad": "CRÍTICO"} == titles
    assert night.last.alerts[0].title.startswith("CRITICAL")
    kept = {notice.channel: notice.alert.annotations["because"] for notice in night.last.notices}
    assert "recovery 12 needs a person: the service does not come back" == kept["mail"]
    assert "a recuperação 12 precisa de uma pessoa: “the service does not come back”" == kept["abroad"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", OTHERS)
def test_what_identifies_an_alert_to_programs_is_the_same_in_every_language(name, language, night):
    other = written_in(name, night, language)
    english = SITUATIONS[name](type(night)())

    assert (english.key, english.labels, english.urgency) == (other.key, other.labels, other.urgency)
    assert english.annotations["state"] == other.annotations["state"]


def test_what_is_recorded_of_an_alert_is_english_in_every_language(night):
    written_in("escalated-service-that-does-not-come-back", night, "pt-BR")

    assert "recovery 12 needs a person: the service does not come back" == night.last.events[0].because
