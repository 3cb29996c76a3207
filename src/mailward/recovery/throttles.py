"""
How often: pure arithmetic over deeds that were begun (design §4, "Throttles").

A deed counts from its intent on, whatever came of it; one that a look afterwards found never done is not handed in
here. One that seems to lie in the future (a clock went backwards) counts as just begun: a clock never shortens a
throttle.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailward.model.durations import spoken
from mailward.model.measures import Allowance
from mailward.model.recovery import ActionClass, Answer, Deed, Gate, GateAnswer, StepName
from mailward.recovery.circumstances import Place
from mailward.recovery.settings import Throttles
from mailward.recovery.wanted import OF_ONE_MOVE, Wanted

DAY = timedelta(days=1)
#: The longest any throttle looks back.
WINDOW = DAY
_SERVICE = frozenset({ActionClass.START, ActionClass.RESTART})


def throttle(
    wanted: Wanted, *, place: Place, places: Iterable[Place], deeds: Sequence[Deed], settings: Throttles, now: datetime
) -> GateAnswer:
    """
    Whether *wanted* may begin now as far as frequency goes.

    Args:
        wanted: What is wanted.
        place: Where its server stands.
        places: Where all servers stand.
        deeds: What was begun within `WINDOW`, and whatever has not ended.
        settings: The limits.
        now: By the store's clock.
    """
    around = {one.server: one for one in places}
    record = _Record(wanted=wanted, place=place, around=around, deeds=deeds, now=now)
    standing = next((answer for answer in _limits(record, settings) if answer is not None), None)
    return standing or GateAnswer(gate=Gate.THROTTLE, answer=Answer.PASSES, because="no limit is reached")


def allowances(deeds: Iterable[Deed], *, settings: Throttles, now: datetime) -> tuple[Allowance, ...]:
    """
    What is left of each server's daily limits, for the servers that were acted on within 24 hours, by name.

    Starts and restarts of a service share one limit. A deed that was looked back at and found never done counts here,
    although it does not keep the next one waiting: what is told is never more than what is allowed.
    """
    limits = (
        (ActionClass.RESTART, _SERVICE, settings.service_restarts_a_day),
        (ActionClass.SERVER_RESTART, frozenset({ActionClass.SERVER_RESTART}), settings.server_restarts_a_day),
    )
    recent = [deed for deed in deeds if now - min(deed.started, now) < DAY]
    found = []
    for server in sorted({deed.server for deed in recent}):
        for action, counted, limit in limits:
            begun = sum(deed.server == server and deed.action in counted for deed in recent)
            if begun:
                left = max(0, limit - begun)
                found.append(Allowance(server=server, action=action, remaining=left, limit=limit))
    return tuple(found)


def under_way(wanted: Wanted, deeds: Sequence[Deed]) -> GateAnswer:
    """What is asked even of a person who insists: two deeds on one server at once help nobody."""
    standing = _under_way_on(wanted, deeds)
    return standing or GateAnswer(gate=Gate.THROTTLE, answer=Answer.PASSES, because="nothing is under way on it")


def _under_way_on(wanted: Wanted, deeds: Iterable[Deed]) -> GateAnswer | None:
    """Another deed on the same server; the databases of one server move side by side."""
    for deed in deeds:
        beside = deed.action is ActionClass.MOVE and wanted.step in OF_ONE_MOVE
        if deed.ended is None and deed.server == wanted.server and not beside:
            return _wait(f"an action on {deed.server} is still under way (recovery {deed.operation})")
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """What was begun, as one wanted deed looks back on it."""

    wanted: Wanted
    place: Place
    around: Mapping[str, Place]
    deeds: Sequence[Deed]
    now: datetime

    def one_at_a_time(self) -> GateAnswer | None:
        """What is under way keeps others of its kind back."""
        for deed in self.deeds:
            if deed.ended is not None:
                continue
            if deed.action is ActionClass.SERVER_RESTART and self.wanted.action is ActionClass.SERVER_RESTART:
                return _wait(f"{deed.server} is being restarted; one server at a time in the organization")
            other = self.around.get(deed.server)
            both_services = deed.action in _SERVICE and self.wanted.action in _SERVICE
            if both_services and other is not None and self.place.shares_role_and_site(other):
                return _wait(f"the service of {deed.server} is being restarted; one at a time per role and site")
        return None

    def at_most(self, most: int, kinds: frozenset[ActionClass], what: str) -> GateAnswer | None:
        """So many deeds of these kinds on this server in 24 hours."""
        begun = sorted(
            self._begun(deed) for deed in self.deeds if deed.server == self.wanted.server and deed.action in kinds
        )
        recent = [moment for moment in begun if self.now - moment < DAY]
        if len(recent) < most:
            return None
        because = f"{self.wanted.server} was {what} {len(recent)} times in 24 hours, and {most} are allowed"
        return _wait(because, until=recent[-most] + DAY)

    def apart(self, span: timedelta, what: str, counts: Callable[[Deed], bool]) -> GateAnswer | None:
        """So long since the last deed that counts."""
        last = max((self._begun(deed) for deed in self.deeds if counts(deed)), default=None)
        if last is None or self.now - last >= span:
            return None
        because = f"{what} was {spoken(self.now - last)} ago; {spoken(span)} must lie between"
        return _wait(because, until=last + span)

    def shares_role(self, deed: Deed) -> bool:
        """Whether the deed was on a server of the wanted one's role."""
        return bool(self.around.get(deed.server, self.place).roles & self.place.roles)

    def _begun(self, deed: Deed) -> datetime:
        return min(deed.started, self.now)


def _limits(record: _Record, settings: Throttles) -> Iterator[GateAnswer | None]:
    server, action = record.wanted.server, record.wanted.action
    yield _under_way_on(record.wanted, record.deeds)
    yield record.one_at_a_time()
    if action in _SERVICE:
        yield record.at_most(settings.service_restarts_a_day, _SERVICE, "started or restarted")
    if action is ActionClass.RESTART:
        # a start counts too: what was started a minute ago is not restarted at once
        yield record.apart(
            settings.service_restart_apart,
            f"the last restart on {server}",
            lambda deed: deed.server == server and deed.action in _SERVICE,
        )
    if action is ActionClass.ACCESS_POINT and record.wanted.step is StepName.TAKE_OUT:
        # taking out and putting back count as one: what was put back is not taken out again at once
        yield record.apart(
            settings.move_apart,
            f"the last time {server} was taken out or put back",
            lambda deed: deed.server == server and deed.action is ActionClass.ACCESS_POINT,
        )
    if record.wanted.step is StepName.MOVE_DATABASES:
        yield record.apart(
            settings.move_apart,
            f"the last move on {server}",
            lambda deed: deed.server == server and deed.action is ActionClass.MOVE,
        )
    if action is ActionClass.SERVER_RESTART:
        kinds = frozenset({ActionClass.SERVER_RESTART})
        yield record.at_most(settings.server_restarts_a_day, kinds, "restarted as a whole")
        yield record.apart(
            settings.server_restart_apart,
            "the last restart of a server of this role",
            lambda deed: deed.action in kinds and record.shares_role(deed),
        )


def _wait(because: str, until: datetime | None = None) -> GateAnswer:
    return GateAnswer(gate=Gate.THROTTLE, answer=Answer.WAITS, because=because, until=until)
