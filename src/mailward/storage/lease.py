"""The lease as a row of the store: every claim is one conditional update that must change exactly one row."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, case, func, select, update
from sqlalchemy.dialects.sqlite import insert

from mailward.model.errors import LeaseLost
from mailward.ports.lease import Held
from mailward.storage.database import Database
from mailward.storage.moments import from_ms
from mailward.storage.tables import leases

_MS = timedelta(milliseconds=1)


class SqliteLease:
    """A named lease in the database of a store, by that store's clock."""

    def __init__(self, database: Database) -> None:
        """Share the store's database and thread."""
        self._database = database

    async def take(self, name: str, owner: str, *, for_: timedelta) -> Held | None:
        """Take the lease if it is free or its time is over; None when somebody holds it."""

        def claim(db: Connection) -> Held | None:
            until = func.mailward_now() + for_ // _MS
            db.execute(insert(leases).values(name=name, owner="", fence=0, until=0).on_conflict_do_nothing())
            claimed = db.execute(
                update(leases)
                .where(leases.c.name == name, leases.c.until <= func.mailward_now())
                .values(owner=owner, fence=leases.c.fence + 1, until=until)
            )
            return _held(db, name) if claimed.rowcount == 1 else None

        return await self._database.write(claim)

    async def renew(self, held: Held, name: str, *, for_: timedelta) -> Held | None:
        """Prolong it, never shorten it when the clock went backwards; None when it is lost."""

        def prolong(db: Connection) -> Held | None:
            wanted = func.mailward_now() + for_ // _MS
            until = case((wanted > leases.c.until, wanted), else_=leases.c.until)
            renewed = db.execute(
                update(leases).where(*_is(held, name), leases.c.until > func.mailward_now()).values(until=until)
            )
            return _held(db, name) if renewed.rowcount == 1 else None

        return await self._database.write(prolong)

    async def release(self, held: Held, name: str) -> None:
        """Give it back; the fence stays, so that the next holder's is higher."""
        await self._database.write(lambda db: db.execute(update(leases).where(*_is(held, name)).values(until=0)))


def refuse_lost(db: Connection, held: Held, name: str) -> None:
    """
    See, within the transaction of a deed, that *held* is still who holds the lease and was renewed in time.

    Raises:
        Refused: It is lost: taken by another, given back, or its time is over by the store's clock.
    """
    present = select(leases.c.name).where(*_is(held, name), leases.c.until > func.mailward_now())
    if db.execute(present).one_or_none() is None:
        raise LeaseLost(
            f"the lease is lost: {held.owner} (fence {held.fence}) no longer holds {name!r}, or did not renew it in"
            " time; nothing is done"
        )


def _is(held: Held, name: str) -> tuple[ColumnElement[bool], ...]:
    return (leases.c.name == name, leases.c.owner == held.owner, leases.c.fence == held.fence)


def _held(db: Connection, name: str) -> Held:
    row = db.execute(select(leases.c.owner, leases.c.fence, leases.c.until).where(leases.c.name == name)).one()
    return Held(owner=row.owner, fence=row.fence, until=from_ms(row.until))
