"""The operations that ended lately: by these remediation without effect, and the next start of one, are judged."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailward.model.recovery import Operation

KEPT_FOR = timedelta(hours=25)


class Ended:
    """Operations that are over, for a day."""

    def __init__(self) -> None:
        """None is known."""
        self._operations: dict[int, Operation] = {}
        self._by_target: dict[str, dict[int, None]] = {}

    def note(self, operation: Operation) -> None:
        """Keep one that is over."""
        if operation.status.is_over:
            self._operations[operation.id] = operation
            self._by_target.setdefault(operation.target, {})[operation.id] = None

    def take_over(self, operations: Iterable[Operation]) -> None:
        """Know what the store knows, as after a start."""
        for operation in operations:
            self.note(operation)

    def all(self) -> tuple[Operation, ...]:
        """All of them."""
        return tuple(self._operations.values())

    def of(self, target: str) -> tuple[Operation, ...]:
        """Those of one target."""
        return tuple(self._operations[number] for number in self._by_target.get(target, ()))

    def forget(self, now: datetime) -> None:
        """Let go of what is older than anything asks for."""
        for number in [
            number
            for number, operation in self._operations.items()
            if operation.ended_at is not None and now - operation.ended_at > KEPT_FOR
        ]:
            targets = self._by_target[self._operations.pop(number).target]
            del targets[number]
