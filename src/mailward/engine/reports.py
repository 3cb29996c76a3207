"""The health sets of every server as they are reported, counted anew only where a monitor has changed."""

from mailward.engine.assessment import Assessment
from mailward.health.components import ShownStates
from mailward.health.order import RANK
from mailward.health.sets import set_report
from mailward.model.health import HealthSetReport
from mailward.model.holds import Hold


class Reports:
    """
    What `health.sets.report` says of all monitors, from memory.

    Ten thousand servers have some forty thousand monitors, of which a few change in a second, while every open page
    asks for all of them.
    """

    def __init__(self, assessment: Assessment) -> None:
        """Nothing was reported yet."""
        self._assessment = assessment
        self._holds: tuple[Hold, ...] | None = None
        self._rows: dict[tuple[str, str], HealthSetReport] = {}
        self._sorted: tuple[HealthSetReport, ...] = ()

    def all(self, holds: tuple[Hold, ...]) -> tuple[HealthSetReport, ...]:
        """Every health set of every server, worst first, then by server and name; *holds* are those in force now."""
        changed = self._assessment.take_changed_sets()
        if holds != self._holds:
            self._holds, changed = holds, self._assessment.sets
        if not changed:
            return self._sorted
        shown = ShownStates(holds)
        for name in changed:
            members = self._assessment.of_set(name)
            if members:
                self._rows[name] = set_report(members, shown=shown)
            else:
                self._rows.pop(name, None)
        order = sorted(self._rows.values(), key=lambda row: (RANK[row.alert_value], row.server, row.health_set))
        self._sorted = tuple(order)
        return self._sorted
