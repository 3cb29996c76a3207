"""How far a step that is under way has come: in memory alone, for whoever watches; a restart begins to count anew."""

from collections.abc import Callable

from mailward.model.recovery import Operation

Tell = Callable[[str], None]


class Progress:
    """What each operation last said of its step."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._said: dict[int, str] = {}

    def of(self, operation: int) -> str:
        """How far its step has come, in a few words; "" where nothing is under way that can be counted."""
        return self._said.get(operation, "")

    def teller(self, operation: Operation | None) -> Tell:
        """What a deed of *operation* tells by; None: it is only asked for its words."""
        return _to_nobody if operation is None else lambda said: self._said.__setitem__(operation.id, said)

    def end(self, operation: int) -> None:
        """Its step is over."""
        self._said.pop(operation, None)


def _to_nobody(said: str) -> None:
    """Nobody watches."""
