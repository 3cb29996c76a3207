"""
The text of an escalation (design, "Escalation"), as it is read on a phone at night: the most important first.

Who is affected, what is broken and why we say so, what to do with the exact commands, what was tried and what the
gates said, the monitors, the last words on the wire, then the organization's own guidelines and its support contact.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from mailward.alerts.advice import next_steps, probe_again
from mailward.alerts.grouping import cause_of_alert
from mailward.alerts.layout import clock_time, command_lines, gist, listed, paragraph, span, verbatim
from mailward.alerts.matter import Matter, Recovery
from mailward.alerts.settings import EscalationSettings
from mailward.alerts.titles import what_is_broken
from mailward.alerts.urgency import Judgement, last_answers
from mailward.model.alerting import Alert
from mailward.model.identity import identity_of
from mailward.model.monitoring import MonitorStatus
from mailward.model.organization import Organization
from mailward.model.recovery import Answer, GateAnswer, Step, StepOutcome

_MOST_MONITORS = 8
_MOST_DATABASES = 12
_MOST_LINES = 12
_MOST_STEPS = 20
_SHORT = 40
"""Columns of a reason that may be said again and again."""


def firing(
    title: str,
    matter: Matter,
    judgement: Judgement,
    *,
    organization: Organization,
    settings: EscalationSettings,
    now: datetime,
) -> str:
    """The text of an alert that fires; its first line is what the lock screen shows."""
    names = {*organization.servers, *organization.access_points, *organization.databases}
    sections = (
        ("WHO IS AFFECTED", _affected(matter, organization, now)),
        ("WHAT IS BROKEN", _broken(matter, judgement, names)),
        ("WHAT TO DO", _to_do(matter, judgement)),
        *((f"WHAT WAS TRIED: RECOVERY {one.operation.id}", _tried(one, names, now)) for one in matter.recoveries[:3]),
        ("MONITORS", _monitors(matter, now)),
        ("LAST CONVERSATION", verbatim(matter.excerpt.transcript[-_MOST_LINES:])),
        ("PROTOCOL LOG", verbatim(matter.excerpt.protocol_log[-_MOST_LINES:])),
        ("GUIDELINES", _own_words(settings.guidelines)),
        ("SUPPORT", _own_words(settings.support)),
    )
    return _page(title, sections)


def resolved(title: str, alert: Alert, because: str, *, ends_at: datetime) -> str:
    """The text of an alert that is over."""
    when = f"from {clock_time(alert.starts_at, ends_at)} to {clock_time(ends_at, ends_at)}"
    what = what_is_broken(cause_of_alert(alert))
    lines = [title, "", *paragraph(f"{what}: {when}, {span(ends_at - alert.starts_at)}.")]
    lines += paragraph(f"It is resolved because {because}.")
    if alert.databases:
        lines += paragraph(f"Affected were {listed(alert.databases, most=_MOST_DATABASES)}.")
    if alert.operation is not None:
        lines += ["", *paragraph("What was done:"), *command_lines(("mailward", "why", str(alert.operation)))]
    return "\n".join(lines) + "\n"


def _page(title: str, sections: Sequence[tuple[str, Sequence[str]]]) -> str:
    blocks = ["\n".join((heading, *lines)) for heading, lines in sections if lines]
    return "\n\n".join((title, *blocks)) + "\n"


def _affected(matter: Matter, organization: Organization, now: datetime) -> list[str]:
    since = clock_time(matter.since, now)
    if not matter.affected:
        return paragraph(f"No user is known to be affected. Broken since {since}.")
    mailboxes = {name: organization.databases[name].mailboxes for name in matter.affected}
    shown = [f"{name} ({count:,} mailboxes)" if count else name for name, count in mailboxes.items()]
    total = sum(count or 0 for count in mailboxes.values())
    lines = paragraph(f"Users of {listed(shown, most=_MOST_DATABASES)}, since {since}.")
    if total and len(shown) > 1:
        at_least = "at least " if None in mailboxes.values() else ""
        lines += paragraph(f"Together {at_least}{total:,} mailboxes in {len(shown)} databases.")
    return lines


def _broken(matter: Matter, judgement: Judgement, names: Collection[str]) -> list[str]:
    verdict = matter.verdict
    lines = []
    if verdict is not None:
        lines += paragraph(_sentence(verdict.because, names))
        where = f"{verdict.tier.value} {verdict.server}" if verdict.server else verdict.tier.value
        on = f", dependency: {verdict.dependency.value}" if verdict.dependency else ""
        lines += paragraph(f"Verdict: {where}, {verdict.confidence.value}{on}.")
    else:
        lines += paragraph(_sentence(matter.statuses[0].because, names))
    if matter.mailbox_server:
        lines += paragraph(f"Serving mailbox server (_Mbx): {matter.mailbox_server}.")
    return lines + paragraph(_sentence(judgement.because, names)) if matter.affected else lines


def _to_do(matter: Matter, judgement: Judgement) -> list[str]:
    lines: list[str] = []
    for advice in next_steps(matter, judgement):
        if advice.sentence:
            lines += paragraph(advice.sentence, first="- ")
        if advice.command:
            lines += command_lines(advice.command, indent="    ")
    return [
        *lines,
        *paragraph("Look again:", first="- "),
        *command_lines(probe_again(matter.statuses[0].key), indent="    "),
    ]


def _tried(recovery: Recovery, names: Collection[str], now: datetime) -> list[str]:
    operation = recovery.operation
    what = f"Procedure {operation.kind.value} for {operation.target}, mode {operation.mode.value}"
    lines = paragraph(f"{what}: {operation.status.value}. {_sentence(gist(operation.because), names)}")
    told = recovery.steps[-_MOST_STEPS:]
    if len(recovery.steps) > len(told):
        lines += paragraph(f"… {len(recovery.steps) - len(told)} earlier steps: mailward why {operation.id}")
    said = {operation.because}
    ending = f": {operation.because or '…'}"
    for step in told:
        because = _what_is_new(step.because.removesuffix(ending), said)
        lines += paragraph(_step(step, because), first=f"{step.started:%H:%M:%S} ")
        if step.command and _is_undone(step):
            is_refused = step.outcome is StepOutcome.REFUSED
            lines += paragraph("it would have run:" if is_refused else "its command:", first=" " * 9)
            lines += command_lines(step.command, indent=" " * 11)
    lines += [line for answer in _refusals(recovery) for line in _gate(answer, now)]
    return lines


def _what_is_new(because: str, said: set[str]) -> str:
    """*because* without what was *said* before: several gates in one sentence, asked again at each step."""
    parts = because.split("; ")
    new = [part for part in parts if len(part) <= _SHORT or part not in said]
    said.update(parts)
    if not new:
        return "as before"
    return "; ".join(new if len(new) == len(parts) else [*new, "the rest as before"])


def _is_undone(step: Step) -> bool:
    """Whether a person may want to know, or to do by hand, what mailward did not do to its end."""
    return step.ended is None or step.outcome in (StepOutcome.REFUSED, StepOutcome.UNKNOWN)


def _step(step: Step, because: str) -> str:
    outcome = step.outcome.value if step.outcome is not None else "under way"
    took = ""
    if step.ended is not None and (step.ended - step.started).total_seconds() >= 1:
        took = f" after {span(step.ended - step.started)}"
    why = f": {because}" if because else ""
    again = f" (attempt {step.attempt})" if step.attempt > 1 else ""
    return f"{step.name.value} ({step.server}){again}: {outcome}{took}{why}"


def _refusals(recovery: Recovery) -> Iterator[GateAnswer]:
    """Of the gates asked last, those that did not pass; once each."""
    yield from (answer for answer in last_answers(recovery) if answer.answer is not Answer.PASSES)


def _gate(answer: GateAnswer, now: datetime) -> list[str]:
    until = f" until {clock_time(answer.until, now)}" if answer.until is not None else ""
    return paragraph(f'Gate "{answer.gate.value}" {answer.answer.value}{until}: {answer.because}')


def _monitors(matter: Matter, now: datetime) -> list[str]:
    lines = [line for status in matter.statuses[:_MOST_MONITORS] for line in _monitor(status, now)]
    left = len(matter.statuses) - _MOST_MONITORS
    return lines if left <= 0 else [*lines, f"and {left} more: mailward health --state Unhealthy"]


def _monitor(status: MonitorStatus, now: datetime) -> list[str]:
    key = status.key
    flaps = ", flapping" if status.flapping else ""
    since = clock_time(status.since, now)
    identity = identity_of(key.health_set, key.item, key.target).rstrip("/")
    lines = paragraph(f"{identity} on {key.server}", first="- ")
    return lines + paragraph(f"{status.state.value} since {since}{flaps}: {status.because}", first="  ")


def _own_words(text: str) -> list[str]:
    return [line for part in text.splitlines() for line in paragraph(part)] if text.strip() else []


def _sentence(text: str, names: Collection[str]) -> str:
    """With a capital and a full stop; a name stays as it is spelled."""
    text = text.strip()
    first = text.partition(" ")[0].rstrip(",:;")
    begun = text if first in names else text[:1].upper() + text[1:]
    return begun if not text or text.endswith((".", "!", "?")) else f"{begun}."
