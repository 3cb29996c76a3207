"""
Which open operations may go on now: their moments, what hurries them, and what keeps them for itself.

Only one turn of an operation is under way at a time. News that come meanwhile are not forgotten: the next turn follows
at once. An operation that a person is changing, or whose deed is done by hand, is left alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from mailward.model.recovery import Operation, OperationKind, OperationStatus

LOOK_WELL_EVERY = timedelta(seconds=2)
"""How often a waiting operation whose monitors are well again is looked at."""
_PAUSED = (OperationStatus.WAITING, OperationStatus.AWAITING_APPROVAL)


class Agenda:
    """Open operations, by number and by target."""

    def __init__(self) -> None:
        """Nothing is open."""
        self._open: dict[int, Operation] = {}
        self._by_target: dict[str, dict[int, None]] = {}
        self._reserved: dict[int, int] = {}
        self._under_way: set[int] = set()
        self._again: set[int] = set()
        self._not_before: dict[int, float] = {}
        self._look_well_at: dict[int, float] = {}

    def all(self) -> tuple[Operation, ...]:
        """Every open operation as it stands."""
        return tuple(self._open.values())

    def get(self, number: int) -> Operation | None:
        """One of them."""
        return self._open.get(number)

    def of_target(self, target: str) -> tuple[Operation, ...]:
        """Those of one target."""
        return tuple(self._open[number] for number in self._by_target.get(target, ()))

    def recovers_proxy(self, server: str) -> bool:
        """Whether that proxy's own recovery is open."""
        return any(one.kind is OperationKind.PROXY for one in self.of_target(server))

    def put(self, operation: Operation) -> None:
        """Take over how an operation stands; one that is over is let go."""
        if operation.status.is_over:
            self._drop(operation)
            return
        self._open[operation.id] = operation
        self._by_target.setdefault(operation.target, {})[operation.id] = None

    def replace_all(self, operations: tuple[Operation, ...]) -> None:
        """Take over what the store has."""
        for operation in self.all():
            self._drop(operation)
        for operation in operations:
            self.put(operation)

    def hurry(self, number: int, now: datetime) -> None:
        """Something changed that its gates look at."""
        operation = self._open.get(number)
        if operation is None:
            return
        self._not_before.pop(number, None)
        if number in self._under_way:
            self._again.add(number)
        elif operation.status in _PAUSED:
            self._open[number] = replace(operation, wake_at=now)

    @contextmanager
    def reserved(self, number: int) -> Iterator[None]:
        """Nothing of it begins while this lasts."""
        self._reserved[number] = self._reserved.get(number, 0) + 1
        try:
            yield
        finally:
            left = self._reserved.pop(number) - 1
            if left:
                self._reserved[number] = left

    def begin(self, number: int) -> None:
        """A turn of it is under way."""
        self._under_way.add(number)

    def arrived(self, number: int, *, now: datetime, moment: float, put_off: timedelta | None) -> None:
        """Its turn is over; with *put_off* it raised, and is left alone for so long."""
        self._under_way.discard(number)
        if put_off is not None:
            self._not_before[number] = moment + put_off.total_seconds()
        if number in self._again:
            self._again.discard(number)
            self.hurry(number, now)

    def due(
        self, now: datetime, moment: float, *, is_well: Callable[[Operation], bool], look_again: timedelta, most: int
    ) -> list[int]:
        """
        The operations whose next turn should begin.

        A wait that lies further ahead than any does is that of a clock that went back since: it is over.
        """
        found: list[int] = []
        for number, operation in self._open.items():
            if len(found) + len(self._under_way) >= most:
                break
            if number in self._under_way or number in self._reserved or self._not_before.get(number, 0.0) > moment:
                continue
            wake = operation.wake_at
            if wake is None or wake <= now or wake - now > 2 * max(look_again, timedelta(minutes=15)):
                found.append(number)
            elif moment >= self._look_well_at.get(number, 0.0) and is_well(operation):
                self._look_well_at[number] = moment + LOOK_WELL_EVERY.total_seconds()
                found.append(number)
        return found

    def _drop(self, operation: Operation) -> None:
        self._open.pop(operation.id, None)
        self._not_before.pop(operation.id, None)
        self._look_well_at.pop(operation.id, None)
        self._again.discard(operation.id)
        targets = self._by_target.get(operation.target, {})
        targets.pop(operation.id, None)
        if not targets:
            self._by_target.pop(operation.target, None)
