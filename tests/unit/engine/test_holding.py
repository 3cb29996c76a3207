"""Holds at hand: they begin and end by themselves, and survive a lost store."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailward.engine.holding import LOOK_EVERY, Holding
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.event import EventKind
from mailward.model.holds import Hold, HoldKind, Requester
from mailward.model.organization import ImapEndpoint, Organization, Role, Server
from mailward.monitors.coverage import cover
from mailward.monitors.probing import ProbingSettings
from mailward.monitors.settings import MonitorSettings
from mailward.testing.memory_holds import MemoryHolds
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON, SetClock

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ORGANIZATION = Organization(
    name="example",
    servers={
        name: Server(
            name=name,
            roles=frozenset({role}),
            imap=ImapEndpoint(host="127.0.0.1"),
            known_as=frozenset({f"{name}.example.net"}),
        )
        for name, role in {"p1": Role.PROXY, "be1": Role.MAILBOX, "be2": Role.MAILBOX}.items()
    },
)
COVERAGE = cover(ORGANIZATION, ProbingSettings(), MonitorSettings())


class Held:
    """A store, and a manager's holds on it."""

    def __init__(self, store=None, clock=None):
        self.clock = clock or SetClock()
        self.store = store or MemoryStore(clock=self.clock)
        self.recorded = []
        self.changes = []
        self.holding = Holding(
            MemoryHolds(self.store),
            self.clock,
            organization=lambda: ORGANIZATION,
            coverage=lambda: COVERAGE,
            record=self.recorded.append,
            on_change=self.changes.append,
            read_every=timedelta(0),
        )

    def again(self):
        """Another process on the same store."""
        return Held(self.store, self.clock)

    async def at(self, moment):
        self.clock.advance(moment - self.clock.now())
        await self.holding.look()

    async def events(self):
        return [(event.kind, event.subject, event.actor) for event in await self.store.events()]

    @property
    def told(self):
        """(begun, ended) subjects of each change."""
        return [([h.subject for h in c.began], [h.subject for h in c.ended]) for c in self.changes]


@pytest.fixture
async def held():
    made = Held()
    await made.holding.look()
    return made


def a_hold(kind=HoldKind.MAINTENANCE, subject="be1", value="on", **changes) -> Hold:
    return replace(Hold(kind=kind, subject=subject, value=value, owner="", reason="new disks", since=NOON), **changes)


def a_state(value, requester=Requester.MAINTENANCE, **changes):
    return a_hold(HoldKind.COMPONENT_STATE, "p1/ImapProxy", value, requester=requester, **changes)


async def test_what_is_added_is_in_force_and_told_of_when_the_answer_comes(held):
    kept = await held.holding.add(a_hold(subject="BE1.example.net"), actor="eva")

    assert ("be1", "eva") == (kept.subject, kept.owner)
    assert kept.id
    assert (kept,) == held.holding.present() == held.holding.in_force()
    assert [(["be1"], [])] == held.told
    assert [(EventKind.HOLD_BEGAN, "be1", "eva")] == await held.events()


async def test_what_cannot_be_is_refused_and_stores_nothing(held):
    with pytest.raises(NotFound, match="did you mean 'be1'"):
        await held.holding.add(a_hold(subject="be11"), actor="eva")
    with pytest.raises(Refused, match="reason"):
        await held.holding.add(a_hold(reason=""), actor="eva")

    assert () == held.holding.present()
    assert [] == held.changes == await held.events()


async def test_it_ends_by_itself_at_its_instant_and_says_that_mailward_ended_it(held):
    kept = await held.holding.add(a_hold(until=NOON + HOUR), actor="eva")

    await held.at(NOON + HOUR - SECOND)
    assert (kept,) == held.holding.in_force()
    held.clock.advance(HOUR)
    assert () == held.holding.in_force() == held.holding.present()
    await held.holding.look()

    assert [(["be1"], []), ([], ["be1"])] == held.told
    *_, last = await held.store.events()
    assert (EventKind.HOLD_ENDED, "mailward", NOON + HOUR) == (last.kind, last.actor, last.at)
    assert "it ran until its end" in last.because
    (over,) = await held.holding.found(ended=True)
    assert (NOON + HOUR, "mailward") == (over.ended_at, over.ended_by)


async def test_what_is_scheduled_begins_by_itself_with_an_event_of_its_own(held):
    kept = await held.holding.add(a_hold(since=NOON + HOUR, until=NOON + 2 * HOUR), actor="eva")
    assert (kept,) == held.holding.present()
    assert () == held.holding.in_force()
    assert [] == held.changes

    await held.at(NOON + HOUR)
    await held.at(NOON + HOUR + SECOND)

    assert (kept,) == held.holding.in_force()
    assert [(["be1"], [])] == held.told
    assert ["scheduled"] == [event.after for event in await held.store.events()]
    assert [(EventKind.HOLD_BEGAN, "on", "eva")] == [(e.kind, e.after, e.actor) for e in held.recorded]


async def test_what_is_taken_back_is_over_when_the_answer_comes(held):
    kept = await held.holding.add(a_hold(), actor="eva")

    over = await held.holding.release(kept.id, actor="udo")

    assert (NOON, "udo") == (over.ended_at, over.ended_by)
    assert () == held.holding.present()
    assert [(["be1"], []), ([], ["be1"])] == held.told
    assert (EventKind.HOLD_ENDED, "be1", "udo") == (await held.events())[-1]


async def test_what_is_over_or_never_was_cannot_be_taken_back(held):
    kept = await held.holding.add(a_hold(), actor="eva")
    await held.holding.release(kept.id, actor="eva")

    with pytest.raises(Refused, match="has ended already"):
        await held.holding.release(kept.id, actor="eva")
    with pytest.raises(NotFound, match="there is no hold 4711"):
        await held.holding.release(4711, actor="eva")


async def test_a_new_one_replaces_its_like_and_both_are_recorded(held):
    first = await held.holding.add(a_hold(), actor="eva")
    second = await held.holding.add(a_hold(until=NOON + HOUR), actor="udo")

    assert (second,) == held.holding.present()
    assert [(["be1"], []), (["be1"], ["be1"])] == held.told
    assert [
        (EventKind.HOLD_BEGAN, "be1", "eva"),
        (EventKind.HOLD_ENDED, "be1", "udo"),
        (EventKind.HOLD_BEGAN, "be1", "udo"),
    ] == await held.events()
    assert "udo" == next(hold for hold in await held.holding.found(ended=True) if hold.id == first.id).ended_by


async def test_entries_of_several_requesters_stand_beside_each_other(held):
    for requester in Requester:
        await held.holding.add(a_state("Inactive", requester), actor="eva")

    assert list(Requester) == [hold.requester for hold in held.holding.in_force()]


@pytest.mark.parametrize("clearing", Requester)
async def test_active_takes_back_the_entry_of_the_same_requester_and_of_no_other(held, clearing):
    for requester in (Requester.MAINTENANCE, Requester.FUNCTIONAL):
        await held.holding.add(a_state("Inactive", requester), actor="eva")

    answer = await held.holding.add(a_state("Active", clearing), actor="udo")

    left = {Requester.MAINTENANCE, Requester.FUNCTIONAL} - {clearing}
    assert left == {hold.requester for hold in held.holding.present()}
    assert "udo" == answer.ended_by
    assert (clearing in (Requester.MAINTENANCE, Requester.FUNCTIONAL)) == bool(answer.id)


async def test_a_component_state_is_not_taken_back_by_its_number_but_by_mailward_itself(held):
    kept = await held.holding.add(a_state("Inactive", Requester.HEALTH_API), actor="mailward")

    with pytest.raises(Refused, match="component set p1 ImapProxy Active --requester HealthAPI"):
        await held.holding.release(kept.id, actor="eva")
    await held.holding.release(kept.id, actor="mailward")

    assert () == held.holding.present()


async def test_before_the_first_look_it_is_not_known_what_is_held():
    fresh = Held()

    assert "not been read" in fresh.holding.trouble
    await fresh.holding.look()
    assert fresh.holding.trouble is None


async def test_a_store_that_is_lost_from_the_start_is_trouble_until_it_is_back():
    before = Held()
    await before.holding.add(a_hold(), actor="eva")
    held = before.again()
    held.store.out_of_reach = True

    await held.holding.look()
    assert "cannot be read" in held.holding.trouble
    held.store.out_of_reach = False
    await held.holding.look()

    assert held.holding.trouble is None
    assert [(["be1"], [])] == held.told


async def test_while_the_store_is_lost_what_was_held_stays_and_ends_on_time_and_nothing_new_is_held(held):
    await held.holding.add(a_hold(until=NOON + HOUR), actor="eva")
    stays = await held.holding.add(a_hold(subject="be2"), actor="eva")
    held.store.out_of_reach = True

    with pytest.raises(TemporaryFailure):
        await held.holding.add(a_hold(subject="be2"), actor="udo")
    with pytest.raises(TemporaryFailure):
        await held.holding.release(stays.id, actor="udo")
    await held.at(NOON + HOUR)

    assert held.holding.trouble is not None
    assert (stays,) == held.holding.in_force()
    assert ([], ["be1"]) == held.told[-1]
    held.store.out_of_reach = False
    await held.at(NOON + 2 * HOUR)
    *_, last = await held.store.events()
    assert (EventKind.HOLD_ENDED, "be1", NOON + HOUR) == (last.kind, last.subject, last.at)
    assert held.holding.trouble is None
    assert (stays,) == held.holding.in_force()


async def test_after_a_restart_everything_is_held_as_before_without_new_events(held):
    await held.holding.add(a_hold(), actor="eva")
    before = await held.events()

    after = held.again()
    await after.holding.look()

    assert held.holding.present() == after.holding.present()
    assert [(["be1"], [])] == after.told
    assert before == await after.events()
    assert [] == after.recorded


async def test_what_ran_out_while_nobody_watched_is_recorded_once_at_the_moment_it_did(held):
    await held.holding.add(a_hold(until=NOON + HOUR), actor="eva")

    for _ in range(2):
        after = held.again()
        await after.at(NOON + 5 * HOUR)

    ends = [event for event in await held.store.events() if event.kind is EventKind.HOLD_ENDED]
    assert [(NOON + HOUR, "mailward")] == [(event.at, event.actor) for event in ends]


async def test_what_another_process_holds_or_ends_is_seen(held):
    other = held.again()
    await other.holding.look()
    kept = await other.holding.add(a_hold(), actor="udo")

    await held.holding.look()
    assert (kept,) == held.holding.in_force()
    await other.holding.release(kept.id, actor="udo")
    await held.holding.look()

    assert [(["be1"], []), ([], ["be1"])] == held.told


async def test_two_who_hold_the_same_at_once_leave_one(held):
    await asyncio.gather(*(held.holding.add(a_hold(), actor=name) for name in ("eva", "udo", "ida")))

    assert 1 == len(held.holding.present())
    assert held.holding.present() == await MemoryHolds(held.store).present(now=NOON)


async def test_what_is_found_is_by_server_in_any_spelling_with_all_below_it(held):
    await held.holding.add(a_state("Inactive"), actor="eva")
    await held.holding.add(a_hold(subject="p1"), actor="eva")
    await held.holding.add(a_hold(HoldKind.PAUSE, "organization"), actor="eva")

    for name, subjects in {
        None: ["p1/ImapProxy", "p1", "organization"],
        "P1.example.net": ["p1/ImapProxy", "p1"],
        "p1/ImapProxy": ["p1/ImapProxy"],
        "organization": ["organization"],
        "be1": [],
        "p": [],
    }.items():
        assert subjects == [hold.subject for hold in await held.holding.found(subject=name)]


async def test_the_loop_lets_things_end_within_a_second(held):
    running = asyncio.create_task(held.holding.run())
    try:
        await held.holding.add(a_hold(until=NOON + HOUR), actor="eva")
        held.clock.advance(HOUR)
        assert LOOK_EVERY <= timedelta(seconds=1)
        async with asyncio.timeout(30):
            while len(held.changes) < 2:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


SUBJECTS = ["be1", "be2"]
DEEDS = st.one_of(
    st.tuples(st.just("hold"), st.sampled_from(SUBJECTS), st.integers(0, 3), st.integers(1, 4)),
    st.tuples(st.just("release"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.integers(1, 3)),
    st.tuples(
        st.just("lose"),
    ),
    st.tuples(
        st.just("find"),
    ),
    st.tuples(
        st.just("restart"),
    ),
)


@settings(deadline=None, max_examples=60)
@given(deeds=st.lists(DEEDS, max_size=14))
async def test_after_any_sequence_in_force_is_what_the_holds_say_and_every_change_was_told(deeds):
    held = Held()
    await held.holding.look()
    told: set[int] = set()
    for what, *how in deeds:
        now = held.clock.now()
        try:
            match what:
                case "hold":
                    subject, begins, lasts = how
                    since = now + begins * HOUR
                    await held.holding.add(
                        a_hold(subject=subject, since=since, until=since + lasts * HOUR), actor="eva"
                    )
                case "release":
                    await held.holding.release(how[0], actor="eva")
                case "wait":
                    held.clock.advance(how[0] * HOUR)
                case "lose" | "find":
                    held.store.out_of_reach = what == "lose"
                case "restart" if not held.store.out_of_reach:
                    held, told = held.again(), set()
        except (Refused, TemporaryFailure):
            pass
        await held.holding.look()
        for change in held.changes:
            told |= {hold.id for hold in change.began}
            told -= {hold.id for hold in change.ended}
        held.changes.clear()

        now = held.clock.now()
        stored = [hold for hold in held.store.holds.values() if hold.is_in_force(now)]
        assert stored == list(held.holding.in_force())
        assert told == {hold.id for hold in stored}
        # two of one subject may be in force: one that was scheduled never ends one that holds (ports/holds.py)
