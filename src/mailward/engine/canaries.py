"""The canary each health mailbox is known by: the first that was read there, for good."""

from collections.abc import Mapping

from mailward.engine.ledger import Change
from mailward.model.event import Event, EventKind
from mailward.model.probing import Canary, ProbeResult
from mailward.monitors.planned import PlannedProbe


class Canaries:
    """What is known of them."""

    def __init__(self, known: Mapping[str, Canary] | None = None) -> None:
        """*known* from before a restart, by the name under which the store keeps them."""
        self._known = dict(known or {})

    def of(self, planned: PlannedProbe) -> Canary | None:
        """The canary of the mailbox a probe logs in to, or None where none was read yet."""
        return self._known.get(planned.canary_name or "")

    def note(self, planned: PlannedProbe, result: ProbeResult) -> Change | None:
        """Know the canary that *result* read where none was known; what is to be stored of that."""
        name = planned.canary_name
        if name is None or result.canary is None or name in self._known or not result.is_healthy:
            return None
        self._known[name] = result.canary
        event = Event(
            at=result.at,
            kind=EventKind.CANARY_RECORDED,
            subject=name,
            because=f"{name} is known from now on by message {result.canary.uid} on {result.server}",
            data={"uid_validity": result.canary.uid_validity, "uid": result.canary.uid},
        )
        return Change(canary=(name, result.canary), events=(event,))
