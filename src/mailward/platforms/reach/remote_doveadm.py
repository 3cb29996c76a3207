"""doveadm on another machine: requests of `mailward-host`, whose own configuration says for which Dovecot."""

from collections.abc import Sequence

from mailward.platforms.commands import Finished
from mailward.platforms.dovecot.doveadm import require_plain, verb_of
from mailward.platforms.reach.conversation import MailwardHost
from mailward.platforms.reach.mailward_host import as_lines

_ON_THE_WAY_S = 12.0
"""What ssh, sudo and the other end's own patience may take beside what is run."""


class RemoteDoveadm:
    """doveadm of one other machine."""

    def __init__(self, host: MailwardHost) -> None:
        """*host* is the other end."""
        self._host = host

    def words(self, *request: str) -> tuple[str, ...]:
        """The argv of ssh; names of mailboxes are read, never in it."""
        return self._host.runner.words(("doveadm", *request))

    async def run(self, *request: str, mailboxes: Sequence[str] = ()) -> Finished:
        """
        Have it run there.

        Raises:
            TemporaryFailure: The host was not reached, or it did not end in time.
            Refused: A mailbox has a name that would mean something else, or the host says no: it does not know the
                request or the peer, the key may only look, its sudoers lacks the command.
        """
        require_plain(mailboxes)
        seconds = verb_of(request).seconds_for(mailboxes) + _ON_THE_WAY_S
        return await self._host.run("doveadm", *request, seconds=seconds, given=as_lines(mailboxes))
