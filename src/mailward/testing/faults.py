"""A demo that is broken in name only."""

from collections.abc import Sequence
from dataclasses import replace

from mailward.model.errors import Refused
from mailward.ports.faults import KnownFault

FAULTS = (
    KnownFault(
        name="service-failed@be1",
        kind="service-failed",
        place="be1",
        sentence="the IMAP service of be1 crashes",
        remedy="start the service",
    ),
    KnownFault(
        name="service-failed@be2",
        kind="service-failed",
        place="be2",
        sentence="the IMAP service of be2 crashes",
        remedy="start the service",
    ),
    KnownFault(
        name="map-missing",
        kind="map-missing",
        place=None,
        sentence="the map of users is gone",
        remedy="a person has to mend it",
    ),
    KnownFault(
        name="store-full@be1",
        kind="store-full",
        place="be1",
        sentence="the store of be1 is full",
        remedy="a person has to mend it",
        why_not="store-full@be1 needs root: it mounts a file system",
    ),
)


class FakeFaults:
    """Remembers what is broken."""

    def __init__(self, faults: Sequence[KnownFault] = FAULTS) -> None:
        """Nothing is broken yet but what *faults* say is."""
        self.faults = {fault.name: fault for fault in faults}

    async def known(self) -> tuple[KnownFault, ...]:
        """Every fault."""
        return tuple(self.faults.values())

    async def break_(self, name: str) -> KnownFault:
        """Let it last."""
        fault = self._fault(name)
        if fault.why_not is not None:
            raise Refused(fault.why_not)
        if fault.is_active:
            raise Refused(f"{fault.name} lasts already")
        return self._keep(replace(fault, is_active=True))

    async def heal(self, name: str | None = None) -> tuple[str, ...]:
        """End it, or all."""
        active = [fault for fault in self.faults.values() if fault.is_active]
        wanted = active if name is None else [self._fault(name)]
        for fault in wanted:
            if not fault.is_active:
                raise Refused(f"{fault.name} does not last")
            self._keep(replace(fault, is_active=False))
        return tuple(fault.name for fault in wanted)

    def _fault(self, name: str) -> KnownFault:
        found = next((fault for fault in self.faults.values() if fault.name.lower() == name.lower()), None)
        if found is None:
            raise Refused(f"there is no fault {name!r}")
        return found

    def _keep(self, fault: KnownFault) -> KnownFault:
        self.faults[fault.name] = fault
        return fault
