"""Whose users meet a broken monitor: only what a user's own conversation would meet counts."""

from collections import defaultdict
from collections.abc import Iterable

from mailward.model import items
from mailward.model.monitoring import MonitorStatus
from mailward.model.organization import Organization


class Affected:
    """Knows which database is active where, looked up once for all monitors."""

    def __init__(self, organization: Organization) -> None:
        self._databases = organization.databases
        self._active: defaultdict[str, set[str]] = defaultdict(set)
        for database in organization.databases.values():
            self._active[database.active].add(database.name)

    def by(self, statuses: Iterable[MonitorStatus]) -> tuple[str, ...]:
        """The databases whose users meet what these monitors show, by name."""
        found: set[str] = set()
        for status in statuses:
            if status.state.is_broken:
                found |= self._of(status)
        return tuple(sorted(found))

    def _of(self, status: MonitorStatus) -> set[str]:
        """
        A touch point names its database; a deep test too, where that copy is the active one (users do not read passive
        copies, nor the local health mailbox); a self test stands for every active copy on its server.
        """
        key = status.key
        database = self._databases.get(key.target)
        if key.item == items.CTP_MONITOR:
            return {database.name} if database is not None else set()
        if key.item == items.DEEP_TEST_MONITOR:
            return {database.name} if database is not None and database.active == key.server else set()
        if key.item == items.SELF_TEST_MONITOR:
            return self._active.get(key.server, set())
        return set()
