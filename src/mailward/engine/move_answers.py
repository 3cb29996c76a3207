"""The part of the Manager port that is about copies of mailbox databases, and moving them."""

from mailward.engine.engine import Engine
from mailward.engine.repairing import Repairing
from mailward.model.copies import DatabaseCopy
from mailward.model.errors import Refused
from mailward.model.organization import Organization
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
        of = None if database is None else organization.database_named(database).name
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
        only_planned: bool = False,
    ) -> MoveIntention:
        """Move a database's active copy."""
        organization = self._organization
        target = None if to is None else organization.server_named(to).name
        return await self._repairing.ordering_moves.move(
            organization.database_named(database),
            to=target,
            actor=actor,
            reason=reason,
            dry_run=dry_run,
            force=force,
            only_planned=only_planned,
        )

    async def drain(
        self,
        server: str,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        force: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Move every active copy away from a server."""
        name = self._organization.server_named(server).name
        return await self._repairing.ordering_moves.drain(
            name, actor=actor, reason=reason, dry_run=dry_run, force=force, only_planned=only_planned
        )

    async def undrain(
        self,
        server: str,
        *,
        actor: str,
        reason: str = "",
        dry_run: bool = False,
        move_back: bool = False,
        only_planned: bool = False,
    ) -> MoveIntention:
        """Let a server's copies become active again."""
        name = self._organization.server_named(server).name
        return await self._repairing.ordering_moves.undrain(
            name, actor=actor, reason=reason, dry_run=dry_run, move_back=move_back, only_planned=only_planned
        )

    @property
    def _organization(self) -> Organization:
        return self._engine.snapshot.organization

    @property
    def _repairing(self) -> Repairing:
        if self._engine.repairing is None:
            raise Refused("this manager only watches")
        return self._engine.repairing
