"""
The protocol log of a Dovecot on this machine.

The administrator names a `rawlog_dir` for IMAP once; from then on a user's directory is the switch
(`rawlog_switch.py`). Off at the deadline, whatever becomes of mailward, is seen to by a process of its own that waits
before anything is logged: under systemd a unit of its own where mailward may start one, because with mailward's own
unit everything in it is killed; else a process that has left mailward's session.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.protocol_log import LONGEST, LoggedSession, ProtocolLogStanding
from mailward.platforms.commands import Runner
from mailward.platforms.dovecot import rawlog_files, rawlog_switch
from mailward.platforms.dovecot.instances import read_configuration
from mailward.platforms.dovecot.programs import program
from mailward.platforms.dovecot.rawlog_place import Place, numbers, place_in
from mailward.platforms.dovecot.rawlog_switch import OFF_AT, STAY, Mark, NotDone, is_plain
from mailward.platforms.local.patient_looks import PatientLooks
from mailward.ports.clock import Clock

_T = TypeVar("_T")
_PATIENCE_S = 10.0
#: A request that was on its way for a moment still means an hour.
_GRACE = timedelta(seconds=30)
_SYSTEMD = Path("/run/systemd/system")
"""Exists where systemd is the first process (sd_booted(3))."""
_OWN_UNIT = ("systemd-run", "--quiet", "--collect", "--no-ask-password", "--service-type=exec", "--")


class DovecotProtocolLog:
    """The protocol log of one mailbox server on this machine."""

    def __init__(
        self,
        server: str,
        configuration: str,
        users: Sequence[str],
        *,
        runner: Runner,
        starter: Runner,
        clock: Clock,
        systemd: Path = _SYSTEMD,
    ) -> None:
        """
        Args:
            server: Whose.
            configuration: Its dovecot.conf.
            users: Its health mailboxes; nobody else is ever logged.
            runner: Runs doveconf and doveadm.
            starter: Starts what waits for the deadline and stays.
            clock: Says what time it is.
            systemd: Exists where systemd runs this machine.
        """
        self._server = server
        self._configuration = Path(configuration)
        self._users = tuple(users)
        self._runner = runner
        self._starter = starter
        self._clock = clock
        self._systemd = systemd
        self._looks = PatientLooks(server)
        self._in_turn = asyncio.Lock()

    async def standing(self) -> ProtocolLogStanding:
        """
        How it stands now.

        Raises:
            TemporaryFailure: Its configuration or its directory cannot be read.
        """
        try:
            place = await self._place()
            return self._shown(place, *await self._look(place, lambda: self._seen(place)))
        except Refused as refusal:
            return ProtocolLogStanding(server=self._server, is_available=False, because=str(refusal))

    async def on(self, users: Sequence[str], *, until: datetime) -> ProtocolLogStanding:
        """
        Log new sessions of these health mailboxes until then.

        Raises:
            Refused: One is no health mailbox here, the time cannot be, or it is not available; nothing was switched.
            TemporaryFailure: It could not be asked or done.
        """
        self._require(users)
        now = self._clock.now()
        if not users or not now < until <= now + LONGEST + _GRACE:
            raise Refused("the protocol log can be on for at least one health mailbox, and for an hour at most")
        place = await self._place()
        names = {user: place.name_of(user) for user in dict.fromkeys(users)}
        owners = {name: await self._owner(place, name) for name in names.values()}
        before = {mark.user for mark in (await self._look(place, lambda: self._seen(place)))[0]}
        await self._start_timer(place, tuple(names.values()), until)
        try:
            for name, owner in owners.items():
                await self._look(place, lambda: self._make(place, name, owner, now, until))  # noqa: B023
        except (Refused, TemporaryFailure):
            await self._look(place, lambda: self._take_away(place, set(names.values()) - before))
            raise
        return await self.standing()

    async def off(self, users: Sequence[str] | None = None) -> ProtocolLogStanding:
        """
        Log these no more, or nobody, and remove what was logged.

        Raises:
            Refused: It is not available here, one is no health mailbox, or something else lay where it was logged; that
                was set aside.
            TemporaryFailure: It could not be done; it goes off at its deadline.
        """
        self._require(users or ())
        place = await self._place()
        only = None if users is None else {place.name_of(user) for user in users}
        left = await self._look(place, lambda: self._take_away(place, only))
        if left:
            text = f"it is off, but not all of it is Dovecot's and was left in {place.directory}: {', '.join(left)}"
            raise Refused(f"{text}; look at it and remove it")
        return await self.standing()

    async def keep_deadline(self) -> None:
        """
        Switch off what is overdue, and have something wait for the rest again; two that wait do no harm.

        Raises:
            Refused: It is not available here.
            TemporaryFailure: It could not be asked or done.
        """
        place = await self._place()
        now = self._clock.now().timestamp()
        found = await self._look(place, lambda: rawlog_switch.marks(place.directory))
        over = {mark.user for mark in found if mark.until <= now}
        if over:
            await self._look(place, lambda: self._take_away(place, over))
        for until in sorted({mark.until for mark in found if mark.until > now}):
            names = tuple(mark.user for mark in found if mark.until == until)
            await self._start_timer(place, names, datetime.fromtimestamp(until, UTC))

    async def conversations(self, user: str, *, since: datetime, limit: int = 20) -> tuple[LoggedSession, ...]:
        """
        The newest conversations of a health mailbox since then.

        Raises:
            Refused: It is no health mailbox here, or the protocol log is not available.
            TemporaryFailure: It cannot be read; where rights are missing the text says which.
        """
        self._require((user,))
        place = await self._place()
        name = place.name_of(user)
        return await self._look(
            place,
            lambda: rawlog_files.conversations(
                place.directory, name, server=self._server, user=user, since=since, limit=limit
            ),
        )

    def _require(self, users: Sequence[str]) -> None:
        for user in users:
            if user not in self._users:
                known = ", ".join(self._users) or "it has none"
                raise Refused(
                    f"{user!a} is no health mailbox of {self._server}: only those are logged, never what people read"
                    f" and write ({known})"
                )
            if not is_plain(user):
                raise Refused(f"no directory can be called {user!a}")

    async def _place(self) -> Place:
        return place_in(await read_configuration(self._runner, self._configuration))

    async def _look(self, place: Place, look: Callable[[], _T]) -> _T:
        try:
            async with self._in_turn:  # only one look at a path at a time is allowed
                return await self._looks.look(str(place.directory), look)
        except NotDone as error:
            raise Refused(str(error)) from error

    async def _owner(self, place: Place, name: str) -> tuple[int, int]:
        asked = ""
        if place.owner is None:
            argv = (program("doveadm"), "-c", str(self._configuration), "user", "-f")
            for field in ("uid", "gid"):
                finished = await self._runner.run((*argv, field, name), timeout=_PATIENCE_S)
                asked += f"{field} {finished.output.strip()}\n"
        return numbers(place.owner, lambda: asked)

    async def _start_timer(self, place: Place, names: Sequence[str], until: datetime) -> None:
        """Before anything is logged: what is on must go off, also when we are killed the next moment."""
        program_ = (sys.executable, "-I", str(Path(rawlog_switch.__file__)))
        what = (OFF_AT, repr(until.timestamp()), str(place.directory), *names)
        said = ""
        if self._systemd.exists():
            try:
                finished = await self._starter.run((*_OWN_UNIT, *program_, STAY, *what), timeout=_PATIENCE_S)
            except TemporaryFailure as error:
                said = str(error)
            else:
                if finished.status == 0:
                    return
        finished = await self._starter.run((*program_, *what), timeout=_PATIENCE_S)
        if finished.status:
            raise TemporaryFailure(f"nothing would switch the protocol log off again: {finished.said() or said}")

    def _seen(self, place: Place) -> tuple[tuple[Mark, ...], tuple[str, ...]]:
        """The users who are logged by us, and those by somebody else."""
        found = tuple(mark for mark in rawlog_switch.marks(place.directory) if mark.is_logging)
        return found, rawlog_switch.strangers(place.directory, [place.name_of(user) for user in self._users])

    def _make(self, place: Place, name: str, owner: tuple[int, int], now: datetime, until: datetime) -> None:
        rawlog_switch.switch_on(place.directory, name, since=now.timestamp(), until=until.timestamp(), owner=owner)

    def _take_away(self, place: Place, only: set[str] | None) -> tuple[str, ...]:
        """Switch off whoever is on, or *only* these; what was left."""
        found = rawlog_switch.marks(place.directory)
        return tuple(
            name
            for mark in found
            if only is None or mark.user in only
            for name in rawlog_switch.switch_off(place.directory, mark.user)
        )

    def _shown(self, place: Place, ours: Sequence[Mark], others: Sequence[str]) -> ProtocolLogStanding:
        called = {place.name_of(user): user for user in self._users}
        users = tuple(called.get(mark.user, mark.user) for mark in ours)
        until = max((mark.until for mark in ours), default=None)
        since = min((mark.since for mark in ours), default=None)
        because = f"on for {', '.join(users)}" if users else "off"
        if others:
            because += f"; somebody else has made a directory for {', '.join(others)}, which mailward leaves alone"
        return ProtocolLogStanding(
            server=self._server,
            is_available=True,
            because=because,
            users=users,
            since=_moment(since),
            until=_moment(until),
            directory=str(place.directory),
        )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
