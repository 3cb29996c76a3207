"""
A map in an LDAP directory: one entry for each database, or one for each mailbox, with the server of the active copy.

A switch takes the old server away and adds the new one in one modification; the directory refuses that when the old one
is not there any more (RFC 4511, section 4.6). Several entries are changed one after the other, always in the same
order, so that of two switches at once the first entry lets one through; what was changed before an entry that could
not be is changed back. Transactions (RFC 5805) would be shorter, but crash slapd 2.5.13 (measured: Debian 12).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.organization import DirectoryEntries, RoutingMap
from mailward.platforms.commands import Runner
from mailward.platforms.routing.ldap_programs import LIMIT_S, Change, Entry, LdapPrograms
from mailward.platforms.routing.said import AND, by_database

#: Result codes (RFC 4511, appendix A.2; 122 by RFC 4528) that say that the old value is gone.
_NO_SUCH_VALUE = (16, 122)


class LdapMap:
    """The map as entries of a directory."""

    def __init__(
        self, settings: RoutingMap, password: Callable[[], str | None], runner: Runner, *, limit: float = LIMIT_S
    ) -> None:
        """
        Args:
            settings: Where it is, and what stands where.
            password: Reveals the password of its user, each time it is connected to.
            runner: Runs OpenLDAP's programs.
            limit: How many seconds one question may take.

        Raises:
            Refused: *settings* do not say what stands where.
        """
        if settings.ldap is None:
            raise Refused('routing.ldap is missing; map = "ldap://…" needs it')
        self._entries = settings.ldap
        self._programs = LdapPrograms(settings.map, settings.ldap, password, runner, limit)

    @property
    def can_hold(self) -> bool:
        """Whether an attribute says until when logins are held."""
        return self._entries.hold_until is not None

    async def active(self) -> Mapping[str, str]:
        """What the entries say; where those of a database differ, all that they say."""
        names = self._entries
        found = await self._programs.search(names.base, names.filter, (names.database, names.server))
        return by_database(
            (database, server)
            for entry in found
            for database in entry.values(names.database)
            for server in entry.values(names.server)
        )

    async def mailboxes(self, database: str) -> tuple[str, ...]:
        """The first value of `mailbox` of every entry of the database."""
        names = self._entries
        base = names.mailboxes_base or names.base
        wanted = names.mailboxes or f"({names.database}={{database}})"
        wanted = wanted.replace("{database}", _escaped(database))
        if names.mailboxes_base is None:
            wanted = f"(&{names.filter}{wanted})"
        found = await self._programs.search(base, wanted, (names.mailbox,))
        return tuple(sorted(entry.values(names.mailbox)[0] for entry in found if entry.values(names.mailbox)))

    async def switch(self, database: str, *, source: str, target: str, hold_until: datetime | None = None) -> None:
        """
        Change every entry of the database, or none.

        One that is on *target* already stays: a switch that was cut off is brought to its end. From a server to itself
        only logins are held.
        """
        names = self._entries
        filter_ = f"(&{names.filter}({names.database}={_escaped(database)})({names.server}=*))"
        found = await self._programs.search(names.base, filter_, (names.server,))
        said = {server for entry in found for server in entry.values(names.server)}
        in_place = source == target
        # without an entry nothing would be changed, which is no success: no logins would be held either
        if not (said if in_place else said - {target}) or said - {target, *source.split(AND)}:
            raise Refused(_changed(database, source, AND.join(sorted(said)) or "no server"))
        until = str(int(hold_until.timestamp())) if hold_until is not None else "0"
        left = sorted(
            (entry for entry in found if in_place or entry.values(names.server) != (target,)), key=lambda one: one.name
        )
        finished, done = await self._programs.modify([_change(entry, names, target, until) for entry in left])
        if finished.status == 0:
            return
        await self._change_back(left[:done], target)
        if finished.status in _NO_SUCH_VALUE:
            raise Refused(_changed(database, source, "another server"))
        raise self._programs.trouble(finished)

    async def _change_back(self, entries: Sequence[Entry], target: str) -> None:
        back = [
            _change_of(entry.name, self._entries, (target,), entry.values(self._entries.server)) for entry in entries
        ]
        if not back:
            return
        finished, done = await self._programs.modify(back)
        if finished.status != 0:
            raise TemporaryFailure(
                f"{len(back) - done} of the entries that were changed to {target} before one could not be changed "
                f"stay so: {finished.said()}"
            )

    def command(self, database: str, *, source: str, target: str) -> tuple[str, ...]:
        """What is changed, as LDIF would say it."""
        names = self._entries
        where = f"({names.database}={_escaped(database)})"
        return ("ldapmodify", where, f"delete:{names.server}={source}", f"add:{names.server}={target}")


def _change(entry: Entry, names: DirectoryEntries, target: str, until: str) -> Change:
    name, deeds = _change_of(entry.name, names, entry.values(names.server), (target,))
    return name, [*deeds, *([("replace", names.hold_until, until)] if names.hold_until is not None else [])]


def _change_of(name: str, names: DirectoryEntries, old: Sequence[str], new: Sequence[str]) -> Change:
    gone = [("delete", names.server, server) for server in old if server not in new]
    return name, [*gone, *(("add", names.server, server) for server in new if server not in old)]


def _changed(database: str, source: str, said: str) -> str:
    return (
        f"the map does not say any more that {database} is on {source}, but on {said}: somebody else has changed it; "
        "nothing was changed"
    )


def _escaped(text: str) -> str:
    r"""*text* as a value in a filter: what has a meaning there is \XX (RFC 4515, section 3)."""
    return re.sub(r"[\\*()\x00]", lambda found: f"\\{ord(found[0]):02x}", text)
