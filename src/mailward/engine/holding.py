"""
What is held in place, kept at hand: begins and ends by itself, survives a store that is lost.

The list in memory is what gates, alerts and pages read. It is read anew from the store every few seconds, and goes on
while the store cannot be reached: what was held stays held, and what has run out ends on time. Then nothing new is
held, because nobody could find it again after a restart.

Whoever acts must ask `trouble` first: before the holds have been read once nobody knows what forbids an action.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.health.hold_words import began, ended, what_is_held
from mailward.model.errors import MailwardError, NotFound, Refused, TemporaryFailure
from mailward.model.event import OURSELVES, Event
from mailward.model.holds import HeldState, Hold, HoldKind
from mailward.model.organization import Organization
from mailward.monitors.checking_holds import check
from mailward.monitors.coverage import Coverage
from mailward.monitors.following_holds import HoldChange
from mailward.ports.clock import Clock
from mailward.ports.holds import Holds, replaces, slot_of

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=0.25)
"""How late something begins or ends at most; people are promised a second."""
READ_EVERY = timedelta(seconds=5)
"""How soon a change that another process wrote is seen."""
READ_AGAIN = timedelta(seconds=1)
"""How soon a store that could not be reached is tried again."""
HISTORY_MAX = 1000


class Holding:
    """The holds of one organization."""

    def __init__(
        self,
        holds: Holds,
        clock: Clock,
        *,
        organization: Callable[[], Organization],
        coverage: Callable[[], Coverage],
        record: Callable[[Event], None],
        on_change: Callable[[HoldChange], None],
        read_every: timedelta = READ_EVERY,
    ) -> None:
        """
        Know of no hold yet; call `look` once before anything acts, and `run` for as long as the engine runs.

        Args:
            holds: Where they are stored.
            clock: Says when they begin and end.
            organization: The organization as it is configured now.
            coverage: What its configuration watches, before any override.
            record: Keeps an event that stands for no change of the store of holds.
            on_change: Told of what began and ended, after `present` says so; it must not wait.
            read_every: How often the store is read anew.
        """
        self._holds = holds
        self._clock = clock
        self._organization = organization
        self._coverage = coverage
        self._record = record
        self._on_change = on_change
        self._read_every = read_every.total_seconds()
        self._lock = asyncio.Lock()
        self._present: dict[int, Hold] = {}
        """In force, or scheduled."""
        self._in_force: dict[int, Hold] = {}
        """As they were told of last."""
        self._ran_out: dict[int, Hold] = {}
        """Over by themselves; the store is yet to be told."""
        self._scheduled: set[int] = set()
        """Present, but not in force when last looked at: their beginning is an event of its own."""
        self._read_next = 0.0
        self._trouble: str | None = "the holds have not been read yet"

    @property
    def trouble(self) -> str | None:
        """Why it is not known what is held, or what is held cannot be changed; None when all is well."""
        return self._trouble

    def present(self) -> tuple[Hold, ...]:
        """What is in force or scheduled, the oldest first; never what is over."""
        now = self._clock.now()
        return tuple(hold for hold in self._present.values() if hold.until is None or now < hold.until)

    def in_force(self) -> tuple[Hold, ...]:
        """What is in force now, the oldest first."""
        now = self._clock.now()
        return tuple(hold for hold in self._present.values() if hold.is_in_force(now))

    async def run(self) -> None:
        """Let holds begin and end, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Read what is stored when it is time to, and let begin and end what is due. Never raises for a lost store."""
        async with self._lock:
            self._set_aside(self._clock.now())
            self._tell_changes()  # first, since a store that hangs must not keep anything from ending
            if _monotonic() >= self._read_next:
                await self._read()
            await self._tell_store()
            self._tell_changes()

    async def add(self, hold: Hold, *, actor: str) -> Hold:
        """
        Hold something in place for *actor*; in force, and told of, when this returns.

        Setting a component Active ends the entry of that requester and leaves none: what is returned is the ended
        entry, or, where that requester had none, the hold as asked for with `id` 0.

        Raises:
            NotFound: A name that does not exist.
            Refused: Something that cannot be.
            TemporaryFailure: The store cannot be reached; nothing was changed.
        """
        async with self._lock:
            now = self._clock.now()
            wanted = check(
                replace(hold, owner=actor), organization=self._organization(), coverage=self._coverage(), now=now
            )
            if wanted.kind is HoldKind.COMPONENT_STATE and wanted.value == HeldState.ACTIVE.value:
                return await self._clear(wanted, now)
            return await self._keep(wanted, now)

    async def release(self, number: int, *, actor: str) -> Hold:
        """
        End a hold for *actor*.

        Raises:
            NotFound: There is none of that number.
            Refused: It has ended already, or is a component state, which only its requester clears.
            TemporaryFailure: The store cannot be reached; nothing was changed.
        """
        async with self._lock:
            held = self._present.get(number) or await self._missing(number)
            if held.kind is HoldKind.COMPONENT_STATE and actor != OURSELVES:
                raise Refused(_only_its_requester(held))
            return await self._end(held, self._clock.now(), by=actor, why=f"taken back by {actor}")

    async def found(self, *, subject: str | None = None, ended: bool = False) -> tuple[Hold, ...]:
        """
        What is present, the oldest first; with *ended* all there ever was, the newest first.

        Args:
            subject: A server, "organization", "*", or a whole subject; itself and all below it are meant.
            ended: Whether those that are over are wanted too; only the store knows them.

        Raises:
            TemporaryFailure: The store is needed and cannot be reached.
        """
        wanted = None if subject is None else self._spelled(subject)
        if ended:
            return await self._holds.history(subject=wanted, limit=HISTORY_MAX)
        return tuple(hold for hold in self.present() if wanted is None or f"{hold.subject}/".startswith(f"{wanted}/"))

    async def _keep(self, wanted: Hold, now: datetime) -> Hold:
        replaced = [old for old in self._present.values() if replaces(wanted, old, now=now)]
        over = [replace(old, ended_at=now, ended_by=wanted.owner) for old in replaced]
        events = [ended(old, by=wanted.owner, why=f"replaced by {wanted.owner}") for old in over]
        event = began(wanted, is_scheduled=wanted.since > now)
        events.append(replace(event, at=now))
        self._read_next = 0.0  # should we be cancelled meanwhile, the next look finds what became of it
        kept = await self._holds.add(wanted, events)
        for old in replaced:
            self._present.pop(old.id, None)
        self._present[kept.id] = kept
        self._tell_changes(told_of=kept)
        return kept

    async def _clear(self, wanted: Hold, now: datetime) -> Hold:
        """Take back the entry of a requester, be it in force or scheduled."""
        own = next((old for old in self._present.values() if slot_of(old) == slot_of(wanted)), None)
        if own is None:
            return replace(wanted, ended_at=now, ended_by=wanted.owner)
        return await self._end(own, now, by=wanted.owner, why=f"set Active by {wanted.owner}: {wanted.reason}")

    async def _end(self, held: Hold, now: datetime, *, by: str, why: str) -> Hold:
        over = replace(held, ended_at=now, ended_by=by)
        self._read_next = 0.0
        if not await self._holds.end(held.id, at=now, by=by, events=[ended(over, by=by, why=why)]):
            raise Refused(f"hold {held.id} has ended already")
        self._present.pop(held.id, None)
        self._ran_out.pop(held.id, None)
        self._tell_changes()
        return over

    async def _missing(self, number: int) -> Hold:
        known = await self._holds.history(limit=HISTORY_MAX)
        if any(hold.id == number for hold in known):
            raise Refused(f"hold {number} has ended already")
        raise NotFound(f"there is no hold {number}; `mailward maintenance list` and `mailward override list` show them")

    def _set_aside(self, now: datetime) -> None:
        """Keep what has run out apart, until the store knows."""
        for number, hold in list(self._present.items()):
            if hold.until is not None and hold.until <= now:
                self._ran_out[number] = self._present.pop(number)

    async def _read(self) -> None:
        now = self._clock.now()
        is_first = self._trouble is not None
        try:
            present = await self._holds.present(now=now)
            past = await self._holds.history(limit=HISTORY_MAX) if is_first else ()
        except TemporaryFailure as failure:
            trouble = f"the holds cannot be read: {failure}"
            if trouble != self._trouble:
                log.warning(trouble)
            self._trouble = trouble
            self._read_next = _monotonic() + min(self._read_every, READ_AGAIN.total_seconds())
            return
        self._trouble = None
        self._read_next = _monotonic() + self._read_every
        self._present = {hold.id: hold for hold in present}
        for hold in past:  # what ran out while nobody watched
            if hold.ended_at is None and hold.until is not None and hold.until <= now:
                self._ran_out[hold.id] = hold

    async def _tell_store(self) -> None:
        for number, hold in list(self._ran_out.items()):
            over = replace(hold, ended_at=hold.until, ended_by=OURSELVES)
            event = ended(over, by=OURSELVES, why="it ran until its end")
            try:
                await self._holds.end(number, at=hold.until or self._clock.now(), by=OURSELVES, events=[event])
            except TemporaryFailure:
                return
            except MailwardError as failure:
                log.warning("hold %d ran out, which could not be recorded: %s", number, failure)
            del self._ran_out[number]

    def _tell_changes(self, *, told_of: Hold | None = None) -> None:
        """Compare with what was told last; *told_of* has had its event with its storing."""
        now_in_force = {hold.id: hold for hold in self.in_force()}
        change = HoldChange(
            began=tuple(hold for number, hold in now_in_force.items() if number not in self._in_force),
            ended=tuple(hold for number, hold in self._in_force.items() if number not in now_in_force),
        )
        self._in_force = now_in_force
        for hold in change.began:
            if hold is not told_of and hold.id in self._scheduled:
                log.info("begins as scheduled: %s", what_is_held(hold))
                self._record(began(hold, is_scheduled=False))
        self._scheduled = {hold.id for hold in self.present() if hold.id not in now_in_force}
        if change:
            self._on_change(change)

    def _spelled(self, subject: str) -> str:
        """The server of a subject as the organization spells it; anything else as it is."""
        name, slash, rest = subject.replace("\\", "/").partition("/")
        server = self._organization().find_server(name)
        return f"{server.name}{slash}{rest}" if server is not None else subject


def _only_its_requester(hold: Hold) -> str:
    server, _, component = hold.subject.partition("/")
    requester = hold.requester.value if hold.requester is not None else "its requester"
    return (
        f"only its requester clears a component state: `mailward component set {server} {component} Active"
        f" --requester {requester} --reason …`"
    )


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
