import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailward.alerts.deciding import Told, decide
from mailward.config.languages import languages
from mailward.engine.lane import GIVES_UP_AFTER
from mailward.engine.notifying import Notifying
from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.channels import Channel, ChannelKind
from mailward.model.errors import NotFound, PermanentFailure, Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.model.monitoring import AlertValue, MonitorKey, MonitorStatus
from mailward.model.organization import Organization
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.storage.outbox import SqliteOutbox
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_outbox import MemoryOutbox
from mailward.testing.memory_store import MemoryStore
from mailward.testing.notifier import TameNotifier
from mailward.testing.platform import SetClock

MAIL = Channel(name="mail", kind=ChannelKind.SMTP)
CHAT = Channel(name="chat", kind=ChannelKind.WEBHOOK)
LATER = TemporaryFailure("channel mail: the relay said later")


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


class Manager:
    """One manager's notifying on a store that others share; `restarted` is the next one."""

    def __init__(self, store: MemoryStore, clock: SetClock) -> None:
        self.store = store
        self.clock = clock
        self.outbox = MemoryOutbox(store)
        self.events: list[Event] = []
        self.notifiers: dict[str, TameNotifier] = {}
        self.is_well = True
        self.notifying = Notifying(
            self.outbox, self._make, clock=clock, on_event=self.events.append, is_well=lambda: self.is_well
        )
        self.notifying.use([MAIL, CHAT])

    def _make(self, channel: Channel) -> TameNotifier:
        return self.notifiers.setdefault(channel.name, TameNotifier(channel.name))

    async def queue(self, *texts: str, channel: str = "mail") -> None:
        notices = [self.notice(text, channel) for text in texts]
        await self.notifying.tell((), notices)

    def notice(self, text: str, channel: str = "mail") -> Notice:
        now = self.clock.now()
        alert = Alert(
            key=text, status=AlertStatus.FIRING, urgency=Urgency.CRITICAL, title=text, text=text, starts_at=now
        )
        return Notice(channel=channel, identity=f"{text}|{channel}", alert=alert, created_at=now, next_try=now)

    async def go(self, after: timedelta = timedelta()) -> None:
        """One look at the outbox after so long, with everything that follows from it."""
        self.clock.advance(after)
        await self.notifying.send_due()
        await self.notifying.settled()

    def sent(self, channel: str = "mail") -> list[str]:
        return [sent.alert.title for sent in self.notifiers[channel].sent]

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def manager(clock) -> Manager:
    return Manager(MemoryStore(clock=clock), clock)


@asynccontextmanager
async def running(notifying: Notifying) -> AsyncIterator[None]:
    task = asyncio.create_task(notifying.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


async def test_what_is_queued_goes_out_once_and_in_order(manager):
    await manager.queue("first", "second")
    await manager.queue("third")

    await manager.go()
    await manager.go(seconds(120))

    assert ["first", "second", "third"] == manager.sent()
    assert () == await manager.outbox.waiting()


async def test_the_loop_sends_what_is_told_at_once(manager):
    async with running(manager.notifying):
        await manager.queue("now")
        await until(manager.sent)

    assert ["now"] == manager.sent()


async def test_a_notice_that_is_told_twice_goes_out_once(manager):
    await manager.queue("same")
    await manager.go()

    assert () == await manager.notifying.tell((), [manager.notice("same")])
    await manager.go()
    assert ["same"] == manager.sent()


async def test_a_channel_that_hangs_delays_no_other(manager):
    manager.notifiers["mail"].hangs = True
    async with running(manager.notifying):
        await manager.queue("stuck")
        await manager.queue("through", channel="chat")
        await until(lambda: manager.sent("chat"))

    assert [] == manager.sent("mail")


async def test_attempts_back_off_and_the_notice_goes_out_when_the_channel_works_again(manager):
    manager.notifiers["mail"].failure = LATER
    await manager.queue("late")
    tried = []
    for second in range(0, 3600, 5):
        await manager.go(seconds(5 if second else 0))
        if manager.notifiers["mail"].attempts > len(tried):
            tried.append(second)

    assert [0, 10, 40, 100, 220, 520, 1120, 1720, 2320, 2920, 3520] == tried
    manager.notifiers["mail"].failure = None
    await manager.go(seconds(600))
    assert ["late"] == manager.sent()


async def test_order_holds_while_a_channel_fails(manager):
    manager.notifiers["mail"].failure = LATER
    await manager.queue("first")
    await manager.go()
    await manager.queue("second")
    await manager.go(seconds(1))
    assert 1 == manager.notifiers["mail"].attempts, "the second does not try what the first has just found out"

    manager.notifiers["mail"].failure = None
    await manager.go(seconds(9))

    assert ["first", "second"] == manager.sent()


async def test_a_channel_that_says_never_is_asked_again_every_hour(manager):
    manager.notifiers["mail"].failure = PermanentFailure("channel mail: the relay rejects user x; mend the password")
    await manager.queue("news")
    await manager.go()
    await manager.go(timedelta(minutes=59))
    assert 1 == manager.notifiers["mail"].attempts

    manager.notifiers["mail"].failure = None
    await manager.go(timedelta(minutes=1))
    assert ["news"] == manager.sent()


async def test_a_notice_is_given_up_after_a_day_with_an_event(manager):
    manager.notifiers["mail"].failure = LATER
    await manager.queue("old news")
    await manager.go()
    await manager.go(GIVES_UP_AFTER)

    assert () == await manager.outbox.waiting()
    assert [EventKind.CHANNEL_FAILED, EventKind.CHANNEL_FAILED] == manager.kinds()
    assert (
        "gave up telling 'old news' after 2 attempts: channel mail: the relay said later" == manager.events[-1].because
    )


async def test_a_manager_killed_after_sending_leads_to_a_second_one_with_the_same_identity(manager, clock):
    notice = manager.notice("down")
    await manager.notifying.tell((), [notice])
    # sent, and killed before it was recorded: the claim is all that is left
    (claimed,) = await manager.outbox.claim(now=clock.now(), until=clock.now() + seconds(60))
    await manager.notifiers["mail"].send(claimed.alert, identity=claimed.identity)

    restarted = Manager(manager.store, clock)
    await restarted.go(seconds(59))
    assert [] == restarted.sent()
    await restarted.go(seconds(1))

    assert [notice.identity] == [sent.identity for sent in restarted.notifiers["mail"].sent]


async def test_what_waited_survives_a_restart(manager, clock):
    manager.notifiers["mail"].failure = LATER
    await manager.queue("down")
    await manager.go()

    restarted = Manager(manager.store, clock)
    await restarted.go(seconds(10))

    assert ["down"] == restarted.sent()


async def test_what_was_sent_while_the_store_was_lost_is_not_sent_again(manager):
    await manager.queue("once")
    send = manager.notifiers["mail"].send

    async def send_and_lose_the_store(alert: Alert, *, identity: str) -> None:
        await send(alert, identity=identity)
        manager.store.out_of_reach = True

    manager.notifiers["mail"].send = send_and_lose_the_store
    await manager.go()
    await manager.go(seconds(30))
    manager.store.out_of_reach = False
    await manager.go(seconds(60))
    await manager.go(seconds(60))

    assert ["once"] == manager.sent()
    assert () == await manager.outbox.waiting()


async def test_a_notice_of_a_channel_that_is_gone_is_given_up_with_an_event(manager):
    await manager.queue("nobody", channel="pigeon")

    await manager.go()

    assert () == await manager.outbox.waiting()
    assert ["pigeon"] == [event.subject for event in manager.events]


async def test_a_failing_channel_is_an_event_once_and_a_problem_after_a_minute(manager):
    manager.notifiers["mail"].failure = LATER
    await manager.queue("x")
    await manager.go()
    assert ([EventKind.CHANNEL_FAILED], ()) == (manager.kinds(), manager.notifying.problems())

    await manager.go(seconds(130))
    assert ("channel mail has failed for 2 min: channel mail: the relay said later",) == manager.notifying.problems()

    manager.notifiers["mail"].failure = None
    await manager.go(seconds(600))
    assert [EventKind.CHANNEL_FAILED, EventKind.CHANNEL_RECOVERED] == manager.kinds()
    assert () == manager.notifying.problems()


async def test_an_error_nobody_foresaw_is_tried_again_like_any_other(manager):
    async def breaks(alert: Alert, *, identity: str) -> None:
        raise RuntimeError("a bug")

    manager.notifiers["mail"].send = breaks
    await manager.queue("x")

    await manager.go()

    (waiting,) = await manager.outbox.waiting()
    assert (1, "an error inside mailward: RuntimeError") == (waiting.attempts, waiting.last_error)


async def test_a_reload_takes_up_new_channels_and_keeps_what_a_changed_one_knows(manager):
    manager.notifiers["mail"].failure = LATER
    await manager.queue("x")
    await manager.go()
    manager.notifiers["mail"].failure = None

    manager.notifying.use([replace(MAIL, timeout=seconds(5))])
    await manager.go(seconds(10))

    assert ["x"] == manager.sent()
    assert [EventKind.CHANNEL_FAILED, EventKind.CHANNEL_RECOVERED] == manager.kinds()


async def test_a_reload_between_sending_and_recording_sends_nothing_again(manager):
    await manager.queue("once")
    send = manager.notifiers["mail"].send

    async def send_and_lose_the_store(alert: Alert, *, identity: str) -> None:
        await send(alert, identity=identity)
        manager.store.out_of_reach = True

    manager.notifiers["mail"].send = send_and_lose_the_store
    await manager.go()
    manager.notifying.use([replace(MAIL, timeout=seconds(5))])
    manager.store.out_of_reach = False
    # the store is back and the claim has run out before the lane has recorded what it sent
    manager.clock.advance(seconds(61))
    claimed = await manager.outbox.claim(now=manager.clock.now(), until=manager.clock.now() + seconds(60))
    manager.notifiers["mail"].send = send
    await manager.go()
    await manager.go(seconds(61))

    assert 1 == len(claimed)
    assert ["once"] == manager.sent()


async def test_what_may_be_claimed_by_somebody_else_while_it_is_sent_is_left_alone(manager, clock):
    await manager.queue("first", "second")
    send = manager.notifiers["mail"].send

    async def slowly(alert: Alert, *, identity: str) -> None:
        await send(alert, identity=identity)
        clock.advance(seconds(50))

    manager.notifiers["mail"].send = slowly
    await manager.go()
    assert ["first"] == manager.sent()

    await manager.go(seconds(10))
    assert ["first", "second"] == manager.sent()


async def test_a_slow_channel_gets_a_claim_long_enough_to_send(manager):
    manager.notifying.use([replace(MAIL, timeout=seconds(100))])
    await manager.queue("slow")

    await manager.go()

    assert ["slow"] == manager.sent()


class TestTests:
    async def test_a_test_goes_out_by_every_channel_at_once_and_says_so(self, manager):
        finished = await manager.notifying.test(None, actor="kim")

        assert [("mail", True), ("chat", True)] == [(notice.channel, notice.sent_at is not None) for notice in finished]
        assert "kim asked for this test" in manager.notifiers["mail"].sent[0].alert.text
        assert () == await manager.outbox.waiting()

    async def test_a_test_that_fails_says_why_and_is_not_tried_again(self, manager):
        manager.notifiers["mail"].failure = LATER

        (notice,) = await manager.notifying.test("mail", actor="kim")
        await manager.go(timedelta(hours=1))

        assert (None, str(LATER)) == (notice.sent_at, notice.last_error)
        assert 1 == manager.notifiers["mail"].attempts

    async def test_a_test_speaks_the_language_of_its_channel(self, manager):
        manager.notifying.use([replace(MAIL, language="pt-BR"), CHAT], languages(["pt-BR"]))

        mail, chat = await manager.notifying.test(None, actor="kim")

        assert "TESTE: o mailward consegue avisar você; nada está com falha" == mail.alert.title
        assert "TEST: mailward can reach you; nothing is broken" == chat.alert.title

    async def test_a_test_that_works_lets_what_waits_go_out(self, manager):
        manager.notifiers["mail"].failure = PermanentFailure("mend it")
        await manager.queue("waits")
        await manager.go()
        manager.notifiers["mail"].failure = None

        await manager.notifying.test("mail", actor="kim")
        await manager.go(seconds(1))

        assert ["TEST: mailward can reach you; nothing is broken", "waits"] == manager.sent()
        assert EventKind.CHANNEL_RECOVERED in manager.kinds()

    async def test_a_test_under_way_is_not_sent_by_the_loop_as_well(self, manager):
        send = manager.notifiers["mail"].send

        async def while_the_loop_looks(alert: Alert, *, identity: str) -> None:
            manager.notifiers["mail"].send = send
            await manager.go()
            await send(alert, identity=identity)

        manager.notifiers["mail"].send = while_the_loop_looks
        await manager.notifying.test("mail", actor="kim")

        assert 1 == len(manager.sent())

    async def test_an_unknown_channel_is_refused_with_those_there_are(self, manager):
        with pytest.raises(NotFound, match="there is no channel 'fax'; known: chat, mail"):
            await manager.notifying.test("fax", actor="kim")

    async def test_without_channels_a_test_says_where_to_configure_one(self, manager):
        manager.notifying.use([])

        with pytest.raises(Refused, match=r"\[notify.NAME\]"):
            await manager.notifying.test(None, actor="kim")

    async def test_without_the_store_nothing_is_sent(self, manager):
        manager.store.out_of_reach = True

        with pytest.raises(TemporaryFailure):
            await manager.notifying.test(None, actor="kim")
        assert 0 == manager.notifiers["mail"].attempts


class TestDeadMan:
    PING = Channel(name="ping", kind=ChannelKind.DEAD_MAN, interval=seconds(0.02))

    async def test_it_pings_again_and_again_while_the_manager_is_well(self, manager):
        manager.notifying.use([replace(self.PING, interval=seconds(0))])
        async with running(manager.notifying):
            for count in range(1, 4):
                manager.notifying.use([replace(self.PING, interval=seconds(0))])  # wakes the loop
                await until(lambda count=count: len(manager.sent("ping")) >= count)

        assert {"mailward is watching"} == set(manager.sent("ping"))

    async def test_it_is_silent_while_the_manager_is_not_well(self, manager):
        manager.is_well = False
        manager.notifying.use([self.PING, MAIL])
        async with running(manager.notifying):
            await manager.queue("news")
            await until(manager.sent)

        assert [] == manager.sent("ping")

    async def test_a_ping_that_does_not_arrive_is_a_failing_channel(self, manager):
        manager.notifiers["ping"] = TameNotifier("ping")
        manager.notifiers["ping"].failure = LATER
        manager.notifying.use([self.PING])
        async with running(manager.notifying):
            await until(lambda: manager.events)

        assert [("ping", EventKind.CHANNEL_FAILED)] == [(event.subject, event.kind) for event in manager.events]


async def test_what_is_going_out_when_the_manager_ends_is_finished(manager):
    begun = asyncio.Event()
    send = manager.notifiers["mail"].send

    async def slowly(alert: Alert, *, identity: str) -> None:
        begun.set()
        await asyncio.sleep(0.05)
        await send(alert, identity=identity)

    manager.notifiers["mail"].send = slowly
    async with running(manager.notifying):
        await manager.queue("last words")
        await begun.wait()

    assert ["last words"] == manager.sent()
    assert () == await manager.outbox.waiting()


async def test_what_people_were_told_survives_a_restart_on_disk_and_is_not_told_again(tmp_path, clock):
    organization = Organization(name="example", servers={}, databases={})
    verdict = Verdict(tier=Tier.MAILBOX_SERVER, server="be1", confidence=Confidence.CERTAIN, because="it is gone")
    status = MonitorStatus(
        key=MonitorKey(server="be1", health_set="IMAP.Protocol", item="ImapSelfTestMonitor", target="be1"),
        state=AlertValue.UNHEALTHY,
        since=clock.now() - seconds(10),
        broken_since=clock.now() - seconds(70.123),
        because="3 of 3 failed",
        verdict=verdict,
    )
    situation = Told(now=clock.now(), organization=organization, statuses=[status], channels=[MAIL, CHAT])
    telling = decide(situation)
    async with a_store(tmp_path, clock) as outbox:
        notifying = Notifying(outbox, lambda channel: TameNotifier(channel.name), clock=clock, on_event=lambda _: None)
        notifying.use([MAIL, CHAT])
        assert 2 == len(await notifying.tell(telling.alerts, telling.notices))
        await notifying.send_due()
        await notifying.settled()

    async with a_store(tmp_path, clock) as outbox:
        known = await outbox.alerts()
        clock.advance(seconds(5))
        again = decide(replace(situation, now=clock.now(), alerts=known))

        assert telling.known == known
        assert ((), ()) == (again.alerts, again.notices)
        assert () == await outbox.waiting()
        assert () == await outbox.save_alerts(telling.alerts, telling.notices), "nor when it is decided once more"


@asynccontextmanager
async def a_store(directory: Path, clock: SetClock) -> AsyncIterator[SqliteOutbox]:
    store = SqliteStore(directory / "db", clock=clock)
    await store.open()
    try:
        yield SqliteOutbox(store.database)
    finally:
        await store.close()
