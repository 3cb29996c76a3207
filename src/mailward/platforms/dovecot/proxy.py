"""ProxyControl of a Dovecot proxy: `doveadm proxy list|kick`, `doveadm auth cache flush`."""

from collections.abc import Mapping, Sequence

from mailward.model.copies import ProxiedSession
from mailward.model.errors import TemporaryFailure
from mailward.platforms.dovecot.doveadm import Doveadm, complaint, in_parts, require_plain, rows_of
from mailward.platforms.reach.mailward_host import MOST_AT_ONCE, wrong_with


class DovecotProxy:
    """One Dovecot proxy."""

    def __init__(self, doveadm: Doveadm) -> None:
        """*doveadm* reaches it."""
        self._doveadm = doveadm

    async def forget(self) -> None:
        """Flush the authentication cache."""
        if (why := complaint(await self._doveadm.run("auth", "cache", "flush"))) is not None:
            raise TemporaryFailure(f"the authentication cache was not flushed: {why}")

    async def sessions(self) -> tuple[ProxiedSession, ...]:
        """`proxy list`; with Dovecot 2.4 nothing is told of where sessions lead."""
        request = ("proxy", "list")
        rows = rows_of(await self._doveadm.run(*request), self._doveadm.words(*request))
        return tuple(_session(row) for row in rows)

    async def end_sessions(self, mailboxes: Sequence[str]) -> None:
        """`proxy kick` of each; one who is not there is not missed, and one who cannot be named comes last."""
        for names in in_parts([name for name in mailboxes if not wrong_with(name)], MOST_AT_ONCE):
            if (why := complaint(await self._doveadm.run("proxy", "kick", mailboxes=names))) is not None:
                raise TemporaryFailure(f"sessions were not ended: {why}")
        require_plain(mailboxes)


def _session(row: Mapping[str, object]) -> ProxiedSession:
    mailbox, address = row.get("username"), row.get("dest-ip")
    if not isinstance(mailbox, str) or not isinstance(address, str | None):
        raise TemporaryFailure(f"the proxy's list of sessions cannot be read: {dict(row)!r:.200}")
    return ProxiedSession(mailbox=mailbox, address=address or None)
