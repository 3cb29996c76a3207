"""Randomness: jitter and unguessable tokens."""

from typing import Protocol


class Chance(Protocol):
    """Source of randomness; a test's is deterministic."""

    def between(self, low: float, high: float) -> float:
        """A number from *low* to *high*, evenly spread."""
        ...

    def token(self) -> str:
        """A token nobody can guess: at least 128 bits, letters and digits only."""
        ...
