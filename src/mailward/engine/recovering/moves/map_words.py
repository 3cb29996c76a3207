"""Where the map sends the users of a database, in our names and in the map's own words."""

from dataclasses import dataclass

from mailward.engine.recovering.moves.ports import routing_of
from mailward.engine.recovering.world import World
from mailward.model.errors import Refused
from mailward.recovery.moves import Move


@dataclass(frozen=True, kw_only=True, slots=True)
class MapWords:
    """The map, as the move of one database asks it."""

    world: World
    move: Move

    async def routed_to(self) -> str | None:
        """The server's name here, where the map has another word for it; None: the map does not know the database."""
        said = (await routing_of(self.world).active()).get(self.move.database)
        return None if said is None else self._name(said)

    async def words(self) -> tuple[str, str]:
        """
        The map's own words for source and target.

        Raises:
            Refused: The map names somebody else by now, or it is not known by which word it would name the target.
        """
        said = await routing_of(self.world).active()
        own = said.get(self.move.database, "")
        if self._name(own) != self.move.source:
            raise Refused(f"the map sends its users to {own or 'nobody'} by now: somebody else has changed it")
        known = {self._name(word): word for word in said.values()}
        return own, known.get(self.move.target) or self._word_like(own)

    def _word_like(self, own: str) -> str:
        """The target's name in the form in which the map names the source: alone, or with the same domain."""
        if own.casefold() == self.move.source.casefold():
            return self.move.target
        domain = own.partition(".")[2].casefold()
        target = self.world.organization().servers[self.move.target]
        alike = [name for name in sorted(target.known_as) if domain and name.partition(".")[2].casefold() == domain]
        if not alike:
            key = f"servers.{self.move.target}.known_as"
            raise Refused(f"the map calls {self.move.source} {own!r}; add what it calls {self.move.target} to {key}")
        return alike[0]

    def _name(self, word: str) -> str:
        server = self.world.organization().find_server(word)
        return server.name if server is not None else word
