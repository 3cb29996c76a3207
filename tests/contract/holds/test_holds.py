"""What every Holds keeps; an implementation joins by adding itself to `open_holds`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from mailward.model.event import Event, EventKind
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.ports.holds import Holds
from mailward.ports.store import Retention, Store
from mailward.storage.holds import SqliteHolds
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_holds import MemoryHolds
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON, SetClock

HOUR = timedelta(hours=1)
REPLACING = [kind for kind in HoldKind if kind is not HoldKind.UPGRADE]


@dataclass
class Kept:
    """Holds, the store they are in, and how often somebody was told of events."""

    store: Store
    told: list[None] = field(default_factory=list)
    holds: Holds = None  # type: ignore[assignment]

    async def events(self) -> list[str]:
        return [event.because for event in await self.store.events()]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["memory", "sqlite"])
async def kept(request, tmp_path, clock) -> AsyncIterator[Kept]:
    if request.param == "memory":
        memory = MemoryStore(clock=clock)
        made = Kept(memory)
        made.holds = MemoryHolds(memory, stored=lambda: made.told.append(None))
    else:
        sqlite = SqliteStore(tmp_path / "db", clock=clock)
        await sqlite.open()
        made = Kept(sqlite)
        made.holds = SqliteHolds(sqlite.database, stored=lambda: made.told.append(None))
    yield made
    await made.store.close()


@pytest.fixture
async def holds(kept) -> Holds:
    return kept.holds


def a_hold(kind: HoldKind = HoldKind.MAINTENANCE, subject: str = "be1", **changes: object) -> Hold:
    fields: dict[str, object] = {
        "kind": kind,
        "subject": subject,
        "value": "on",
        "owner": "ana",
        "reason": "new disks",
        "since": NOON,
    }
    return Hold(**{**fields, **changes})  # type: ignore[arg-type]


def an_event(because: str, kind: EventKind = EventKind.HOLD_BEGAN) -> Event:
    return Event(at=NOON, kind=kind, subject="be1", because=because, actor="ana")


async def present(holds: Holds, clock: SetClock) -> list[int]:
    return [hold.id for hold in await holds.present(now=clock.now())]


async def test_a_hold_is_given_back_as_it_was_with_a_number(kept, holds):
    wanted = a_hold(
        HoldKind.OVERRIDE,
        "*/IMAP/ImapCTPMonitor",
        value="30s",
        until=NOON + HOUR,
        data={"item_type": "probe", "property": "interval"},
    )

    added = await holds.add(wanted, [an_event("it began")])

    assert added == replace(wanted, id=added.id)
    assert added.id > 0
    assert (added,) == await holds.present(now=NOON) == await holds.history()
    assert (["it began"], 1) == (await kept.events(), len(kept.told))


async def test_present_are_those_in_force_and_those_to_come(holds, clock):
    past = await holds.add(a_hold(subject="be1", since=NOON - 2 * HOUR, until=NOON))
    now = await holds.add(a_hold(subject="be2", until=NOON + HOUR))
    later = await holds.add(a_hold(subject="be3", since=NOON + HOUR, until=NOON + 2 * HOUR))
    always = await holds.add(a_hold(subject="be4"))

    assert [now.id, later.id, always.id] == await present(holds, clock)
    clock.advance(HOUR)
    assert [later.id, always.id] == await present(holds, clock)
    assert (always, later, now, past) == await holds.history()


async def test_an_ended_hold_says_who_ended_it_and_when(kept, holds, clock):
    added = await holds.add(a_hold())
    ended = an_event("it ended", EventKind.HOLD_ENDED)

    assert await holds.end(added.id, at=NOON + HOUR, by="bob", events=[ended])

    assert [] == await present(holds, clock)
    assert (replace(added, ended_at=NOON + HOUR, ended_by="bob"),) == await holds.history()
    assert ["it ended"] == await kept.events()


async def test_what_has_ended_or_never_was_cannot_be_ended_and_its_event_is_not_stored(kept, holds):
    added = await holds.add(a_hold())
    await holds.end(added.id, at=NOON, by="bob")

    assert not await holds.end(added.id, at=NOON + HOUR, by="eve", events=[an_event("again")])
    assert not await holds.end(added.id + 1, at=NOON, by="eve", events=[an_event("what?")])

    assert ["bob"] == [hold.ended_by for hold in await holds.history()]
    assert [] == await kept.events()


async def test_what_ran_out_is_ended_once_with_its_event(kept, holds, clock):
    added = await holds.add(a_hold(until=NOON + HOUR))
    clock.advance(2 * HOUR)

    ended = [await holds.end(added.id, at=NOON + HOUR, by="mailward", events=[an_event("ran out")]) for _ in range(3)]

    assert [True, False, False] == ended
    assert ["ran out"] == await kept.events()


@pytest.mark.parametrize("kind", REPLACING)
async def test_a_hold_replaces_the_one_of_the_same_subject(holds, clock, kind):
    first = await holds.add(a_hold(kind))
    other = await holds.add(a_hold(kind, "be2"))
    clock.advance(HOUR)

    second = await holds.add(a_hold(kind, since=NOON + HOUR, owner="bob", reason="longer"))

    assert [other.id, second.id] == await present(holds, clock)
    assert replace(first, ended_at=NOON + HOUR, ended_by="bob") == (await holds.history())[-1]


async def test_upgrades_replace_none(holds, clock):
    first, second = await holds.add(a_hold(HoldKind.UPGRADE)), await holds.add(a_hold(HoldKind.UPGRADE))

    assert [first.id, second.id] == await present(holds, clock)


async def test_kinds_replace_only_their_own(holds, clock):
    added = [(await holds.add(a_hold(kind))).id for kind in HoldKind]

    assert added == await present(holds, clock)


async def test_each_requester_has_an_entry_of_its_own(holds, clock):
    async def add(requester: Requester, value: str) -> int:
        return (await holds.add(a_hold(HoldKind.COMPONENT_STATE, requester=requester, value=value))).id

    first = [await add(requester, "Inactive") for requester in Requester]
    again = await add(Requester.SIDELINED, "Draining")

    assert [*(number for number in first if number != first[2]), again] == await present(holds, clock)


@pytest.mark.parametrize(
    ("item_type", "property_", "replaced"),
    [("probe", "interval", True), ("probe", "timeout", False), ("monitor", "interval", False)],
)
async def test_an_override_replaces_that_of_the_same_property(holds, clock, item_type, property_, replaced):
    async def add(item_type: str, property_: str) -> int:
        data = {"item_type": item_type, "property": property_}
        return (await holds.add(a_hold(HoldKind.OVERRIDE, value="30s", data=data))).id

    first = await add("probe", "interval")
    second = await add(item_type, property_)

    assert ([second] if replaced else [first, second]) == await present(holds, clock)


async def test_a_scheduled_hold_never_ends_one_in_force(holds, clock):
    now = await holds.add(a_hold())
    scheduled = await holds.add(a_hold(since=NOON + HOUR, until=NOON + 2 * HOUR))

    assert [now.id, scheduled.id] == await present(holds, clock)


async def test_a_hold_that_is_over_before_another_begins_leaves_it_alone(holds, clock):
    sunday = await holds.add(a_hold(since=NOON + 5 * HOUR, until=NOON + 6 * HOUR))
    today = await holds.add(a_hold(until=NOON + HOUR))
    saturday = await holds.add(a_hold(since=NOON + 3 * HOUR, until=NOON + 5 * HOUR))

    assert [sunday.id, today.id, saturday.id] == await present(holds, clock)


async def test_a_hold_that_lasts_replaces_what_was_scheduled_within_it(holds, clock):
    await holds.add(a_hold(since=NOON + HOUR, until=NOON + 2 * HOUR))
    always = await holds.add(a_hold())

    assert [always.id] == await present(holds, clock)


async def test_what_ran_out_is_not_said_to_have_been_ended_by_what_came_after_it(holds, clock):
    first = await holds.add(a_hold(until=NOON + HOUR))
    clock.advance(2 * HOUR)

    await holds.add(a_hold(since=NOON + 2 * HOUR))

    assert first == (await holds.history())[-1]


async def test_history_is_found_by_a_subject_and_what_is_below_it(holds):
    for subject in ("be1", "be1/Imap", "be10", "organization"):
        await holds.add(a_hold(subject=subject))

    assert ["be1/Imap", "be1"] == [hold.subject for hold in await holds.history(subject="be1")]
    assert ["organization", "be10"] == [hold.subject for hold in await holds.history(limit=2)]
    assert () == await holds.history(subject="be")


async def test_what_has_ended_is_kept_for_a_year_and_what_holds_for_ever(kept, holds):
    ended = await holds.add(a_hold(subject="be1"))
    await holds.end(ended.id, at=NOON, by="ana")
    ran_out = await holds.add(a_hold(subject="be2", until=NOON))
    lasts = await holds.add(a_hold(subject="be3"))
    year = Retention().operations

    await kept.store.tidy(now=NOON + year, retention=Retention())
    assert [lasts.id, ran_out.id, ended.id] == [hold.id for hold in await holds.history()]
    await kept.store.tidy(now=NOON + year + HOUR, retention=Retention())

    assert (lasts,) == await holds.history()
