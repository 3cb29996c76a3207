"""An alert put into words: once for each language it is told in, the same in everything that programs compare."""

from dataclasses import dataclass, replace
from datetime import datetime

from mailward.alerts import text, titles
from mailward.alerts.documentation import references
from mailward.alerts.grouping import labels_of
from mailward.alerts.language import Language, Message
from mailward.alerts.links import page_of
from mailward.alerts.matter import Matter
from mailward.alerts.settings import EscalationSettings
from mailward.alerts.urgency import Judgement
from mailward.model.alerting import Alert, AlertStatus, Turns
from mailward.model.monitoring import MonitorKey
from mailward.model.organization import Organization


@dataclass(frozen=True, kw_only=True, slots=True)
class Firing:
    """An alert that fires, in no language yet."""

    matter: Matter
    judgement: Judgement
    starts_at: datetime
    monitors: tuple[MonitorKey, ...]
    turns: Turns
    organization: Organization
    settings: EscalationSettings
    now: datetime

    def bare(self, language: Language) -> Alert:
        """The alert without title and text: by these it is seen whether anything changed."""
        matter, operation = self.matter, self.judgement.operation
        return Alert(
            key=matter.cause.key,
            status=AlertStatus.FIRING,
            urgency=self.judgement.urgency,
            title="",
            text="",
            starts_at=self.starts_at,
            labels=labels_of(matter.cause, self.organization.name),
            annotations=self._annotations(language),
            operation=operation.id if operation is not None else None,
            monitors=self.monitors,
            databases=matter.affected,
            turns=self.turns,
        )

    def written(self, language: Language) -> Alert:
        """The whole alert."""
        title = titles.firing(self.matter, self.judgement, now=self.now, language=language)
        words = text.firing(
            title,
            self.matter,
            self.judgement,
            organization=self.organization,
            settings=self.settings,
            now=self.now,
            language=language,
        )
        return replace(self.bare(language), title=title, text=words)

    def _annotations(self, language: Language) -> dict[str, str]:
        matter, operation = self.matter, self.judgement.operation
        notes = {"because": language.say(self.judgement.reason), "state": matter.statuses[0].state.value}
        worst = references((status.key.item for status in matter.statuses), self.organization.documentation)[0]
        notes["documentation"] = str(worst)
        if worst.address:
            notes["runbook_url"] = worst.address  # the name by which receivers of Alertmanager's look for it
        if self.organization.dashboard:
            notes["dashboard"] = page_of(matter.cause.key, self.organization.dashboard)
        if operation is not None:
            steps = next(len(one.steps) for one in matter.recoveries if one.operation.id == operation.id)
            # in the words of the record, as `recoveries` shows it: programs read it, too
            notes["recovery"] = f"{operation.id} {operation.status.value}, {steps} steps"
        return notes


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """An alert that is over, in no language yet."""

    alert: Alert
    """As it was told last."""
    because: Message
    ends_at: datetime
    organization: Organization

    def written(self, language: Language) -> Alert:
        """The whole alert."""
        alert, ends_at = self.alert, self.ends_at
        title = titles.resolved(alert, ends_at=ends_at, language=language)
        words = text.resolved(
            title, alert, self.because, organization=self.organization, ends_at=ends_at, language=language
        )
        return replace(
            alert,
            status=AlertStatus.RESOLVED,
            ends_at=ends_at,
            title=title,
            text=words,
            annotations={**alert.annotations, "because": language.say(self.because)},
            turns=replace(alert.turns, number=alert.turns.number + 1, clear_since=None),
        )
