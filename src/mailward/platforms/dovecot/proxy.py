"""ProxyControl of a Dovecot proxy: `doveadm proxy list|kick`, `doveadm auth cache flush`."""

from collections.abc import Iterator, Sequence

from mailward.model.copies import ProxiedSession
from mailward.model.errors import TemporaryFailure
from mailward.platforms.dovecot.doveadm import Doveadm

_ASK_S = 5.0
_NAMES_AT_ONCE = 500
"""Names on one command line; the kernel allows far more."""


class DovecotProxy:
    """One Dovecot proxy."""

    def __init__(self, doveadm: Doveadm) -> None:
        """*doveadm* reaches it."""
        self._doveadm = doveadm

    async def forget(self) -> None:
        """Flush the authentication cache."""
        finished = await self._doveadm.run("auth", "cache", "flush", seconds=_ASK_S)
        if finished.status != 0:
            raise TemporaryFailure(f"the authentication cache was not flushed: {' '.join(finished.errors.split())}")

    async def sessions(self) -> tuple[ProxiedSession, ...]:
        """`proxy list`; with Dovecot 2.4 nothing is told of where sessions lead."""
        rows = await self._doveadm.rows("proxy", "list", seconds=_ASK_S)
        return tuple(
            ProxiedSession(mailbox=str(row["username"]), address=row.get("dest-ip"))
            for row in rows
            if "username" in row
        )

    async def end_sessions(self, mailboxes: Sequence[str]) -> None:
        """`proxy kick` of each; one who is not there is not missed."""
        for names in _in_parts(mailboxes):
            finished = await self._doveadm.run("proxy", "kick", *names, seconds=_ASK_S)
            if finished.status != 0:
                raise TemporaryFailure(f"sessions were not ended: {' '.join(finished.errors.split())[:300]}")


def _in_parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(names), _NAMES_AT_ONCE):
        yield names[begin : begin + _NAMES_AT_ONCE]
