"""Copies of the mailbox databases of the same small organization: DB2's third copy, on archive1, has failed."""

from datetime import timedelta

from mailward.model.copies import CopyKind, CopyState, DatabaseCopy
from mailward.testing.repair_values import NOON

COPIES = (
    DatabaseCopy(
        database="DB1",
        server="mbx1",
        state=CopyState.MOUNTED,
        because="the map sends its users to mbx1, which serves them",
        kind=CopyKind.SYNC,
        preference=1,
        seen_at=NOON,
        lag=timedelta(0),
        waiting=0,
        mailboxes=120,
    ),
    DatabaseCopy(
        database="DB1",
        server="mbx2",
        state=CopyState.HEALTHY,
        because="it was synchronised 1.5 s ago",
        kind=CopyKind.SYNC,
        preference=2,
        seen_at=NOON,
        lag=timedelta(seconds=1.5),
        waiting=2,
        mailboxes=120,
    ),
    DatabaseCopy(
        database="DB2",
        server="mbx2",
        state=CopyState.MOUNTED,
        because="the map sends its users to mbx2, which serves them",
        kind=CopyKind.SYNC,
        preference=1,
        seen_at=NOON,
        lag=timedelta(0),
        waiting=0,
        mailboxes=80,
    ),
    DatabaseCopy(
        database="DB2",
        server="mbx1",
        state=CopyState.HEALTHY,
        because="nothing is missing",
        kind=CopyKind.SYNC,
        preference=2,
        seen_at=NOON,
        lag=timedelta(0),
        waiting=0,
        mailboxes=80,
    ),
    DatabaseCopy(
        database="DB2",
        server="archive1",
        state=CopyState.FAILED,
        because="doveadm sync: No space left on device",
        kind=CopyKind.SYNC,
        preference=3,
        seen_at=NOON,
    ),
)
"""By database and preference."""
