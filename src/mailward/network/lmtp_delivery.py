"""Mail handed over by LMTP (RFC 2033), in the clear: proxies take it inside their own network."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiosmtplib

from mailward.model.organization import LmtpEndpoint
from mailward.model.probing import Cause
from mailward.ports.mail_delivery import DeliveryRefused
from mailward.ports.network import NetworkFailure

_GOOD_BYE_S = 1.0


class LmtpDelivery:
    """One connection for each message: what is measured is a delivery, not a session that was kept."""

    async def deliver(self, door: LmtpEndpoint, *, recipient: str, message: bytes, timeout: float) -> None:
        """Say LHLO, MAIL, RCPT and DATA; see the port for what is raised."""
        client = _LmtpClient(
            hostname=None if door.port is None else door.host,
            port=door.port,
            socket_path=door.host if door.port is None else None,
            source_address=None if door.source_address is None else (door.source_address, 0),
            local_hostname=socket.gethostname(),
            timeout=timeout,
            use_tls=False,
            start_tls=False,
        )
        try:
            async with _translated(door, timeout):
                await client.connect()
                await client.sendmail("", [recipient], message)
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_GOOD_BYE_S)
        finally:
            client.close()


class _LmtpClient(aiosmtplib.SMTP):
    """The library speaks SMTP. With one recipient LMTP differs by its greeting alone (RFC 2033 §4)."""

    async def ehlo(self, *, hostname: str | None = None, timeout: Any = None) -> aiosmtplib.SMTPResponse:  # noqa: ARG002 - the library's signature
        """Say LHLO, where SMTP says EHLO; LMTP knows no HELO to fall back to."""
        name = hostname or self.local_hostname or "mailward"
        response = await self.execute_command(b"LHLO", name.encode("ascii", "replace"))
        if response.code != aiosmtplib.SMTPStatus.completed:
            raise aiosmtplib.SMTPResponseException(response.code, response.message)
        self.last_ehlo_response = response
        return response


@asynccontextmanager
async def _translated(door: LmtpEndpoint, timeout: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout):
            yield
    except (TimeoutError, aiosmtplib.SMTPTimeoutError):
        raise NetworkFailure(Cause.TIMEOUT, f"{door} did not answer within {timeout:.1f} s") from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise DeliveryRefused(first.code, first.message) from error
    except aiosmtplib.SMTPResponseException as error:
        raise DeliveryRefused(error.code, error.message) from error
    except aiosmtplib.SMTPServerDisconnected as error:
        raise NetworkFailure(Cause.CLOSED, f"{door} ended the connection: {error}") from error
    except ValueError as error:
        raise NetworkFailure(Cause.PROBER_FAULT, f"nothing was sent: {error}") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise NetworkFailure(_cause(error), f"{door}: {error}") from error


def _cause(error: Exception) -> Cause:
    below = error.__cause__ or error
    if isinstance(below, socket.gaierror):
        return Cause.NAME_UNKNOWN
    return Cause.REFUSED if isinstance(below, ConnectionRefusedError) else Cause.UNREACHABLE
