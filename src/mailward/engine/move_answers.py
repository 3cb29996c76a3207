"""The part of the Manager port that is about copies of mailbox databases, and moving them."""

from difflib import get_close_matches

from mailward.engine.engine import Engine
from mailward.engine.repairing import Repairing
from mailward.model.copies import DatabaseCopy
from mailward.model.errors import NotFound, Refused
from mailward.model.organization import Database, Organization
from mailward.ports.manager import MoveIntention


class MoveAnswers:
    """Answers about copies, and carries out orders about them."""

    def __init__(self, engine: Engine) -> None:
        """Answer for *engine*."""
        self._engine = engine

    async def copies(self, *, server: str | None = None, database: str | None = None) -> tuple[DatabaseCopy, ...]:
        """Copies as they stood when last looked at; looked at now where they never were."""
        copying = self._repairing.copying
        organization = self._organization
        on = None if server is None else organization.server_named(server).name
        of = None if database is None else self._database(database).name
        if not copying.copies() and organization.databases:
            await copying.look()
        return tuple(copy for copy in copying.copies() if on in (None, copy.server) and of in (None, copy.database))

    async def move_database(
        self,
        database: str,
        *,
        to: str | None = None,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
    ) -> MoveIntention:
        """Move a database's active copy."""
        target = None if to is None else self._organization.server_named(to).name
        return await self._repairing.ordering_moves.move(
            self._database(database), to=target, actor=actor, reason=reason, dry_run=dry_run, force=force
        )

    async def drain(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False, force: bool = False
    ) -> MoveIntention:
        """Move every active copy away from a server."""
        name = self._organization.server_named(server).name
        return await self._repairing.ordering_moves.drain(
            name, actor=actor, reason=reason, dry_run=dry_run, force=force
        )

    async def undrain(
        self, server: str, *, actor: str, reason: str = "", dry_run: bool = False, move_back: bool = False
    ) -> MoveIntention:
        """Let a server's copies become active again."""
        name = self._organization.server_named(server).name
        return await self._repairing.ordering_moves.undrain(
            name, actor=actor, reason=reason, dry_run=dry_run, move_back=move_back
        )

    @property
    def _organization(self) -> Organization:
        return self._engine.snapshot.organization

    @property
    def _repairing(self) -> Repairing:
        if self._engine.repairing is None:
            raise Refused("this manager only watches")
        return self._engine.repairing

    def _database(self, name: str) -> Database:
        databases = self._organization.databases
        found = next((one for one in databases.values() if one.name.lower() == name.lower()), None)
        if found is None:
            nearest = get_close_matches(name, databases, n=1, cutoff=0.5)
            hint = (
                f"; did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(sorted(databases)) or 'none'}"
            )
            raise NotFound(f"there is no database {name!r}{hint}")
        return found
