"""
The monitoring items by name: the table of the seed's page as data.

Item, monitor and health-set names are Exchange's where Exchange has them, English in every locale, compared without
regard to case.
"""

from dataclasses import dataclass
from enum import Enum

from mailward.model.verdict import Dependency

IMAP = "IMAP"
IMAP_PROTOCOL = "IMAP.Protocol"
IMAP_PROXY = "IMAP.Proxy"
SERVER_RESOURCES = "DiskSpace"
MONITORING = "Monitoring"
NOTIFICATIONS = "Notifications"

SELF_TEST_PROBE = "ImapSelfTestProbe"
DEEP_TEST_PROBE = "ImapDeepTestProbe"
PROXY_TEST_PROBE = "ImapProxyTestProbe"
CTP_PROBE = "ImapCTPProbe"
DELIVERY_PROBE = "LmtpDeliveryProbe"
COMMAND_TIME_CHECK = "ImapCommandTimeCheck"
QUEUE_CHECK = "ImapQueueCheck"
DISK_SPACE_CHECK = "DiskSpaceCheck"
HEALTH_MANAGER_CHECK = "HealthManagerCheck"
REPLICATION_CHECK = "ImapReplicationCheck"
NOTIFICATION_CHECK = "NotificationCheck"

SELF_TEST_MONITOR = "ImapSelfTestMonitor"
DEEP_TEST_MONITOR = "ImapDeepTestMonitor"
PROXY_TEST_MONITOR = "ImapProxyTestMonitor"
CTP_MONITOR = "ImapCTPMonitor"
COMMAND_TIME_MONITOR = "AverageCommandProcessingTimeGt60sMonitor"
QUEUE_MONITOR = "RequestsQueuedGt500Monitor"
CERTIFICATE_MONITOR = "ImapCertificateMonitor"
HEALTH_MAILBOX_MONITOR = "ImapHealthMailboxMonitor"
PUSH_MONITOR = "ImapPushMonitor"
DISK_SPACE_MONITOR = "DiskSpaceForecastMonitor"
HEALTH_MANAGER_MONITOR = "HealthManagerMonitor"
REPLICATION_MONITOR = "ImapReplicationMonitor"
NOTIFICATION_MONITOR = "NotificationMonitor"


class HealthGroup(Enum):
    """Exchange's four groups of health sets."""

    CUSTOMER_TOUCH_POINTS = "Customer Touch Points"
    SERVICE_COMPONENTS = "Service Components"
    SERVER_RESOURCES = "Server Resources"
    KEY_DEPENDENCIES = "Key Dependencies"


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthSet:
    """Probes, monitors and responders of one component; as healthy as its worst monitor."""

    name: str
    group: HealthGroup
    describes: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeItem:
    """A probe by name."""

    name: str
    health_sets: tuple[str, ...]
    dependencies: tuple[Dependency, ...]
    describes: str
    conversation: str
    """What it does on the wire, in order."""
    monitors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorItem:
    """A monitor by name."""

    name: str
    health_sets: tuple[str, ...]
    """A monitor may stand in several sets: the certificate of a proxy and of a mailbox server are two monitors."""
    probes: tuple[str, ...]
    """The probes whose results it judges; the first is run when the monitor is named on the command line."""
    dependencies: tuple[Dependency, ...]
    describes: str
    rule: str
    """The default rule, in words."""
    advice: str
    """What a person should do when it is unhealthy."""
    component: str | None = None
    """The server component that `component set` can make inactive."""


_DIRECTORY = Dependency.DIRECTORY
_AUTHENTICATION = Dependency.AUTHENTICATION

HEALTH_SETS: tuple[HealthSet, ...] = (
    HealthSet(
        name=IMAP,
        group=HealthGroup.CUSTOMER_TOUCH_POINTS,
        describes="Whether users can read their mail over IMAP, from the access point to the mailbox.",
    ),
    HealthSet(
        name=IMAP_PROTOCOL,
        group=HealthGroup.SERVICE_COMPONENTS,
        describes="Whether the IMAP service on a mailbox server and the stores behind it work.",
    ),
    HealthSet(
        name=IMAP_PROXY,
        group=HealthGroup.SERVICE_COMPONENTS,
        describes="Whether the IMAP proxy on a front-end server works.",
    ),
    HealthSet(
        name=SERVER_RESOURCES,
        group=HealthGroup.SERVER_RESOURCES,
        describes="Whether the disks under the mail stores will still have room tomorrow.",
    ),
    HealthSet(
        name=MONITORING,
        group=HealthGroup.KEY_DEPENDENCIES,
        describes="Whether mailward itself sees what it should see.",
    ),
    HealthSet(
        name=NOTIFICATIONS,
        group=HealthGroup.KEY_DEPENDENCIES,
        describes="Whether another monitoring system says that something is wrong with a server.",
    ),
)

PROBES: tuple[ProbeItem, ...] = (
    ProbeItem(
        name=CTP_PROBE,
        health_sets=(IMAP,),
        dependencies=(
            _DIRECTORY,
            _AUTHENTICATION,
            Dependency.MAILBOX_SERVER_AUTHENTICATION,
            Dependency.HIGH_AVAILABILITY,
            Dependency.NETWORKING,
        ),
        describes="Reads a message the way a user does: through the access point or proxy, from the database's health mailbox.",
        conversation="connect, TLS, greeting, CAPABILITY, login, ID, SELECT, FETCH of the canary, LOGOUT",
        monitors=(CTP_MONITOR, CERTIFICATE_MONITOR),
    ),
    ProbeItem(
        name=PROXY_TEST_PROBE,
        health_sets=(IMAP_PROXY,),
        dependencies=(_DIRECTORY, _AUTHENTICATION),
        describes="Meets the proxy on the address clients use, without needing a back end.",
        conversation="connect, TLS, greeting, CAPABILITY, LOGOUT",
        monitors=(PROXY_TEST_MONITOR, CERTIFICATE_MONITOR),
    ),
    ProbeItem(
        name=DEEP_TEST_PROBE,
        health_sets=(IMAP_PROTOCOL,),
        dependencies=(_DIRECTORY, _AUTHENTICATION, Dependency.INFORMATION_STORE, Dependency.HIGH_AVAILABILITY),
        describes="Reads the canary of a mailbox database directly on the mailbox server; every few minutes it also writes.",
        conversation=(
            "connect, TLS, greeting, CAPABILITY, login, SELECT, FETCH of the canary compared byte for byte; on the writing"
            " turn APPEND of a message with our token, seen by a second session in IDLE, FETCH, UID EXPUNGE of exactly it;"
            " on a passive copy EXAMINE and FETCH only; LOGOUT"
        ),
        monitors=(DEEP_TEST_MONITOR, HEALTH_MAILBOX_MONITOR, PUSH_MONITOR),
    ),
    ProbeItem(
        name=SELF_TEST_PROBE,
        health_sets=(IMAP_PROTOCOL,),
        dependencies=(_DIRECTORY, _AUTHENTICATION),
        describes="Logs in to the mailbox server's local health mailbox; selects nothing, so no store is involved.",
        conversation="connect, TLS, greeting, CAPABILITY, login, NOOP, LOGOUT",
        monitors=(SELF_TEST_MONITOR, CERTIFICATE_MONITOR, HEALTH_MAILBOX_MONITOR),
    ),
    ProbeItem(
        name=DELIVERY_PROBE,
        health_sets=(IMAP,),
        dependencies=(_DIRECTORY, Dependency.INFORMATION_STORE, Dependency.HIGH_AVAILABILITY, Dependency.NETWORKING),
        describes=(
            "Hands a message over by LMTP at a proxy and reads it there as its user does. Runs when it is asked for: by a"
            " move, before it calls itself done, and by `mailward probe`. No monitor judges it."
        ),
        conversation=(
            "connect, TLS, greeting, login, ID, SELECT; LMTP at the proxy: LHLO, MAIL, RCPT of the health mailbox, DATA"
            " with our token; UID SEARCH until it is there, UID EXPUNGE of exactly it, LOGOUT"
        ),
        monitors=(),
    ),
    ProbeItem(
        name=COMMAND_TIME_CHECK,
        health_sets=(IMAP,),
        dependencies=(),
        describes=(
            "Reads from the platform's counters how long the commands took that ended within the last minutes, IDLE left"
            " out; and whether sessions carry out a command that makes no progress."
        ),
        conversation="none: it reads the counters of the platform (Dovecot: doveadm stats dump)",
        monitors=(COMMAND_TIME_MONITOR,),
    ),
    ProbeItem(
        name=QUEUE_CHECK,
        health_sets=(IMAP,),
        dependencies=(),
        describes=(
            "Reads how many connections wait to be taken at the IMAP listeners, and whether the service has all the"
            " processes it may have."
        ),
        conversation="none: it reads the listening sockets and the platform's limits (Dovecot: doveadm service status)",
        monitors=(QUEUE_MONITOR,),
    ),
    ProbeItem(
        name=DISK_SPACE_CHECK,
        health_sets=(SERVER_RESOURCES,),
        dependencies=(Dependency.INFORMATION_STORE,),
        describes="Reads free space and free inodes of the file systems under the mail stores, where the host is reached.",
        conversation="none: it reads the host",
        monitors=(DISK_SPACE_MONITOR,),
    ),
    ProbeItem(
        name=REPLICATION_CHECK,
        health_sets=(IMAP_PROTOCOL,),
        dependencies=(Dependency.HIGH_AVAILABILITY,),
        describes="Reads how well a passive copy follows the active one, where databases can be moved.",
        conversation="none: it reads the replicator, or what mailward's own synchronising came to",
        monitors=(REPLICATION_MONITOR,),
    ),
    ProbeItem(
        name=HEALTH_MANAGER_CHECK,
        health_sets=(MONITORING,),
        dependencies=(),
        describes="Looks at mailward itself: late probes, event-loop lag, whether results can be stored.",
        conversation="none: it reads mailward's own state",
        monitors=(HEALTH_MANAGER_MONITOR,),
    ),
    ProbeItem(
        name=NOTIFICATION_CHECK,
        health_sets=(NOTIFICATIONS,),
        dependencies=(),
        describes=(
            "Looks whether an alert fires in Alertmanager that names this server, as its webhook said. Runs where"
            " `[probes.NotificationCheck] interval` is set."
        ),
        conversation="none: it reads what Alertmanager posted",
        monitors=(NOTIFICATION_MONITOR,),
    ),
)

MONITORS: tuple[MonitorItem, ...] = (
    MonitorItem(
        name=CTP_MONITOR,
        health_sets=(IMAP,),
        probes=(CTP_PROBE,),
        dependencies=PROBES[0].dependencies,
        describes="Users of a database can read mail through this access point or proxy.",
        rule="3 consecutive failures, or less than 90 % of at least 5 samples in 10 minutes",
        advice=(
            "Look at the verdict. If it names a mailbox server, follow that server's ImapDeepTestMonitor first; if the"
            " mailbox server is healthy, the proxy or the path between the two is at fault."
        ),
    ),
    MonitorItem(
        name=PROXY_TEST_MONITOR,
        health_sets=(IMAP_PROXY,),
        probes=(PROXY_TEST_PROBE,),
        dependencies=(_DIRECTORY, _AUTHENTICATION),
        describes="The proxy greets its clients.",
        rule="3 consecutive failures",
        advice="Restart the IMAP service on the proxy and probe again; if it stays broken take the proxy out of the access point.",
        component="ImapProxy",
    ),
    MonitorItem(
        name=DEEP_TEST_MONITOR,
        health_sets=(IMAP_PROTOCOL,),
        probes=(DEEP_TEST_PROBE,),
        dependencies=PROBES[2].dependencies,
        describes="A mailbox database can be read and written on the mailbox server that serves it.",
        rule="3 consecutive failures",
        advice=(
            "If the self test of the same server fails too, restart its IMAP service. If only this database fails, look at"
            " its store: permissions, space, the mount. Then move the database to another copy."
        ),
    ),
    MonitorItem(
        name=SELF_TEST_MONITOR,
        health_sets=(IMAP_PROTOCOL,),
        probes=(SELF_TEST_PROBE,),
        dependencies=(_DIRECTORY, _AUTHENTICATION),
        describes="The IMAP service of a mailbox server answers and lets its local health mailbox log in.",
        rule="3 consecutive failures",
        advice="Start the service if it failed, restart it if it hangs, and probe again.",
    ),
    MonitorItem(
        name=COMMAND_TIME_MONITOR,
        health_sets=(IMAP,),
        probes=(COMMAND_TIME_CHECK,),
        dependencies=(),
        describes="Commands that users give are carried out in time.",
        rule=(
            "commands that ended within 5 minutes took more than 60 s on average, or 3 sessions have been carrying out"
            " a command for 60 s without progress; with no command there is no data"
        ),
        advice=(
            "Look at what the slowest command waits for: the mail store's disks, locks, a search without an index. A"
            " restart of the service ends every session, and all of them log in again at once."
        ),
    ),
    MonitorItem(
        name=QUEUE_MONITOR,
        health_sets=(IMAP,),
        probes=(QUEUE_CHECK,),
        dependencies=(),
        describes="Requests are taken as fast as they come.",
        rule="more than 500 requests wait in 4 looks running; or the queue is full, or clients are dropped, in 2",
        advice=(
            "If clients are dropped, raise the process limit that the reason names, as memory allows. If requests wait"
            " at the listener, see whether the login processes run. A restart under load is a login storm."
        ),
    ),
    MonitorItem(
        name=CERTIFICATE_MONITOR,
        health_sets=(IMAP, IMAP_PROXY, IMAP_PROTOCOL),
        probes=(PROXY_TEST_PROBE, SELF_TEST_PROBE, CTP_PROBE),
        dependencies=(Dependency.CERTIFICATE,),
        describes="The certificate clients are shown verifies, is not about to expire, and is the one on disk.",
        rule="does not verify, or expires within 7 days (unhealthy) or 21 days (degraded), or differs from the one on disk",
        advice="Renew the certificate; if the one on disk is newer than the one served, reload the service.",
    ),
    MonitorItem(
        name=HEALTH_MAILBOX_MONITOR,
        health_sets=(IMAP_PROTOCOL,),
        probes=(DEEP_TEST_PROBE, SELF_TEST_PROBE),
        dependencies=(Dependency.MONITORING,),
        describes="The health mailbox itself can be used: its password is right, it is not full or at a limit.",
        rule="2 consecutive results that put the fault on the health mailbox",
        advice="Run `mailward accounts check`, then `mailward accounts rotate` or `accounts create` for the account it names.",
    ),
    MonitorItem(
        name=PUSH_MONITOR,
        health_sets=(IMAP_PROTOCOL,),
        probes=(DEEP_TEST_PROBE,),
        dependencies=(Dependency.INFORMATION_STORE,),
        describes="A client waiting in IDLE is told of new mail.",
        rule="2 writing turns in which IDLE stayed silent for more than 10 seconds",
        advice="Look at inotify limits and the notify plug-in of the mailbox server; phones now poll instead of being pushed.",
    ),
    MonitorItem(
        name=DISK_SPACE_MONITOR,
        health_sets=(SERVER_RESOURCES,),
        probes=(DISK_SPACE_CHECK,),
        dependencies=(Dependency.INFORMATION_STORE,),
        describes="Space and inodes under the mail stores last at least another day.",
        rule="less than 5 % free (unhealthy) or the trend reaches zero within 24 hours (degraded)",
        advice="Make room or grow the file system before mail is refused.",
    ),
    MonitorItem(
        name=REPLICATION_MONITOR,
        health_sets=(IMAP_PROTOCOL,),
        probes=(REPLICATION_CHECK,),
        dependencies=(Dependency.HIGH_AVAILABILITY,),
        describes="A passive copy could take over: it follows the active one within the limit of lag.",
        rule="3 consecutive looks that found it failed, behind by more than `moves.lag_limit`, or never synchronised",
        advice=(
            "Run `mailward copies --database DATABASE`: the reason names the mailbox or server. Look at the replicator of"
            " the active copy's server, the disk of the passive one, and the doveadm port between them. Until it follows"
            " again the database has one copy less."
        ),
    ),
    MonitorItem(
        name=HEALTH_MANAGER_MONITOR,
        health_sets=(MONITORING,),
        probes=(HEALTH_MANAGER_CHECK,),
        dependencies=(Dependency.MONITORING,),
        describes="mailward probes on time and can store what it sees.",
        rule="2 consecutive looks that found probes late, the event loop blocked, or the store unreachable",
        advice="Look at the host mailward runs on: processor, disk space of the state directory, clock.",
    ),
    MonitorItem(
        name=NOTIFICATION_MONITOR,
        health_sets=(NOTIFICATIONS,),
        probes=(NOTIFICATION_CHECK,),
        dependencies=(),
        describes="No alert of another monitoring system is about this server.",
        rule="an alert fires in Alertmanager that names the server, and is neither resolved nor too old",
        advice="Follow the alert that the reason names, where it comes from. mailward has seen nothing of it and repairs nothing.",
    ),
)
