"""
Which items a hold means: the subjects of overrides and repairs, SERVER/HEALTHSET/ITEM[/TARGET].

SERVER is "*" where every server is meant; for responders HEALTHSET and ITEM may be "*" as well. Without TARGET every
target is meant. Nothing matches an empty scope: there is none.
"""

from dataclasses import dataclass
from urllib.parse import unquote

from mailward.model.holds import EVERY_SERVER
from mailward.model.identity import encoded

ANY = "*"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What one subject means."""

    server: str
    health_set: str
    item: str
    target: str | None = None
    """Decoded; None means all of them."""

    def __str__(self) -> str:
        parts = [self.server, self.health_set, self.item, *([] if self.target is None else [encoded(self.target)])]
        return "/".join(parts)

    def covers(self, server: str, health_set: str, item: str, target: str) -> bool:
        """Whether that item is meant."""
        return (
            self.server in (EVERY_SERVER, server)
            and self.health_set in (ANY, health_set)
            and self.item in (ANY, item)
            and (self.target is None or self.target.lower() == target.lower())
        )

    @property
    def precision(self) -> tuple[bool, bool, bool, bool]:
        """The greater, the more precisely something is meant: server, then target, item, health set."""
        return (
            self.server != EVERY_SERVER,
            self.target is not None,
            self.item != ANY,
            self.health_set != ANY,
        )


def scope_of(subject: str) -> Scope | None:
    """Read a subject; None for one that is not of that form, which then means nothing."""
    parts = subject.split("/")
    if len(parts) not in (3, 4) or not all(parts):
        return None
    target = unquote(parts[3]) if len(parts) == 4 else None
    return Scope(server=parts[0], health_set=parts[1], item=parts[2], target=target)
