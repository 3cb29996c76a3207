"""What a hold is about."""

from datetime import UTC, datetime

import pytest

from mailward.model.holds import Hold, HoldKind


@pytest.mark.parametrize(
    ("kind", "subject", "blocked"),
    [
        (HoldKind.ACTIVATION, "mbx1", True),
        (HoldKind.ACTIVATION, "MBX1/db2", True),
        (HoldKind.ACTIVATION, "mbx1/DB3", False),
        (HoldKind.ACTIVATION, "mbx2", False),
        (HoldKind.ACTIVATION, "mbx11", False),
        (HoldKind.MAINTENANCE, "mbx1", False),
    ],
)
def test_activation_is_blocked_on_a_whole_server_or_of_one_copy(kind, subject, blocked):
    hold = Hold(
        kind=kind,
        subject=subject,
        value="blocked",
        owner="eva",
        reason="new disks",
        since=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )

    assert blocked is hold.blocks_activation("mbx1", "DB2")
