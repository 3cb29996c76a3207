"""
Where users are sent to, as the map says: read every few seconds, at once when somebody needs to know.

The map is the administrator's. What it says is followed, also where somebody else has edited it; what it says that
cannot be is told. While it cannot be read, what it said last counts for watching; nothing is moved then.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from mailward.model.errors import MailwardError
from mailward.model.organization import Organization
from mailward.ports.mailbox_routing import MailboxRouting

log = logging.getLogger(__name__)

ANSWERS_WITHIN = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """The active copy of a database is on another server than before."""

    database: str
    source: str
    target: str


class Whereabouts:
    """The active copy of every database, by the map."""

    def __init__(self, on_change: Callable[[Mapping[str, str], tuple[Moved, ...]], None]) -> None:
        """*on_change* is told all active copies, and which of them changed."""
        self._on_change = on_change
        self._routing: MailboxRouting | None = None
        self._organization: Organization | None = None
        self._lock = asyncio.Lock()
        self.active: Mapping[str, str] = {}
        """Database -> server, by names of this organization; empty before the map was read."""
        self._said: Mapping[str, str] = {}
        self.trouble: str | None = None
        """Why the map could not be read, or what it says that cannot be."""

    def use(self, organization: Organization, routing: MailboxRouting | None) -> None:
        """Follow this map from now on."""
        self._organization, self._routing = organization, routing
        if routing is None:
            self.active, self.trouble = {}, None

    async def run(self, every: Callable[[], timedelta]) -> None:
        """Read it again and again."""
        while True:
            try:
                await self.read()
            except Exception:
                log.exception("reading the map")  # what went wrong once must not end the reading
            await asyncio.sleep(every().total_seconds())

    async def read(self) -> str | None:
        """Read the map now and follow it; why it could not be read, or None."""
        if self._routing is None or self._organization is None:
            return None
        async with self._lock:
            try:
                async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
                    said = await self._routing.active()
            except TimeoutError:
                self.trouble = f"the map did not answer within {ANSWERS_WITHIN.total_seconds():g} s"
                return self.trouble
            except MailwardError as failure:
                self.trouble = str(failure)
                return self.trouble
            self._follow(said, self._organization)
            return None

    def doubt(self, server: str) -> str | None:
        """Why the map, as it was last read, does not prove that *server* holds no active copy; None: it does."""
        if self._routing is None or self._organization is None:
            return None
        if self.trouble is not None:
            return self.trouble
        named = [name for name, word in self._said.items() if _server(word, self._organization) == server]
        return f"the map sends the users of {', '.join(sorted(named))} there" if named else None

    def _follow(self, said: Mapping[str, str], organization: Organization) -> None:
        self._said = said
        wrong: list[str] = []
        found: dict[str, str] = {}
        strange = [name for name, word in said.items() if _server(word, organization) is None]
        wrong += [f"the map sends the users of {name} to {said[name]!r}, which is no server here" for name in strange]
        for name, database in organization.databases.items():
            if name not in said:
                wrong.append(f"the map does not know database {name}")
                continue
            server = _server(said[name], organization)
            if server is None:
                continue
            if server not in database.copies:
                wrong.append(f"the map sends the users of {name} to {server}, which holds no copy of it")
            found[name] = server
        self.trouble = "; ".join(wrong) or None
        before = {name: self.active.get(name, database.active) for name, database in organization.databases.items()}
        moved = tuple(
            Moved(database=name, source=before[name], target=server)
            for name, server in found.items()
            if server != before[name]
        )
        is_news = moved or not self.active
        self.active = {**before, **found}
        if is_news:
            self._on_change(self.active, moved)


def _server(word: str, organization: Organization) -> str | None:
    server = organization.find_server(word)
    return server.name if server is not None else None
