"""What a probe is asked to do: one target, one account, one turn."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from mailward.model.organization import HealthMailbox, ImapEndpoint, LmtpEndpoint
from mailward.model.probing import Canary


class Turn(Enum):
    """How deep one run of a deep test goes."""

    READ = "read"
    WRITE = "write"
    """Also APPEND, IDLE push, FETCH and UID EXPUNGE of one message with our token."""
    EXAMINE = "examine"
    """Passive copies: EXAMINE and FETCH, never a write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeTarget:
    """Everything one run of a probe needs to know."""

    probe: str
    health_set: str
    server: str
    target: str
    """What is probed on that server: a database, an access point, or the server's own name."""
    endpoint: ImapEndpoint
    timeout: timedelta
    """For the whole conversation."""
    account: HealthMailbox | None = None
    database: str | None = None
    canary: Canary | None = None
    """The canary this mailbox is known by; None when none has been recorded yet."""
    turn: Turn = Turn.READ
    identity: str = "mailward"
    """The organization's token: only messages that carry it are ever touched."""
    server_names: tuple[tuple[str, str], ...] = ()
    """(name as shown by a back end, our name of that server) pairs, lower case, to resolve `_Mbx`."""
    delivery: LmtpEndpoint | None = None
    """Where a message is handed over for the account, by the probe that tries delivery."""
    confirmation: bool = False
