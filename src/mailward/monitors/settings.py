"""
How monitors judge: every parameter of every rule, documented where it stands.

Nothing here names a server; what an organization sets for one monitor item holds for all its instances.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from mailward.model import items

_FAST = (timedelta(seconds=1), timedelta(seconds=2))


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemSettings:
    """What every monitor item can be told."""

    enabled: bool = True
    """A disabled monitor is shown as Disabled; its probe still runs when another monitor needs it."""
    grace: timedelta = timedelta(seconds=60)
    """How long a broken rule is Degraded before it is Unhealthy. 60 s is Exchange's border between the two."""
    successes_to_recover: int = 2
    """Good results in a row until Healthy again: one may be luck while a service is still coming up."""
    confirm_after: tuple[timedelta, ...] = ()
    """
    After a first failure: how long after the previous attempt *ended* the same target is probed again, once per entry.
    Empty: wait for the regular turn.
    """
    recheck_while_degraded: timedelta | None = None
    """Within the grace period: how soon after an attempt ended to probe again, so that Unhealthy rests on news."""
    confirm_recovery_after: timedelta | None = None
    """After the first success of a broken monitor: how soon to probe again. None: at the regular turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PercentSettings:
    """Less than `minimum_percent` of the results of a window succeeded. Confirmations are not counted."""

    minimum_percent: float = 90
    """Percent of results that must succeed."""
    minimum_samples: int = 5
    """With fewer results the percentage says nothing: one failure of four would read as 75 %."""
    minimum_failures: int = 3
    """
    With fewer failures it says nothing either: a pair that is probed every two minutes has five results in the window,
    and one lost packet would read as 80 %.
    """
    window: timedelta = timedelta(minutes=10)
    """How far back results count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceMonitorSettings(ItemSettings):
    """
    ImapSelfTestMonitor, ImapDeepTestMonitor, ImapProxyTestMonitor, ImapCTPMonitor: does the service work?

    ImapReplicationMonitor likewise: does a copy follow?
    """

    consecutive_failures: int = 3
    """Failures in a row that break the rule; with the default confirmations they take about 3 s to gather."""
    percent: PercentSettings | None = None
    """A second way to break: too many scattered failures."""
    confirm_after: tuple[timedelta, ...] = _FAST
    recheck_while_degraded: timedelta | None = timedelta(seconds=15)
    """15 s: four looks within the grace period, few enough not to add to a server's trouble."""
    confirm_recovery_after: timedelta | None = timedelta(seconds=2)
    """2 s: a repair is seen as such within seconds, also where the regular interval is minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateMonitorSettings(ItemSettings):
    """ImapCertificateMonitor."""

    unhealthy_below: timedelta = timedelta(days=7)
    """Life left below which it is Unhealthy: renewal has failed for weeks and somebody must act now."""
    degraded_below: timedelta = timedelta(days=21)
    """Life left below which it is Degraded: ACME clients renew 30 days before the end, so at 21 renewal is late."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthMailboxMonitorSettings(ItemSettings):
    """ImapHealthMailboxMonitor. Never confirmed fast: repeating a rejected password gets the prober banned."""

    consecutive_failures: int = 2
    """Results in a row that put the fault on the health mailbox itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PushMonitorSettings(ItemSettings):
    """ImapPushMonitor: judges writing turns only, which come every few minutes."""

    limit: timedelta = timedelta(seconds=10)
    """How long a client in IDLE may wait to be told of a new message. Without inotify Dovecot looks every 60 s."""
    consecutive_failures: int = 2
    """Writing turns in a row that were too slow."""
    successes_to_recover: int = 1
    """Turns are minutes apart; a second one would keep a mended server red for five minutes more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DiskMonitorSettings(ItemSettings):
    """DiskSpaceForecastMonitor: bytes and inodes alike."""

    unhealthy_below_percent: float = 5
    """Free space below which it is Unhealthy: file systems slow down and root's reserve (ext4: 5 %) begins."""
    forecast: timedelta = timedelta(hours=24)
    """Degraded when the trend reaches zero within this time: enough for a person to act in working hours."""
    trend_window: timedelta = timedelta(hours=6)
    """How far back the trend looks: longer than a nightly backup's bulge."""
    trend_minimum: timedelta = timedelta(minutes=30)
    """A trend over less than this is noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandTimeMonitorSettings(ItemSettings):
    """AverageCommandProcessingTimeGt60sMonitor: Exchange's name says the default."""

    threshold: timedelta = timedelta(seconds=60)
    """The mean duration of commands above which it is broken."""
    consecutive_samples: int = 1
    """Looks in a row above the threshold. One will do: each is the mean of minutes already."""
    consecutive_failures: int = 2
    """Looks in a row that found several sessions stuck."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueMonitorSettings(ItemSettings):
    """RequestsQueuedGt500Monitor: Exchange's name says the default."""

    threshold: int = 500
    """The number of waiting requests above which it is broken. A queue that holds fewer breaks it when it is full."""
    consecutive_samples: int = 4
    """Looks in a row above the threshold: many clients that come at once are taken within seconds."""
    consecutive_failures: int = 2
    """Looks in a row that found a queue full, or clients dropped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthManagerMonitorSettings(ItemSettings):
    """HealthManagerMonitor: mailward looking at itself."""

    consecutive_failures: int = 2
    """Looks in a row that found something wrong; a single late moment is not worth a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationMonitorSettings(ItemSettings):
    """NotificationMonitor: what Alertmanager says of a server."""

    grace: timedelta = timedelta(0)
    """None: Alertmanager's own rule has waited already (`for`). Unhealthy is told from the second look on."""
    consecutive_failures: int = 1
    """Looks in a row that found something firing."""
    successes_to_recover: int = 1
    """Resolved is resolved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlappingSettings:
    """When a monitor changes so often that single changes are no longer worth telling."""

    times: int = 4
    """How often it must have left Healthy within the window to be called flapping."""
    window: timedelta = timedelta(minutes=30)
    """It is called settled when it has not left Healthy for this long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorSettings:
    """The settings of all monitor items."""

    self_test: ServiceMonitorSettings = field(default_factory=ServiceMonitorSettings)
    deep_test: ServiceMonitorSettings = field(default_factory=ServiceMonitorSettings)
    proxy_test: ServiceMonitorSettings = field(default_factory=ServiceMonitorSettings)
    ctp: ServiceMonitorSettings = field(default_factory=lambda: ServiceMonitorSettings(percent=PercentSettings()))
    command_time: CommandTimeMonitorSettings = field(default_factory=CommandTimeMonitorSettings)
    queue: QueueMonitorSettings = field(default_factory=QueueMonitorSettings)
    certificate: CertificateMonitorSettings = field(default_factory=CertificateMonitorSettings)
    health_mailbox: HealthMailboxMonitorSettings = field(default_factory=HealthMailboxMonitorSettings)
    push: PushMonitorSettings = field(default_factory=PushMonitorSettings)
    disk: DiskMonitorSettings = field(default_factory=DiskMonitorSettings)
    health_manager: HealthManagerMonitorSettings = field(default_factory=HealthManagerMonitorSettings)
    replication: ServiceMonitorSettings = field(default_factory=ServiceMonitorSettings)
    notification: NotificationMonitorSettings = field(default_factory=NotificationMonitorSettings)
    flapping: FlappingSettings = field(default_factory=FlappingSettings)


FIELD_OF_ITEM = {
    items.SELF_TEST_MONITOR: "self_test",
    items.DEEP_TEST_MONITOR: "deep_test",
    items.PROXY_TEST_MONITOR: "proxy_test",
    items.CTP_MONITOR: "ctp",
    items.COMMAND_TIME_MONITOR: "command_time",
    items.QUEUE_MONITOR: "queue",
    items.CERTIFICATE_MONITOR: "certificate",
    items.HEALTH_MAILBOX_MONITOR: "health_mailbox",
    items.PUSH_MONITOR: "push",
    items.DISK_SPACE_MONITOR: "disk",
    items.HEALTH_MANAGER_MONITOR: "health_manager",
    items.REPLICATION_MONITOR: "replication",
    items.NOTIFICATION_MONITOR: "notification",
}
"""Monitor item (as in TOML: `[monitors.ImapDeepTestMonitor]`) -> the field of `MonitorSettings` that holds its own."""
