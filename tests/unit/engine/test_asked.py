from datetime import UTC, datetime, timedelta

import pytest

from mailward.engine.asked import Asked, tell
from mailward.model.errors import NotFound
from mailward.model.probing import ProbeResult, ResultType
from mailward.monitors.samples import ProbeKey

DB1, DB2 = (ProbeKey(probe="ImapDeepTestProbe", server="mbx1", target=name) for name in ("DB1", "DB2"))
RESULT = ProbeResult(
    probe="ImapDeepTestProbe",
    health_set="IMAP.Protocol",
    server="mbx1",
    target="DB1",
    at=datetime(2026, 11, 26, tzinfo=UTC),
    took=timedelta(0),
    result=ResultType.SUCCEEDED,
)


async def test_who_asks_while_a_run_is_under_way_waits_for_the_next():
    asked = Asked()
    first = asked.wait_for(DB1)
    run = asked.take(DB1)
    second = asked.wait_for(DB1)

    tell(run, RESULT)

    assert RESULT == await first
    assert not second.done()
    tell(asked.take(DB1), RESULT)
    assert RESULT == await second


async def test_who_gave_up_does_not_keep_the_others_from_their_answer():
    asked = Asked()
    gone, waits = asked.wait_for(DB1), asked.wait_for(DB1)
    gone.cancel()

    tell(asked.take(DB1), RESULT)

    assert RESULT == await waits


async def test_who_waits_for_a_probe_that_is_not_run_any_more_is_told():
    asked = Asked()
    dropped, kept = asked.wait_for(DB1), asked.wait_for(DB2)

    asked.keep_only({DB2})

    with pytest.raises(NotFound, match="ImapDeepTestProbe of mbx1, DB1 is not run any more"):
        await dropped
    assert not kept.done()
