"""How often and how long to probe: every interval and time-out, documented where it stands."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbingSettings:
    """
    Intervals and time-outs of all probes.

    The defaults are chosen so that one box without proxy sees fewer than 6,000 conversations a day (tested).
    """

    self_test_interval: timedelta | None = None
    """
    Per mailbox server. None: 20 s; 30 s in an organization without proxies, where the customer touch point and the deep
    test meet the very same listener and 20 s alone would be 4,320 conversations a day on one box.
    """
    self_test_timeout: timedelta = timedelta(seconds=3)
    """A log-in that touches no store takes milliseconds; users give up after seconds."""
    deep_test_interval: timedelta = timedelta(seconds=60)
    """Per active copy."""
    deep_test_timeout: timedelta = timedelta(seconds=15)
    """A store under load may take seconds; a hung one never answers."""
    write_turn_every: timedelta = timedelta(minutes=5)
    """How often a deep test also writes; none of the other runs changes anything in the mailbox."""
    passive_copy_interval: timedelta = timedelta(minutes=5)
    """Per passive copy: nobody reads it now, so minutes will do."""
    passive_copy_timeout: timedelta = timedelta(seconds=15)
    proxy_test_interval: timedelta = timedelta(seconds=20)
    """Per proxy."""
    proxy_test_timeout: timedelta = timedelta(seconds=3)
    ctp_interval: timedelta | None = None
    """
    Between two customer-touch-point probes of one proxy or access point, whose databases take turns. None: 30 s; 2 min
    where clients reach the mailbox server without a proxy, since self and deep test walk nearly the same way there.
    """
    ctp_margin: timedelta = timedelta(seconds=3)
    """
    Added to the proxy's own back-end time-out: shorter, and the probe gives up before the proxy says what is wrong.
    """
    disk_interval: timedelta = timedelta(seconds=60)
    disk_timeout: timedelta = timedelta(seconds=10)
    """Asking the host over ssh takes up to seconds."""
    command_time_interval: timedelta = timedelta(seconds=15)
    command_time_timeout: timedelta = timedelta(seconds=10)
    command_window: timedelta = timedelta(minutes=5)
    """How far back commands count whose mean is judged."""
    stuck_after: timedelta = timedelta(seconds=60)
    """How long a session must have been carrying out one command, using no processor, to be stuck."""
    stuck_sessions: int = 3
    """Fewer that are stuck are the trouble of their mailboxes, such as a lock somebody holds, and not the server's."""
    queue_interval: timedelta = timedelta(seconds=15)
    queue_timeout: timedelta = timedelta(seconds=10)
    health_manager_interval: timedelta = timedelta(seconds=15)
    replication_interval: timedelta = timedelta(seconds=30)
    """Per passive copy; the copies themselves are looked at every `moves.poll_every`."""
    replication_timeout: timedelta = timedelta(seconds=15)
    notification_interval: timedelta | None = None
    """
    How often it is looked at what Alertmanager's webhook said of each server, beside at once when it says something
    new. None: what it says is not watched, and there is no NotificationMonitor.
    """
    notification_holds: timedelta = timedelta(hours=5)
    """
    How long what fires is believed that is not said again: longer than Alertmanager's `repeat_interval`, which is 4 h
    by default.
    """
    jitter_percent: float = 10
    """Each wait is shortened or prolonged by up to this share, so that probes do not come in step."""
    back_off_max: timedelta = timedelta(minutes=5)
    """
    The longest wait that exponential back-off after time-outs and rejected passwords may reach: a hung store must not
    be filled with our sessions, yet its return must not go unnoticed for longer.
    """
