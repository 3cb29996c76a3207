import logging
from datetime import timedelta

from mailward.engine.ledger import Change, Ledger
from mailward.model.event import Event, EventKind
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON, SetClock

CLOCK = SetClock()


def a_result(number: int) -> ProbeResult:
    return ProbeResult(
        probe="ImapSelfTestProbe",
        health_set="IMAP.Protocol",
        server="mbx1",
        target=f"t{number}",
        at=NOON + timedelta(seconds=number),
        took=timedelta(0),
        result=ResultType.FAILED,
        failed_phase=Phase.AUTH,
        cause=Cause.CLOSED,
    )


def an_event(because: str = "so it is", **changes: object) -> Event:
    fields: dict[str, object] = {"at": NOON, "kind": EventKind.MONITOR_CHANGED, "subject": "mbx1", "because": because}
    return Event(**{**fields, **changes})  # type: ignore[arg-type]


class Picky(MemoryStore):
    """A store that cannot take one certain event, whatever one does."""

    async def save_statuses(self, statuses, events):
        if any(event.because == "poison" for event in events):
            raise TypeError("no form for this")
        return await super().save_statuses(statuses, events)


async def test_while_the_store_is_gone_the_oldest_results_are_dropped_and_that_is_said():
    store = MemoryStore(clock=CLOCK)
    ledger = Ledger(store, CLOCK, results_max=3)
    store.out_of_reach = True
    for number in range(5):
        ledger.add_result(a_result(number))
    assert not await ledger.flush()
    assert (3, True) == (ledger.pending, ledger.trouble is not None)

    store.out_of_reach = False
    assert await ledger.flush()
    await ledger.flush()

    assert ["t4", "t3", "t2"] == [result.target for result in await store.results()]
    (event,) = await store.events()
    assert (EventKind.STORE_BACK, True) == (event.kind, "2 results had to be dropped" in event.because)


async def test_changes_are_stored_in_their_order_and_none_is_lost():
    store = MemoryStore(clock=CLOCK)
    ledger = Ledger(store, CLOCK)
    store.out_of_reach = True
    for word in ("first", "second"):
        ledger.add_change(Change(events=(an_event(word),)))
        await ledger.flush()
    store.out_of_reach = False
    await ledger.flush()

    assert ["first", "second"] == [event.because for event in await store.events(kinds=[EventKind.MONITOR_CHANGED])]


async def test_what_can_never_be_stored_keeps_nothing_back(caplog):
    store = Picky(clock=CLOCK)
    ledger = Ledger(store, CLOCK)
    for word in ("poison", "bread"):
        ledger.add_change(Change(events=(an_event(word),)))

    assert await ledger.flush()

    assert ["bread"] == [event.because for event in await store.events()]
    assert "cannot be stored" in caplog.text


async def test_an_event_is_one_line_of_logfmt(caplog):
    ledger = Ledger(MemoryStore(clock=CLOCK), CLOCK)
    verdict = {"tier": "store", "server": "mbx1", "confidence": "certain", "because": "…"}
    data = {"server": "mbx1", "databases": ["DB1", "DB2"], "mailboxes": 7, "verdict": verdict, "mailbox_server": None}

    with caplog.at_level(logging.INFO, logger="mailward.events"):
        ledger.add_change(
            Change(events=(an_event('it said "no"\nand left', before="Healthy", after="Degraded", data=data),))
        )

    assert (
        "event=monitor-changed subject=mbx1 before=Healthy after=Degraded databases=DB1,DB2 mailboxes=7"
        ' verdict="store mbx1 certain" because="it said \\"no\\"\\nand left"'
    ) == caplog.messages[0]
    assert caplog.records[0].levelno == logging.WARNING
