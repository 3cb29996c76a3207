"""How probes behave: every limit, documented where it stands. When and how often they run is decided elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import mailward
from mailward.model.probing import Phase


def _phase_limits() -> Mapping[Phase, timedelta]:
    return {
        Phase.DNS: timedelta(seconds=5),
        Phase.CONNECT: timedelta(seconds=5),
        Phase.TLS: timedelta(seconds=8),
        Phase.IDLE: timedelta(seconds=10),
        Phase.LOGOUT: timedelta(seconds=1),
    }


def _introduction() -> Mapping[str, str]:
    return {"name": "mailward", "version": mailward.__version__, "vendor": "mailward probe"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeSettings:
    """What all probes have in common."""

    phase_limits: Mapping[Phase, timedelta] = field(default_factory=_phase_limits)
    """
    The longest a phase may take; a phase that is not named may take all that is left of the probe's time.

    Name service, connecting and the handshake get less than a whole deep test, so that a dead host is noticed before
    the fifteenth second. Waiting for push ends after 10 s, which is what ImapPushMonitor calls silent. A server that
    keeps us waiting for its good-bye fails nothing.
    """
    introduction: Mapping[str, str] = field(default_factory=_introduction)
    """What ID (RFC 2971) tells administrators about us."""
    backend_keys: tuple[str, ...] = ("x-backend", "x-mailbox-server")
    """Fields of the server's ID reply that name the mailbox server (field notes §A: Dovecot's `imap_id_send`)."""
    hint_keys: tuple[str, ...] = ("host", "hostname", "server", "name")
    """Fields that may name it: believed only when they name a server of this organization."""
    overload_lag: timedelta = timedelta(milliseconds=250)
    """A time-out in a phase in which our own event loop was late by this much…"""
    overload_share: float = 0.2
    """…and by this share of the time that was allowed, blames nobody."""
    mailbox: str = "INBOX"
    push_reserve: timedelta = timedelta(seconds=2)
    """What a writing turn keeps back of its time for removing its message and saying good-bye."""
    leftover_age: timedelta = timedelta(hours=1)
    """Messages of ours that an interrupted turn left behind are removed when they are older."""
    leftovers_without_uidplus: int = 20
    r"""
    Without UIDPLUS our messages in a shared mailbox can only be marked \Deleted. With so many of them waiting for
    somebody else's EXPUNGE, writing turns read only.
    """
