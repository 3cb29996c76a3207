"""Users and tokens on SQLite."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from mailward.model.credentials import AccessToken, User
from mailward.model.event import Event
from mailward.ports.credentials import KeptToken, KeptUser
from mailward.storage.database import Database, nobody
from mailward.storage.documents import of_document, to_document
from mailward.storage.moments import from_ms, to_ms
from mailward.storage.tables import access_tokens, generations, users


class SqliteCredentials:
    """Users and tokens in the database of a store."""

    def __init__(self, database: Database, *, stored: Callable[[], None] = nobody) -> None:
        """Share the store's database; *stored* is called on the event loop when events were stored with the rest."""
        self._database = database
        self._stored = stored

    async def users(self) -> tuple[KeptUser, ...]:
        """Every user, by name."""
        query = select(*users.columns).order_by(users.c.name)
        return await self._database.read(lambda db: tuple(_user(row) for row in db.execute(query)))

    async def tokens(self) -> tuple[KeptToken, ...]:
        """Every token, by name."""
        query = select(*access_tokens.columns).order_by(access_tokens.c.name)
        return await self._database.read(lambda db: tuple(_token(row) for row in db.execute(query)))

    async def add_user(self, user: User, password_hash: str, events: Sequence[Event] = ()) -> bool:
        """Keep a user; False when there is one of that name."""
        row = {"name": user.name, "password_hash": password_hash, "body": to_document(user)}
        return await self._change(lambda db: _added(db, users, {**row, "generation": _next_generation(db)}), events)

    async def set_password(self, name: str, password_hash: str, events: Sequence[Event] = ()) -> bool:
        """Change what a login is checked against, and end the user's sessions."""
        return await self._change(
            lambda db: _updated(db, users, name, password_hash=password_hash, generation=_next_generation(db)), events
        )

    async def end_sessions(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Let no session of this user count that was begun before."""
        return await self._change(lambda db: _updated(db, users, name, generation=_next_generation(db)), events)

    async def remove_user(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Forget a user."""
        return await self._change(lambda db: _removed(db, users, name), events)

    async def add_token(self, token: AccessToken, digest: str, events: Sequence[Event] = ()) -> bool:
        """Keep a token; False when there is one of that name."""
        row = {"name": token.name, "digest": digest, "body": to_document(token)}
        return await self._change(lambda db: _added(db, access_tokens, row), events)

    async def revoke_token(self, name: str, events: Sequence[Event] = ()) -> bool:
        """Forget a token."""
        return await self._change(lambda db: _removed(db, access_tokens, name), events)

    async def note_login(self, name: str, at: datetime, events: Sequence[Event] = ()) -> None:
        """Remember when a user logged in."""
        await self._change(lambda db: _updated(db, users, name, last_login=to_ms(at)), events)

    async def note_use(self, name: str, at: datetime) -> None:
        """Remember when a token was used."""
        await self._change(lambda db: _updated(db, access_tokens, name, last_used=to_ms(at)), ())

    async def record(self, events: Sequence[Event]) -> None:
        """Store events of what came to nothing."""
        await self._change(lambda _: True, events)

    async def _change(self, deed: Callable[[Connection], bool], events: Sequence[Event]) -> bool:
        """Do something with its events in one transaction; without a change no event."""
        told = tuple(events)

        def work(db: Connection) -> bool:
            is_done = deed(db)
            if is_done:
                self._database.event_numbers.append(db, told)
            return is_done

        return await self._database.write(work, written=self._stored if told else None)


def _added(db: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    return db.execute(insert(table).prefix_with("OR IGNORE").values(row)).rowcount == 1


def _updated(db: Connection, table: Table, name: str, **values: Any) -> bool:
    return db.execute(update(table).where(table.c.name == name).values(values)).rowcount == 1


def _removed(db: Connection, table: Table, name: str) -> bool:
    return db.execute(delete(table).where(table.c.name == name)).rowcount == 1


def _next_generation(db: Connection) -> int:
    """A number never given out before, also not for somebody who is removed; older rows have done their work."""
    number = db.execute(insert(generations).returning(generations.c.id)).scalar_one()
    db.execute(delete(generations).where(generations.c.id < number))
    return int(number)


def _user(row: Any) -> KeptUser:
    at = None if row.last_login is None else from_ms(row.last_login)
    user = replace(of_document(User, row.body), last_login_at=at)
    return KeptUser(user=user, password_hash=row.password_hash, generation=row.generation)


def _token(row: Any) -> KeptToken:
    at = None if row.last_used is None else from_ms(row.last_used)
    return KeptToken(token=replace(of_document(AccessToken, row.body), last_used_at=at), digest=row.digest)
