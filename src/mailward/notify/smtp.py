"""
Mail by a relay, which may, and should, stand outside the service that is watched.

TLS is used whenever the relay offers it. It is verified where that is asked for (`starttls`, `tls`, `ca_file`) or a
password depends on it; a relay without either gets what it would otherwise get in the clear. A password is never sent
without verified encryption, except to this very machine.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Mapping

import aiosmtplib

from mailward.model.alerting import Alert
from mailward.model.channels import Channel
from mailward.model.errors import MailwardError, PermanentFailure, TemporaryFailure
from mailward.notify.message import message_of
from mailward.notify.reading import Reading, trusting
from mailward.notify.words import as_sent, said
from mailward.ports.secrets import Secrets

log = logging.getLogger(__name__)

_GOOD_BYE_SECONDS = 1.0


class SmtpNotifier:
    """Sends mail."""

    def __init__(self, channel: Channel, secrets: Secrets) -> None:
        """Send by the relay at the channel's `host` and `port`."""
        self._channel = channel
        self._secrets = secrets
        self._reading = Reading(channel)
        self._where = f"channel {channel.name}: the relay {channel.host}:{channel.port}"

    async def send(self, alert: Alert, *, identity: str) -> None:
        """
        Hand one mail to the relay. A recipient it refuses while it takes others is logged, not tried again.

        Raises:
            TemporaryFailure: It did not take the mail, or nobody knows whether it did.
            PermanentFailure: It will not take it; the text says what to mend.
        """
        channel = self._channel
        if not channel.recipients:
            raise PermanentFailure(f"channel {channel.name} has no recipients; set recipients")
        message = message_of(alert, channel, identity=identity)
        password, context = await self._reading.read(self._needed)
        hidden = as_sent(channel.user, password)
        limit = channel.timeout.total_seconds()
        client = aiosmtplib.SMTP(
            hostname=channel.host,
            port=channel.port,
            local_hostname=socket.gethostname(),
            timeout=limit,
            use_tls=channel.tls,
            start_tls=False,
            tls_context=context,
        )
        try:
            async with self._translated(limit, hidden):
                await client.connect()
                await self._secure(client, context)
                if channel.user:
                    await client.login(channel.user, password)
                refused, _ = await client.sendmail(channel.sender, channel.recipients, message.as_bytes())
            for recipient, answer in refused.items():
                words = said(str(answer), secrets=hidden)
                log.warning("%s refused %s, but took the mail: %s", self._where, recipient, words)
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_GOOD_BYE_SECONDS)
        finally:
            client.close()

    async def _secure(self, client: aiosmtplib.SMTP, context: ssl.SSLContext) -> None:
        """Bring TLS up where it is wanted or offered, and see to it that a password does not go out without."""
        channel = self._channel
        await client.ehlo()
        if channel.tls:
            return
        offered = client.supports_extension("starttls")
        if offered and channel.starttls is not False:
            await client.starttls(tls_context=context, server_hostname=channel.host)
            await client.ehlo()
        elif channel.starttls:
            raise PermanentFailure(
                f"{self._where} does not offer STARTTLS, which is asked for; mend the relay or starttls"
            )
        elif channel.user and not _is_this_machine(channel.host):
            raise PermanentFailure(
                f"{self._where} offers no encryption, so the password was not sent; use tls, starttls or another relay"
            )

    def _needed(self) -> tuple[str, ssl.SSLContext]:
        """The password, and whom to trust."""
        password = self._channel.password
        return ("" if password is None else self._secrets.reveal(password), self._context())

    def _context(self) -> ssl.SSLContext:
        channel, context = self._channel, trusting(self._channel)
        if not (channel.tls or channel.starttls or channel.ca_file or channel.user):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    @contextlib.asynccontextmanager
    async def _translated(self, limit: float, hidden: tuple[str, ...]) -> AsyncIterator[None]:
        """Bound the conversation in time, and say in our words how it failed."""
        try:
            async with asyncio.timeout(limit):
                yield
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            raise TemporaryFailure(f"{self._where} did not answer within {limit:g} s") from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            answers = {each.recipient: (each.code, each.message) for each in error.recipients}
            raise self._refused(answers, hidden) from error
        except aiosmtplib.SMTPResponseException as error:
            raise self._answered(error, hidden) from error
        except aiosmtplib.SMTPNotSupported as error:
            words = said(str(error), secrets=hidden)
            raise PermanentFailure(f"{self._where} lacks what is needed: {words}") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            cause = _certificate_error(error)
            if cause is not None:
                text = (
                    f"{self._where}: its certificate does not verify: {cause.verify_message}; mend it, or set ca_file"
                )
                raise PermanentFailure(text) from error
            words = said(str(error), secrets=hidden)
            raise TemporaryFailure(f"{self._where} cannot be used now: {words}") from error

    def _refused(self, answers: Mapping[str, tuple[int, str]], hidden: tuple[str, ...]) -> MailwardError:
        words = said("; ".join(f"{name}: {code} {text}" for name, (code, text) in answers.items()), secrets=hidden)
        if any(code < 500 for code, _ in answers.values()):
            return TemporaryFailure(f"{self._where} takes no recipient now: {words}")
        return PermanentFailure(
            f"{self._where} takes no recipient: {words}; mend recipients, or let the relay accept us"
        )

    def _answered(self, error: aiosmtplib.SMTPResponseException, hidden: tuple[str, ...]) -> MailwardError:
        words = said(f"{error.code} {error.message}", secrets=hidden)
        if error.code < 500:
            return TemporaryFailure(f"{self._where} said later: {words}")
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            name = self._channel.password.name if self._channel.password is not None else "the password"
            return PermanentFailure(f"{self._where} rejects user {self._channel.user}: {words}; mend {name}")
        return PermanentFailure(f"{self._where} said no: {words}; mend sender, recipients or the relay")


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The verification that failed, however deep the mail library wrapped it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
