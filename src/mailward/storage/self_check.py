"""Whether anything could be stored: tried, not guessed from permissions or free space."""

from contextlib import suppress

from sqlalchemy import Connection, func, insert
from sqlalchemy.exc import DBAPIError

from mailward.storage.tables import transcripts

_TRIED_BYTES = 256 * 1024


def try_to_write(db: Connection) -> None:
    """
    Write within a savepoint and take it back.

    SQLite keeps what is not committed in memory as long as there is room, where a full disk would not be noticed: so it
    is given next to no room, and writes nearly all of it to the file's log before it is taken back.
    """
    room = int(db.exec_driver_sql("PRAGMA cache_size").scalar_one())
    db.exec_driver_sql("PRAGMA cache_size = 4")
    try:
        savepoint = db.begin_nested()
        db.execute(insert(transcripts).values(at=0, lines=func.zeroblob(_TRIED_BYTES)))
        savepoint.rollback()  # after an error the transaction around it takes it back
    finally:
        with suppress(DBAPIError):
            db.exec_driver_sql(f"PRAGMA cache_size = {room}")
