"""Copies of the mailbox databases of the same small organization: DB2's third copy, on archive1, has failed."""

from datetime import timedelta
from typing import Any

from mailward.model.copies import CopyKind, CopyState, DatabaseCopy
from mailward.testing.repair_values import NOON


def _a_copy(database: str, server: str, state: CopyState, because: str, preference: int, **more: Any) -> DatabaseCopy:
    return DatabaseCopy(
        database=database,
        server=server,
        state=state,
        because=because,
        kind=CopyKind.SYNC,
        preference=preference,
        seen_at=NOON,
        **more,
    )


_LACKS_NOTHING: dict[str, Any] = {"lag": timedelta(0), "waiting": 0}
COPIES = (
    _a_copy(
        "DB1",
        "mbx1",
        CopyState.MOUNTED,
        "the map sends its users to mbx1, which serves them",
        1,
        mailboxes=120,
        **_LACKS_NOTHING,
    ),
    _a_copy(
        "DB1",
        "mbx2",
        CopyState.HEALTHY,
        "it was synchronised 1.5 s ago",
        2,
        mailboxes=120,
        lag=timedelta(seconds=1.5),
        waiting=2,
    ),
    _a_copy(
        "DB2",
        "mbx2",
        CopyState.MOUNTED,
        "the map sends its users to mbx2, which serves them",
        1,
        mailboxes=80,
        **_LACKS_NOTHING,
    ),
    _a_copy("DB2", "mbx1", CopyState.HEALTHY, "nothing is missing", 2, mailboxes=80, **_LACKS_NOTHING),
    _a_copy("DB2", "archive1", CopyState.FAILED, "doveadm sync: No space left on device", 3),
)
"""By database and preference."""
