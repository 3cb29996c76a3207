"""What a demo can be broken with, so that people see what mailward does about it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownFault:
    """One way to break the demo."""

    name: str
    """Its kind and, after "@", where it strikes."""
    kind: str
    place: str | None
    """The host or database it strikes; None when that is what all share."""
    sentence: str
    """What happens, for a person."""
    remedy: str
    """What an experienced administrator would do."""
    is_active: bool = False
    why_not: str | None = None
    """Why it cannot be had here; None when it can."""


class Faults(Protocol):
    """Breaks and heals a demo. Names match without regard to case."""

    async def known(self) -> tuple[KnownFault, ...]:
        """Every fault, whether it can be had here and whether it lasts now."""
        ...

    async def break_(self, name: str) -> KnownFault:
        """
        Break it; the fault has taken effect when this returns, which takes seconds.

        Raises:
            Refused: There is no such fault, it cannot be had here, or it lasts already.
            PermanentFailure: It did not take effect.
        """
        ...

    async def heal(self, name: str | None = None) -> tuple[str, ...]:
        """
        Heal one fault, or all of them; return their names once users can log in again, which takes seconds.

        Raises:
            Refused: That fault does not last.
            PermanentFailure: Users cannot log in although no fault is left.
        """
        ...
