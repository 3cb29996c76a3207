"""
What people are told now.

`decide` is the one entry: statuses, recoveries, holds and what was told before go in; the alerts to store and the
notices to queue come out. It may be called as often as one likes: the same situation gives the same identities, which
the outbox takes once. It is cheap when nothing changed, because texts are only written for alerts that did.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailward.alerts.affected import Affected
from mailward.alerts.grouping import group, is_worth_an_alert
from mailward.alerts.language import ENGLISH, Language, Languages, Message, language_of, message
from mailward.alerts.matter import Cause, Excerpt, Matter, Recovery
from mailward.alerts.relating import recoveries_of
from mailward.alerts.settings import EscalationSettings
from mailward.alerts.silence import silences
from mailward.alerts.turns import after_telling, news
from mailward.alerts.urgency import judge
from mailward.alerts.writing import Firing, Over
from mailward.model.alerting import Alert, AlertStatus, Notice, Turns, Urgency
from mailward.model.channels import Channel, ChannelKind
from mailward.model.event import Event, EventKind
from mailward.model.holds import Hold
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import Organization

REMEMBERED = timedelta(days=1)
"""How long a resolved alert counts, so that the next outbreak of the same cause is another alert."""
_WORST_FIRST = (AlertValue.UNHEALTHY, AlertValue.DEGRADED, AlertValue.UNAVAILABLE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Everything the decision rests on."""

    now: datetime
    organization: Organization
    """For the databases on each server, and how many mailboxes they hold."""
    statuses: Sequence[MonitorStatus]
    """
    Every monitor that is Degraded, Unhealthy, Unavailable, Repairing or Disabled, or flaps. Healthy ones may be left
    out and are passed over. Do not ask before the stored statuses were read: a monitor that is not here counts as well.
    """
    recoveries: Sequence[Recovery] = ()
    """Those that are not over, and those that ended within the last hours; with steps and gate answers."""
    holds: Sequence[Hold] = ()
    """Maintenance and repairing silence; others, and those not in force, are passed over."""
    settings: EscalationSettings = field(default_factory=EscalationSettings)
    channels: Sequence[Channel] = ()
    """As configured; a dead-man's channel gets no alerts."""
    alerts: Sequence[Alert] = ()
    """What was told before: `Telling.known` of the last decision that was stored; at a start `Outbox.alerts()`."""
    excerpts: Mapping[MonitorKey, Excerpt] = field(default_factory=dict)
    """The last words on the wire of broken monitors, as far as they are at hand."""
    languages: Languages = field(default_factory=dict)
    """Those of the organization and of its channels."""

    @property
    def language(self) -> Language:
        """In which alerts are kept and shown; a channel may have another."""
        return language_of(self.languages, self.organization.language)


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """What is to be stored and sent, all in one transaction."""

    alerts: tuple[Alert, ...] = ()
    """Those that changed."""
    notices: tuple[Notice, ...] = ()
    events: tuple[Event, ...] = ()
    """ALERT_CHANGED, for those that were told or are over."""
    known: tuple[Alert, ...] = ()
    """What goes into the next decision as `Told.alerts`, once this one was stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    """What one root cause adds to the decision."""

    alert: Alert
    notices: tuple[Notice, ...] = ()
    event: Event | None = None


def decide(situation: Told) -> Telling:
    """Decide what people are told at `situation.now`."""
    now = situation.now
    silent = silences(situation.holds, now=now)
    audible = [status for status in situation.statuses if is_worth_an_alert(status) and not silent.cover(status)]
    groups = group(audible, situation.alerts)
    before = {alert.key: alert for alert in situation.alerts}
    affected = Affected(situation.organization)
    outcomes = [
        _firing(cause, statuses, before.get(cause.key), affected, situation) for cause, statuses in groups.items()
    ]
    present = {cause.key for cause in groups}
    moved = {status.key: cause for cause, statuses in groups.items() for status in statuses}
    silenced = {status.key for status in situation.statuses if silent.cover(status)}
    left = (alert for alert in situation.alerts if alert.status is AlertStatus.FIRING and alert.key not in present)
    outcomes += [_ending(alert, moved, silenced, situation) for alert in left]
    made = [outcome for outcome in outcomes if outcome is not None]
    after = before | {outcome.alert.key: outcome.alert for outcome in made}
    return Telling(
        alerts=tuple(outcome.alert for outcome in made),
        notices=tuple(notice for outcome in made for notice in outcome.notices),
        events=tuple(outcome.event for outcome in made if outcome.event is not None),
        known=tuple(alert for alert in after.values() if alert.ends_at is None or now - alert.ends_at < REMEMBERED),
    )


def _firing(
    cause: Cause, statuses: list[MonitorStatus], before: Alert | None, affected: Affected, told: Told
) -> _Outcome | None:
    """A root cause that shows: told if it is time, stored if it was told before and changed, else left alone."""
    open_before = before if before is not None and before.status is AlertStatus.FIRING else None
    broken = [status for status in statuses if status.state in _WORST_FIRST]
    if not broken:  # it only flaps, and is well at the moment: what was told stands, nothing new is told
        return None
    matter = _matter(cause, broken, affected, told)
    judgement = judge(matter, now=told.now)
    starts_at = open_before.starts_at if open_before is not None else _start(matter, before)
    turns = replace(open_before.turns, clear_since=None) if open_before is not None else Turns()
    what = news(
        turns,
        urgency=judgement.urgency,
        standing=judgement.standing,
        starts_at=starts_at,
        now=told.now,
        settings=told.settings,
    )
    if what is None and open_before is None:
        return None
    if what is not None:
        turns = after_telling(turns, what, urgency=judgement.urgency, standing=judgement.standing, now=told.now)
    firing = Firing(
        matter=matter,
        judgement=judgement,
        starts_at=starts_at,
        monitors=tuple(sorted(status.key for status in statuses)),
        turns=turns,
        organization=told.organization,
        settings=told.settings,
        now=told.now,
    )
    if what is None and open_before is not None and _says_the_same(open_before, firing.bare(told.language)):
        return None
    alert = firing.written(told.language)
    if what is None:
        return _Outcome(alert=alert)
    event = _event(alert, judgement.because, before=open_before, now=told.now)
    return _Outcome(alert=alert, notices=_notices(alert, firing.written, told), event=event)


def _ending(alert: Alert, moved: Mapping[MonitorKey, Cause], silenced: set[MonitorKey], told: Told) -> _Outcome | None:
    """A told alert none of whose monitors shows it any more: silenced, explained by another cause, or over."""
    if any(key in silenced for key in alert.monitors):
        return _resolved(alert, message("it is in maintenance, or somebody repairs it"), told, quietly=True)
    cause = next((moved[key] for key in alert.monitors if key in moved), None)
    if cause is not None:
        return _resolved(alert, message("it is not over, but now told as {key}", key=cause.key), told)
    clear_since = alert.turns.clear_since
    if clear_since is None:
        return _Outcome(alert=replace(alert, turns=replace(alert.turns, clear_since=told.now)))
    if told.now - clear_since < told.settings.group_wait:
        return None
    return _resolved(alert, message("its monitors are well again"), told, at=clear_since)


def _resolved(
    alert: Alert, because: Message, told: Told, *, quietly: bool = False, at: datetime | None = None
) -> _Outcome:
    ending = Over(alert=alert, because=because, ends_at=at or told.now, organization=told.organization)
    over = ending.written(told.language)
    event = _event(over, ENGLISH.say(because), before=alert, now=told.now)
    return _Outcome(alert=over, notices=_notices(over, ending.written, told, quietly=quietly), event=event)


def _matter(cause: Cause, broken: list[MonitorStatus], affected: Affected, told: Told) -> Matter:
    broken.sort(key=lambda status: (_WORST_FIRST.index(status.state), status.key))
    since = min(status.broken_since or status.since for status in broken)
    unhealthy = [status for status in broken if status.state is AlertValue.UNHEALTHY]
    excerpts = [told.excerpts[status.key] for status in broken if status.key in told.excerpts]
    recoveries = recoveries_of(cause, broken, told.recoveries, since=since)
    return Matter(
        cause=cause,
        statuses=tuple(broken),
        since=since,
        affected=affected.by(broken),
        suffering=affected.by(unhealthy),
        recoveries=recoveries,
        excerpt=_with_log(excerpts[0] if excerpts else Excerpt(), recoveries),
    )


def _with_log(excerpt: Excerpt, recoveries: Iterable[Recovery]) -> Excerpt:
    """With what the protocol log said, where a recovery has collected it."""
    for recovery in recoveries:
        for step in reversed(recovery.steps):
            lines = step.evidence.get("protocol_log")
            if isinstance(lines, list | tuple):
                return replace(excerpt, protocol_log=tuple(str(line) for line in lines))
    return excerpt


def _start(matter: Matter, before: Alert | None) -> datetime:
    """When the alert starts: never within an older one of the same cause, which would share its identity."""
    if before is None or before.ends_at is None:
        return matter.since
    return max(matter.since, before.ends_at)


def _says_the_same(before: Alert, alert: Alert) -> bool:
    """Whether nothing but the text, which is only written for what changed, would differ."""
    return replace(before, title="", text="") == alert


def _notices(
    alert: Alert, written: Callable[[Language], Alert], told: Told, *, quietly: bool = False
) -> tuple[Notice, ...]:
    """A notice for each channel that hears of *alert*, in the channel's language; each language is written once."""
    by_tag = {told.language.tag: alert}
    notices = []
    for channel in told.channels:
        language = language_of(told.languages, channel.language)
        if language.tag not in by_tag:
            by_tag[language.tag] = written(language)
        if _hears(channel, alert) and (not quietly or channel.kind is ChannelKind.ALERTMANAGER):
            notices.append(
                Notice(
                    channel=channel.name,
                    identity=identity_of_notice(alert, channel.name),
                    alert=by_tag[language.tag],
                    created_at=told.now,
                    next_try=told.now,
                )
            )
    return tuple(notices)


def _hears(channel: Channel, alert: Alert) -> bool:
    """
    Whether a channel is told of this. Quiet endings go to Alertmanager alone, where the alert would go on firing.
    A channel for urgent news hears the end of what it heard the beginning of.
    """
    if channel.kind is ChannelKind.DEAD_MAN:
        return False
    if not channel.urgent_only:
        return True
    if alert.status is AlertStatus.RESOLVED:
        return alert.turns.urgency is Urgency.CRITICAL
    return alert.urgency is Urgency.CRITICAL


def identity_of_notice(alert: Alert, channel: str) -> str:
    """What makes a notice unique: cause, beginning, status and turn of its alert, and the channel."""
    begun = alert.starts_at.isoformat(timespec="milliseconds")  # as exact as the store keeps it
    return f"{alert.key}|{begun}|{alert.status.value}|{alert.turns.number}|{channel}"


def _event(alert: Alert, because: str, *, before: Alert | None, now: datetime) -> Event:
    return Event(
        at=now,
        kind=EventKind.ALERT_CHANGED,
        subject=alert.key,
        because=because,
        before=_word(before) if before is not None else None,
        after=_word(alert),
        operation=alert.operation,
        data={"title": alert.title, "databases": list(alert.databases)},
    )


def _word(alert: Alert) -> str:
    return alert.urgency.value if alert.status is AlertStatus.FIRING else alert.status.value
