"""A month of the small organization, in which one proxy was away for half an hour."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailward.health.availability import OVERALL
from mailward.model.availability import Availability, AvailabilityReport, Outage
from mailward.model.items import IMAP, IMAP_PROTOCOL

_ZERO = timedelta(0)
_UNTIL = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SINCE = datetime(2026, 11, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_HALF_AN_HOUR = timedelta(minutes=30)

PROXY = Availability(
    server="proxy1",
    health_set=IMAP,
    up=20 * _DAY - _HALF_AN_HOUR,
    down=_HALF_AN_HOUR,
    set_aside=2 * _DAY,
    not_measured=36 * timedelta(hours=1),
    percent=99.89583333333333,
    is_touch_point=True,
)
AVAILABILITY = AvailabilityReport(
    month="2026-11",
    since=_SINCE,
    until=_UNTIL,
    overall=replace(PROXY, server=OVERALL),
    rows=(
        PROXY,
        Availability(
            server="mbx2",
            health_set=IMAP_PROTOCOL,
            up=_ZERO,
            down=_ZERO,
            set_aside=_ZERO,
            not_measured=_UNTIL - _SINCE,
            percent=None,
        ),
    ),
    outages=(
        Outage(
            server="proxy1",
            health_set=IMAP,
            began=_UNTIL - 2 * _HALF_AN_HOUR,
            ended=_UNTIL - _HALF_AN_HOUR,
            down=_HALF_AN_HOUR,
            because="ImapCTPMonitor of DB2 is Unhealthy: the proxy proxy1 answers nobody",
            mended="healed: healthy again after the restart of the IMAP service",
            event=2,
            operation=1,
        ),
    ),
)
