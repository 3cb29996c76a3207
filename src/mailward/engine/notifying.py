"""
Telling people: what waits in the outbox goes out by its channel, whatever happens to the manager meanwhile.

The promise, honestly: a notice goes out at least once. Within one run of the manager it goes out once. A manager that
is killed between sending and recording it leaves a claim; when that has run out the notice is sent again with the same
identity, which a receiver can recognise (Message-ID, Idempotency-Key): rather twice than never.

Channels do not wait for each other; within one, notices keep their order. A channel that fails is tried again after
10 s, 30 s, 1, 2, 5 and then every 10 minutes; one that says it never will, every hour; after 24 hours a notice is given
up with an event. A failing channel is a problem of mailward's own, and so is told by the other channels.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.alerts.language import Languages, language_of
from mailward.alerts.trying import alert_of_a_test
from mailward.engine.lane import Lane
from mailward.model.alerting import Alert, AlertStatus, Notice, Urgency
from mailward.model.channels import Channel, ChannelKind
from mailward.model.errors import NotFound, Refused, TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.ports.clock import Clock
from mailward.ports.notifier import Notifier
from mailward.ports.outbox import Outbox

log = logging.getLogger(__name__)

CLAIM = timedelta(seconds=60)
"""How long a notice belongs to whoever sends it, at least: six times a channel's usual time limit."""
LOOK_EVERY = timedelta(seconds=2)
"""How often the outbox is looked at when nobody says that there is news."""
FAILS_FOR = timedelta(minutes=1)
"""A channel that failed for less is not yet a problem worth telling."""
END_WITHIN = timedelta(seconds=2)
"""What is being sent when the manager ends may take so long to go out."""


class Notifying:
    """Sends what the outbox holds. `run` is its loop."""

    def __init__(
        self,
        outbox: Outbox,
        make_notifier: Callable[[Channel], Notifier],
        *,
        clock: Clock,
        on_event: Callable[[Event], None],
        is_well: Callable[[], bool] = lambda: True,
    ) -> None:
        """
        Args:
            outbox: Where notices wait.
            make_notifier: Makes what sends to a channel (`mailward.notify.channels.notifier_for`).
            clock: For stored moments.
            on_event: Told when a channel begins to fail or works again, and when a notice is given up.
            is_well: Whether the manager's own loops are well; a dead-man's ping goes out only while they are.
        """
        self._outbox = outbox
        self._make_notifier = make_notifier
        self._clock = clock
        self._on_event = on_event
        self._is_well = is_well
        self._lanes: dict[str, Lane] = {}
        self._at_work: dict[str, asyncio.Task[object]] = {}
        self._next_ping: dict[str, float] = {}
        self._languages: Languages = {}
        self._wanted = asyncio.Event()

    def use(self, channels: Sequence[Channel], languages: Languages | None = None) -> None:
        """Send by these channels from now on; one that did not change keeps its queue and its back-off."""
        self._languages = languages or {}
        lanes = {}
        for channel in channels:
            known = self._lanes.get(channel.name)
            if known is not None and known.channel == channel:
                lanes[channel.name] = known
            else:
                lanes[channel.name] = self._lane(channel)
                if known is not None:
                    lanes[channel.name].inherit(known)
        self._lanes = lanes
        self._next_ping = {name: due for name, due in self._next_ping.items() if name in lanes}
        self._wanted.set()

    async def tell(
        self, alerts: Sequence[Alert], notices: Sequence[Notice], events: Sequence[Event] = ()
    ) -> tuple[Notice, ...]:
        """
        Store what was decided in one transaction, and send. Returns the notices that were not queued before.

        Raises:
            TemporaryFailure: The store cannot be reached; nothing was written, and the same may be decided again.
        """
        queued = await self._outbox.save_alerts(alerts, notices, events)
        self._wanted.set()
        return queued

    async def test(self, channel: str | None, *, actor: str) -> tuple[Notice, ...]:
        """
        Send a test alert now by one channel, or by all, and return how it went. A test is tried once.

        Raises:
            NotFound: There is no such channel.
            Refused: There is no channel at all.
            TemporaryFailure: The store cannot be reached.
        """
        lanes = self._lanes_named(channel)
        now = self._clock.now()
        # next_try lies ahead: what this call sends itself is not claimed by the loop, unless this call dies
        planned = [
            _notice(lane.channel.name, self._a_test(lane.channel, now, actor), now=now, next_try=now + CLAIM)
            for lane in lanes
        ]
        queued = await self._outbox.save_alerts((), planned)
        by_name = {lane.channel.name: lane for lane in lanes}
        return tuple(await asyncio.gather(*(self._test(by_name[notice.channel], notice) for notice in queued)))

    def problems(self) -> tuple[str, ...]:
        """Channels that have failed for a while: samples of HealthManagerMonitor."""
        now = self._clock.now()
        return tuple(
            f"channel {name} has failed for {(now - lane.failing_since) // timedelta(minutes=1)} min: {lane.last_error}"
            for name, lane in self._lanes.items()
            if lane.failing_since is not None and now - lane.failing_since >= FAILS_FOR
        )

    async def run(self) -> None:
        """Send until cancelled; what is going out then may finish within two seconds."""
        try:
            while True:
                self._wanted.clear()
                await self.send_due()
                self._ping_due()
                try:
                    async with asyncio.timeout(LOOK_EVERY.total_seconds()):
                        await self._wanted.wait()
                except TimeoutError:
                    pass
        finally:
            await self._end()

    async def send_due(self) -> None:
        """Claim what is due and set the channels to work, without waiting for them."""
        now = self._clock.now()
        try:
            claimed = await self._outbox.claim(now=now, until=now + self._claim())
        except TemporaryFailure as failure:
            log.warning("nothing can be sent while the outbox is out of reach: %s", failure)
            claimed = ()
        for notice in claimed:
            lane = self._lanes.get(notice.channel)
            if lane is None:
                await self._give_up_orphan(notice)
            else:
                lane.take(notice)
        for name, lane in self._lanes.items():
            if lane.has_work and name not in self._at_work:
                self._start(name, lane.drain())

    async def settled(self) -> None:
        """Wait until no channel is at work."""
        while self._at_work:
            await asyncio.wait(self._at_work.values())

    def _lane(self, channel: Channel) -> Lane:
        return Lane(
            channel,
            self._make_notifier(channel),
            outbox=self._outbox,
            clock=self._clock,
            changed=self._on_changed,
            gave_up=self._on_given_up,
        )

    def _claim(self) -> timedelta:
        """Longer than the slowest channel may take, or it would never have the time to send."""
        return max((CLAIM, *(3 * lane.channel.timeout for lane in self._lanes.values())))

    def _start(self, name: str, work: Coroutine[None, None, object]) -> None:
        task = asyncio.create_task(work, name=f"channel {name}")
        self._at_work[name] = task

        def ended(task: asyncio.Task[object]) -> None:
            del self._at_work[name]
            if not task.cancelled() and task.exception() is not None:
                log.error("the channel %s stopped; it is started again", name, exc_info=task.exception())

        task.add_done_callback(ended)

    def _ping_due(self) -> None:
        """A dead-man's ping says that probing goes on, so it stays away when that is not so."""
        now = asyncio.get_running_loop().time()
        for name, lane in self._lanes.items():
            is_due = lane.channel.kind is ChannelKind.DEAD_MAN and self._next_ping.get(name, now) <= now
            if is_due and name not in self._at_work and self._is_well():
                self._next_ping[name] = now + lane.channel.interval.total_seconds()
                moment = self._clock.now()
                self._start(name, lane.send(_notice(name, _alive(moment), now=moment, next_try=moment)))

    def _a_test(self, channel: Channel, now: datetime, actor: str) -> Alert:
        return alert_of_a_test(now, actor, language_of(self._languages, channel.language))

    async def _test(self, lane: Lane, notice: Notice) -> Notice:
        failure = await lane.send(notice)
        now = self._clock.now()
        if failure is None:
            tried = replace(notice, attempts=1, sent_at=now)
        else:
            tried = replace(notice, attempts=1, gave_up_at=now, last_error=str(failure))
        await self._outbox.finish(tried)
        if failure is None:
            await self._hasten(lane.channel.name, now)
        return tried

    async def _hasten(self, channel: str, now: datetime) -> None:
        """The channel was mended: what waits for it does not wait out its hour."""
        for notice in await self._outbox.waiting():
            if notice.channel == channel and notice.claimed_until is None and notice.next_try > now:
                await self._outbox.finish(replace(notice, next_try=now))
        self._wanted.set()

    def _lanes_named(self, channel: str | None) -> list[Lane]:
        if not self._lanes:
            raise Refused("there is no channel: configure one under [notify.NAME]")
        if channel is None:
            return list(self._lanes.values())
        lane = self._lanes.get(channel)
        if lane is None:
            raise NotFound(f"there is no channel {channel!r}; known: {', '.join(sorted(self._lanes))}")
        return [lane]

    async def _give_up_orphan(self, notice: Notice) -> None:
        """Its channel was taken out of the configuration."""
        because = f"there is no channel {notice.channel} in the configuration any more"
        given_up = replace(notice, gave_up_at=self._clock.now(), last_error=because)
        try:
            await self._outbox.finish(given_up)
        except TemporaryFailure as failure:
            log.warning("a notice without a channel is given up later: %s", failure)
        else:
            self._on_given_up(given_up)

    async def _end(self) -> None:
        tasks = list(self._at_work.values())
        if tasks:
            await asyncio.wait(tasks, timeout=END_WITHIN.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_changed(self, lane: Lane, because: str) -> None:
        is_failing = lane.failing_since is not None
        self._on_event(
            Event(
                at=self._clock.now(),
                kind=EventKind.CHANNEL_FAILED if is_failing else EventKind.CHANNEL_RECOVERED,
                subject=lane.channel.name,
                because=because,
            )
        )

    def _on_given_up(self, notice: Notice) -> None:
        """A notice that nobody will get is an event of its own, once for each."""
        self._on_event(
            Event(
                at=self._clock.now(),
                kind=EventKind.CHANNEL_FAILED,
                subject=notice.channel,
                because=f"gave up telling {notice.alert.title!r} after {notice.attempts} attempts: {notice.last_error}",
                operation=notice.alert.operation,
                data={"identity": notice.identity},
            )
        )


def _alive(now: datetime) -> Alert:
    return Alert(
        key="alive",
        status=AlertStatus.FIRING,
        urgency=Urgency.INFO,
        title="mailward is watching",
        text="mailward is watching\n",
        starts_at=now,
    )


def _notice(channel: str, alert: Alert, *, now: datetime, next_try: datetime) -> Notice:
    """A notice of this moment; milliseconds tell two tests apart."""
    moment = alert.starts_at.isoformat(timespec="microseconds")
    return Notice(
        channel=channel,
        identity=f"{alert.key}|{moment}|{channel}",
        alert=alert,
        created_at=now,
        next_try=next_try,
    )
