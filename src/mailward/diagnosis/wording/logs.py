"""
What a line of a server's log means: signs, and the words by which they are known.

Dovecot's words as measured (field notes §A, rootless notes §B); the kernel's words are everybody's. Lower case; a line
carries a sign when it holds all the words of a row; the first row that fits decides.
"""

from enum import Enum


class Sign(Enum):
    """What one log line proves."""

    BACKEND_REFUSES = "the mailbox server refuses the proxy"
    BACKEND_UNREACHABLE = "the proxy cannot reach the mailbox server"
    BACKEND_SILENT = "the mailbox server takes the proxy's connection and stays silent"
    BACKEND_LOGIN_SILENT = "the mailbox server greets the proxy and leaves its login unanswered"
    BACKEND_CERTIFICATE = "the proxy does not accept the mailbox server's certificate"
    BACKEND_REJECTS_LOGIN = "the mailbox server rejects the user the proxy passed on"
    PROCESS_LIMIT = "a process or client limit is reached"
    DIRECTORY_BROKEN = "the directory or user map cannot be asked"
    PASSWORDS_UNREADABLE = "the password file cannot be read"
    AUTH_BROKEN = "the authentication service is broken"
    ADDRESS_NOT_ALLOWED = "the account may not log in from the prober's address"
    LOGIN_REJECTED = "the login was rejected"
    STORE_FULL = "the file system of the mail store is full"
    STORE_READ_ONLY = "the file system of the mail store is read-only"
    STORE_DAMAGED = "the file system of the mail store returns errors"
    STORE_FORBIDDEN = "the mail store may not be read"
    SERVED_SOMEBODY = "another user was let in"


LOG_SIGNS: tuple[tuple[tuple[str, ...], Sign], ...] = (
    (("received invalid ssl certificate",), Sign.BACKEND_CERTIFICATE),
    (("ssl certificate doesn't match expected host name",), Sign.BACKEND_CERTIFICATE),
    (("ssl certificate not received",), Sign.BACKEND_CERTIFICATE),
    (
        (
            "proxy(",
            "disconnected by server: ssl",
        ),
        Sign.BACKEND_CERTIFICATE,
    ),
    (("proxy(", "connection refused"), Sign.BACKEND_REFUSES),
    (("proxy(", "no route to host"), Sign.BACKEND_UNREACHABLE),
    (("proxy(", "network is unreachable"), Sign.BACKEND_UNREACHABLE),
    (("proxy(", "connect(", "timed out"), Sign.BACKEND_UNREACHABLE),
    (("login timed out in state=/none",), Sign.BACKEND_SILENT),
    (("login timed out in state=",), Sign.BACKEND_LOGIN_SILENT),
    (("proxy dest auth failed",), Sign.BACKEND_REJECTS_LOGIN),
    (("proxy_dest_auth_failed",), Sign.BACKEND_REJECTS_LOGIN),
    (("connection refused", "proxy_dest_connect_failed"), Sign.BACKEND_REFUSES),
    (("proxy_dest_connect_failed",), Sign.BACKEND_UNREACHABLE),
    (("process_limit", "reached"), Sign.PROCESS_LIMIT),
    (("client_limit", "reached"), Sign.PROCESS_LIMIT),
    (("allow_nets check failed",), Sign.ADDRESS_NOT_ALLOWED),
    (("passwd-file(", "failed:"), Sign.PASSWORDS_UNREADABLE),
    (("passwd-file", "permission denied"), Sign.PASSWORDS_UNREADABLE),
    (("passwd-file", "no such file"), Sign.PASSWORDS_UNREADABLE),
    (("no such table",), Sign.DIRECTORY_BROKEN),
    (("file is not a database",), Sign.DIRECTORY_BROKEN),
    (("database disk image is malformed",), Sign.DIRECTORY_BROKEN),
    (("unable to open database",), Sign.DIRECTORY_BROKEN),
    (("database is locked",), Sign.DIRECTORY_BROKEN),
    (("password query failed",), Sign.DIRECTORY_BROKEN),
    (("user query failed",), Sign.DIRECTORY_BROKEN),
    (("connect failed to database",), Sign.DIRECTORY_BROKEN),
    (("can't contact ldap server",), Sign.DIRECTORY_BROKEN),
    (("ldap", "connection timed out"), Sign.DIRECTORY_BROKEN),
    (("service(auth)", "killed with signal"), Sign.AUTH_BROKEN),
    (("service(auth)", "command startup failed"), Sign.AUTH_BROKEN),
    (("auth process broken",), Sign.AUTH_BROKEN),
    (("auth: fatal",), Sign.AUTH_BROKEN),
    (("waiting for handshake from auth server",), Sign.AUTH_BROKEN),
    (("login timed out, authentication process not responding",), Sign.AUTH_BROKEN),
    (("no space left on device",), Sign.STORE_FULL),
    (("disk quota exceeded",), Sign.STORE_FULL),
    (("read-only file system",), Sign.STORE_READ_ONLY),
    (("input/output error",), Sign.STORE_DAMAGED),
    (("stale file handle",), Sign.STORE_DAMAGED),
    (("transport endpoint is not connected",), Sign.STORE_DAMAGED),
    (("structure needs cleaning",), Sign.STORE_DAMAGED),
    (("failed: permission denied",), Sign.STORE_FORBIDDEN),
    (("failed to autocreate mailbox",), Sign.STORE_FORBIDDEN),
    (("failed: not a directory",), Sign.STORE_FORBIDDEN),
    (("auth failed,",), Sign.LOGIN_REJECTED),
    (("(auth_failed)",), Sign.LOGIN_REJECTED),
    (("login: user=<",), Sign.SERVED_SOMEBODY),
    (("logged in: user=<",), Sign.SERVED_SOMEBODY),
    (("started proxying to",), Sign.SERVED_SOMEBODY),
)


#: Words of which every telling line has at least one: enough to pick lines out of a busy log, regardless of case.
LOG_WORDS: tuple[str, ...] = tuple(dict.fromkeys(max(words, key=len) for words, _ in LOG_SIGNS))


def sign_of(text: str) -> Sign | None:
    """The sign a log line carries, or None."""
    lower = text.lower()
    return next((sign for words, sign in LOG_SIGNS if all(word in lower for word in words)), None)
