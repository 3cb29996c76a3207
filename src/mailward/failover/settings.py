"""How patient a move is, and what a copy may lack."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveSettings:
    """How databases are moved."""

    lag_limit: timedelta = timedelta(minutes=1)
    """A copy that lacks more than this is not chosen while its source works, and shows as Resynchronizing."""
    hold: timedelta = timedelta(seconds=1)
    """
    How long new logins are held while a database moves, where its map can do that, in whole seconds. With one second
    sessions end just before it is over, and their clients come back at once; with more they wait until the last mail
    is copied.
    """
    sessions_end_within: timedelta = timedelta(seconds=10)
    """
    How long sessions may take to leave the source. From one that does not answer at least as long as proxies wait for
    it (`backend_timeout`) and a little more, whatever stands here.
    """
    capacity: int | None = None
    """The most mailboxes in active copies on one server. Default: as many as come."""
    poll_every: timedelta = timedelta(seconds=10)
    """How often the map and the copies are looked at."""
    sync_every: timedelta = timedelta(minutes=5)
    """How often copies of the kind "sync" are synchronised."""
    move_back: bool = False
    """Whether a repaired server gets the databases back that prefer it."""
