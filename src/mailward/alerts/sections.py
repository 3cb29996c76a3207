"""The sections an escalation's text consists of, each a list of lines."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from mailward.alerts.advice import next_steps, probe_again
from mailward.alerts.documentation import references
from mailward.alerts.language import Language
from mailward.alerts.layout import clock_time, command_lines, gist, listed, number, paragraph, span
from mailward.alerts.matter import Matter, Recovery
from mailward.alerts.urgency import Judgement, last_answers
from mailward.model.identity import identity_of
from mailward.model.monitoring import MonitorStatus
from mailward.model.organization import Organization
from mailward.model.recovery import Answer, GateAnswer, Step, StepOutcome

_MOST_MONITORS = 8
MOST_DATABASES = 12
_MOST_STEPS = 20
_SHORT = 40
"""Columns of a reason that may be said again and again."""


class Sections:
    """Writes for one language at one moment."""

    def __init__(self, organization: Organization, language: Language, now: datetime) -> None:
        """Write of *organization*, whose names are spelled as they are."""
        self._organization = organization
        self._names = {*organization.servers, *organization.access_points, *organization.databases}
        self._language = language
        self._say = language.say
        self._now = now

    def affected(self, matter: Matter) -> list[str]:
        """Whose users, how many, since when."""
        say, since = self._say, self._moment(matter.since)
        if not matter.affected:
            return paragraph(say("No user is known to be affected. Broken since {moment}.", moment=since))
        mailboxes = {name: self._organization.databases[name].mailboxes for name in matter.affected}
        shown = [self._database(name, count) for name, count in mailboxes.items()]
        names = listed(shown, most=MOST_DATABASES, language=self._language)
        lines = paragraph(say("Users of {databases}, since {moment}.", databases=names, moment=since))
        total = sum(count or 0 for count in mailboxes.values())
        if total and len(shown) > 1:
            in_all = {"mailboxes": number(total, self._language), "count": len(shown)}
            at_least = None in mailboxes.values()
            lines += paragraph(
                say("Together at least {mailboxes} mailboxes in {count} databases.", **in_all)
                if at_least
                else say("Together {mailboxes} mailboxes in {count} databases.", **in_all)
            )
        return lines

    def broken(self, matter: Matter, judgement: Judgement) -> list[str]:
        """What is broken, why we say so, and why it is as urgent as it is."""
        say, verdict = self._say, matter.verdict
        lines = paragraph(self._quoted(verdict.because if verdict is not None else matter.statuses[0].because))
        if verdict is not None:
            where = f"{verdict.tier.value} {verdict.server}" if verdict.server else verdict.tier.value
            on = say(", dependency: {dependency}", dependency=verdict.dependency.value) if verdict.dependency else ""
            sure = verdict.confidence.value
            lines += paragraph(say("Verdict: {where}, {confidence}{on}.", where=where, confidence=sure, on=on))
        if matter.mailbox_server:
            lines += paragraph(say("Serving mailbox server (_Mbx): {server}.", server=matter.mailbox_server))
        return lines + paragraph(self._sentence(say(judgement.reason))) if matter.affected else lines

    def to_do(self, matter: Matter, judgement: Judgement) -> list[str]:
        """What a person does next."""
        lines: list[str] = []
        for advice in next_steps(matter, judgement):
            if advice.sentence is not None:
                lines += paragraph(self._say(advice.sentence), first="- ")
            if advice.command:
                lines += command_lines(advice.command, indent="    ")
        return [
            *lines,
            *paragraph(self._say("Look again:"), first="- "),
            *command_lines(probe_again(matter.statuses[0].key), indent="    "),
        ]

    def tried(self, recovery: Recovery) -> list[str]:
        """What a recovery did, and what held it back."""
        operation = recovery.operation
        what = self._say(
            "Procedure {procedure} for {target}, mode {mode}: {status}.",
            procedure=operation.kind.value,
            target=operation.target,
            mode=operation.mode.value,
            status=self._say(operation.status.value),
        )
        lines = paragraph(f"{what} {self._quoted(gist(operation.because))}")
        told = recovery.steps[-_MOST_STEPS:]
        if len(recovery.steps) > len(told):
            earlier = self._say("{count} earlier steps", count=len(recovery.steps) - len(told))
            lines += paragraph(f"… {earlier}: mailward why {operation.id}")
        said = {operation.because}
        ending = f": {operation.because or '…'}"
        for step in told:
            because = self._what_is_new(step.because.removesuffix(ending), said)
            lines += paragraph(self._step(step, because), first=f"{step.started:%H:%M:%S} ")
            if step.command and _is_undone(step):
                is_refused = step.outcome is StepOutcome.REFUSED
                would = self._say("it would have run:") if is_refused else self._say("its command:")
                lines += paragraph(would, first=" " * 9)
                lines += command_lines(step.command, indent=" " * 11)
        return lines + [line for answer in _refusals(recovery) for line in self._gate(answer)]

    def monitors(self, matter: Matter) -> list[str]:
        """The monitors that show it, the worst first."""
        lines = [line for status in matter.statuses[:_MOST_MONITORS] for line in self._monitor(status)]
        left = len(matter.statuses) - _MOST_MONITORS
        if left > 0:
            lines.append(
                self._say("and {count} more: {command}", count=left, command="mailward health --state Unhealthy")
            )
        return lines

    def meanings(self, monitors: Iterable[str]) -> list[str]:
        """Where each monitor is explained. An address is not folded: a phone opens what is on one line."""
        lines: list[str] = []
        for known in references(monitors, self._organization.documentation):
            lines.append(f"- {known.monitor}")
            if known.address:
                lines.append(f"    {known.address}")
            else:
                lines += [*command_lines(known.command, indent="    "), f"    {known.page}"]
        return lines

    def _database(self, name: str, mailboxes: int | None) -> str:
        if not mailboxes:
            return name
        return self._say("{name} ({count} mailboxes)", name=name, count=number(mailboxes, self._language))

    def _what_is_new(self, because: str, said: set[str]) -> str:
        """*because* without what was *said* before: several gates in one sentence, asked again at each step."""
        parts = because.split("; ")
        new = [part for part in parts if len(part) <= _SHORT or part not in said]
        said.update(parts)
        if not new:
            return self._say("as before")
        words = self._words("; ".join(new))
        return words if len(new) == len(parts) else f"{words}; {self._say('the rest as before')}"

    def _step(self, step: Step, because: str) -> str:
        say = self._say
        outcome = say(step.outcome.value) if step.outcome is not None else say("under way")
        took = ""
        if step.ended is not None and (step.ended - step.started).total_seconds() >= 1:
            took = say(" after {span}", span=span(step.ended - step.started, self._language))
        why = f": {because}" if because else ""
        again = say(" (attempt {attempt})", attempt=step.attempt) if step.attempt > 1 else ""
        return f"{say(step.name.value)} ({step.server}){again}: {outcome}{took}{why}"

    def _gate(self, answer: GateAnswer) -> list[str]:
        say = self._say
        until = say(" until {moment}", moment=self._moment(answer.until)) if answer.until is not None else ""
        said = say(
            'Gate "{gate}" {answer}{until}', gate=answer.gate.value, answer=say(answer.answer.value), until=until
        )
        return paragraph(f"{said}: {self._words(answer.because)}")

    def _monitor(self, status: MonitorStatus) -> list[str]:
        key, say = status.key, self._say
        identity = identity_of(key.health_set, key.item, key.target).rstrip("/")
        stands = say("{state} since {moment}", state=status.state.value, moment=self._moment(status.since))
        flaps = say(", flapping") if status.flapping else ""
        lines = paragraph(say("{monitor} on {server}", monitor=identity, server=key.server), first="- ")
        return lines + paragraph(f"{stands}{flaps}: {self._words(status.because)}", first="  ")

    def _moment(self, at: datetime) -> str:
        return clock_time(at, self._now, self._language)

    def _quoted(self, text: str) -> str:
        """A sentence another room said."""
        return self._words(self._sentence(text))

    def _words(self, text: str) -> str:
        """What another room said, in its own words: English, and marked as a quotation in any other language."""
        return self._say("{quoted}", quoted=text) if text else ""

    def _sentence(self, text: str) -> str:
        """With a capital and a full stop; a name stays as it is spelled."""
        text = text.strip()
        first = text.partition(" ")[0].rstrip(",:;")
        begun = text if first in self._names else text[:1].upper() + text[1:]
        return begun if not text or text.endswith((".", "!", "?")) else f"{begun}."


def _is_undone(step: Step) -> bool:
    """Whether a person may want to know, or to do by hand, what mailward did not do to its end."""
    return step.ended is None or step.outcome in (StepOutcome.REFUSED, StepOutcome.UNKNOWN)


def _refusals(recovery: Recovery) -> Iterator[GateAnswer]:
    """Of the gates asked last, those that did not pass; once each."""
    yield from (answer for answer in last_answers(recovery) if answer.answer is not Answer.PASSES)
