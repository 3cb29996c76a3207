"""
Changing the passwords of probes' accounts from beginning to end, without a single refused login.

The steps are in `accounts`; here is how long to wait between them, and that every failure leads back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from mailward.model.errors import TemporaryFailure
from mailward.platforms.dovecot.accounts import begin_rotation, cancel_rotation, finish_rotation, use_new_passwords
from mailward.platforms.dovecot.passwd_files import HealthFiles
from mailward.platforms.dovecot.probe_account import Account, read_secret
from mailward.ports.chance import Chance

#: Dovecot looks at a file's time stamp at most once a second.
_REREAD_S = 1.5


async def rotate(
    files: HealthFiles,
    accounts: Sequence[Account],
    *,
    prove: Callable[[Account, str], Awaitable[bool]],
    settle: timedelta = timedelta(seconds=20),
    chance: Chance | None = None,
) -> None:
    """
    Change the passwords from beginning to end; whatever goes wrong, the former ones are in force again.

    Args:
        files: Dovecot's files.
        accounts: Whose passwords.
        prove: Logs in with an account and a password, and says whether that worked.
        settle: How long a probe may be on its way with the former password: longer than its time-out.
        chance: Where passwords come from.

    Raises:
        Refused: As `begin_rotation`.
        TemporaryFailure: The new password of an account is not accepted, or a file cannot be written.
    """
    begin_rotation(files, accounts, chance=chance)
    try:
        await asyncio.sleep(_REREAD_S)
        for account in accounts:
            if not await prove(account, read_secret(account.next_password_file)):
                raise TemporaryFailure(f"{account.user} is refused with its new password; the former one stays in use")
        use_new_passwords(accounts)
        await asyncio.sleep(settle.total_seconds())
    except BaseException:
        cancel_rotation(files, accounts)
        raise
    finish_rotation(files, accounts)
