"""The Faults port on a lab: the same catalogue, journal and deeds as on the command line, beside the event loop."""

import asyncio
from pathlib import Path

from mailward.lab.faults import Fault
from mailward.lab.lab import Lab
from mailward.ports.faults import KnownFault


class LabFaults:
    """Breaks and heals the lab in one directory, whoever brought it up."""

    def __init__(self, directory: Path) -> None:
        """
        Attach to the lab in *directory*.

        Raises:
            Refused: There is none.
        """
        self._lab = Lab.attach(directory)

    async def known(self) -> tuple[KnownFault, ...]:
        """Every fault this lab can have, as the catalogue orders them."""
        return await asyncio.to_thread(self._known)

    async def break_(self, name: str) -> KnownFault:
        """Inject a fault."""
        fault = await asyncio.to_thread(self._lab.break_, name)
        return self._value(fault, active=(fault.name,))

    async def heal(self, name: str | None = None) -> tuple[str, ...]:
        """Heal one fault, or all of them in reverse order."""
        return tuple(fault.name for fault in await asyncio.to_thread(self._lab.heal, name))

    def _known(self) -> tuple[KnownFault, ...]:
        active = self._lab.active_faults
        return tuple(self._value(fault, active=active) for fault in self._lab.faults.values())

    def _value(self, fault: Fault, *, active: tuple[str, ...]) -> KnownFault:
        return KnownFault(
            name=fault.name,
            kind=fault.kind,
            place=fault.place,
            sentence=fault.sentence,
            remedy=fault.truth.remedy.value,
            is_active=fault.name in active,
            why_not=self._lab.why_not(fault),
        )
