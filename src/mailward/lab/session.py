"""
Using a lab as its users do: logging in, storing and delivering mail.

It speaks through Python's own imaplib and smtplib on purpose: the lab must not depend on the IMAP code it is there to
try out.
"""

import imaplib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mailward.lab.accounts import password
from mailward.lab.blueprint import DOMAIN, Blueprint, LabHost

# imaplib takes a command it does not know for one of the state in which it was used first, for every later session
imaplib.Commands["ID"] = ("NONAUTH", "AUTH", "SELECTED")

#: What can end a session that is not an answer of the server.
BROKEN = (OSError, imaplib.IMAP4.error)


@contextmanager
def logged_in(
    blueprint: Blueprint, host: LabHost, user: str, *, seconds: float = 12.0, source: str | None = None
) -> Iterator[imaplib.IMAP4_SSL]:
    """
    Log *user* in over verified TLS on that host, by default from the prober's address.

    Raises:
        OSError: No connection, or a certificate that does not verify.
        imaplib.IMAP4.error: The server said no.
    """
    client = _Client(
        host.address,
        blueprint.ports.imaps,
        ssl_context=ssl.create_default_context(cafile=str(blueprint.ca_file)),
        timeout=seconds,
        source=source or blueprint.prober,
    )
    try:
        client.login(user, password(blueprint, user))
        yield client
    finally:
        _leave(client)


def _leave(client: imaplib.IMAP4) -> None:
    """Say good-bye, but wait for nobody who did not answer before."""
    with suppress(*BROKEN):
        if client.state == "NONAUTH":
            client.shutdown()
        else:
            client.logout()
    client.sock.close()


def deliver(blueprint: Blueprint, proxy: LabHost, recipient: str, message: bytes) -> None:
    """
    Deliver a message by LMTP, through a proxy as mail from outside would come.

    A connection that an outage has broken in the middle may stay silent for minutes after it: it is given up, as any
    mail server does.

    Raises:
        OSError: No connection, or no answer in time.
        smtplib.SMTPException: The server refused it; the text has its reply.
    """
    with smtplib.LMTP(proxy.address, blueprint.ports.lmtp, timeout=20) as client:
        client.sendmail(f"someone@elsewhere.{DOMAIN}", [recipient], message)


def served_certificate(blueprint: Blueprint, host: LabHost) -> str:
    """The certificate that host serves now, as PEM, whether it verifies or not."""
    return ssl.get_server_certificate((host.address, blueprint.ports.imaps), timeout=3)


def serving_server(client: imaplib.IMAP4) -> str | None:
    """The mailbox server that serves this session, by the ID it sends after login (RFC 2971)."""
    client.xatom("ID", "NIL")
    for line in client.response("ID")[1] or ():
        words = line.decode(errors="replace").replace('"', "").split() if isinstance(line, bytes) else []
        if "x-backend" in words:
            return words[words.index("x-backend") + 1].rstrip(")")
    return None


class _Client(imaplib.IMAP4_SSL):
    """imaplib's client, with a source address."""

    def __init__(self, host: str, port: int, *, ssl_context: ssl.SSLContext, timeout: float, source: str) -> None:
        self._source = source
        super().__init__(host, port, ssl_context=ssl_context, timeout=timeout)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        import socket  # noqa: PLC0415 - the base class has an attribute of that name

        plain = socket.create_connection((self.host, self.port), timeout, (self._source, 0))
        try:
            secured: ssl.SSLSocket = self.ssl_context.wrap_socket(plain, server_hostname=self.host)
            return secured
        except BaseException:
            plain.close()
            raise
