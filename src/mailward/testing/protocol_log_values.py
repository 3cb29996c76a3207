"""Protocol logs and sessions of the small organization of `manager_values`."""

from datetime import timedelta

from mailward.model.protocol_log import LoggedLine, LoggedSession, ProtocolLogStanding, Speaker
from mailward.testing.repair_values import NOON

_SECOND = timedelta(seconds=1)
PROTOCOL_LOGS = (
    ProtocolLogStanding(
        server="mbx1",
        is_available=True,
        because="off",
        directory="/run/mailward-rawlog",
    ),
    ProtocolLogStanding(
        server="mbx2",
        is_available=True,
        because="on for health-db2",
        users=("health-db2",),
        since=NOON - timedelta(minutes=3),
        until=NOON + timedelta(minutes=7),
        directory="/run/mailward-rawlog",
    ),
    ProtocolLogStanding(
        server="archive1",
        is_available=False,
        because="the protocol log of archive1 is not available over ssh: mailward-host has no verb for it",
    ),
)

LOGGED_SESSIONS = (
    LoggedSession(
        user="health-db2",
        because="proxy1 sent it to mbx1",
        mailbox_server="mbx1",
        proxy="proxy1",
        session="wsnrNTVhl7R/wvQF",
        opened=NOON - timedelta(minutes=5),
        lines=(
            LoggedLine(
                server="proxy1",
                speaker=Speaker.LOG,
                text="imap-login: Error: proxy(health-db2,192.0.2.21:993): connect(192.0.2.21, 993) failed",
                at=NOON - timedelta(minutes=5),
            ),
        ),
    ),
    LoggedSession(
        user="health-db2",
        because="the log of mbx2 has its login",
        mailbox_server="mbx2",
        proxy="proxy1",
        session="Ut39LjVhE4t/jQcF",
        process=22539,
        opened=NOON,
        lines=(
            LoggedLine(
                server="proxy1",
                speaker=Speaker.LOG,
                text="imap-login: Info: proxy(health-db2,192.0.2.22:993): Started proxying to <192.0.2.22>",
                at=NOON,
            ),
            LoggedLine(server="mbx2", speaker=Speaker.CLIENT, text="a1 SELECT INBOX", at=NOON + _SECOND),
            LoggedLine(server="mbx2", speaker=Speaker.SERVER, text="a1 NO [SERVERBUG] ***", at=NOON + 2 * _SECOND),
        ),
    ),
)
