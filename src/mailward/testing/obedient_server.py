"""
A small IMAP server that does as it is told: enough of RFC 3501 for every conversation a probe holds.

It is no mail server: one user's mailboxes live in memory, and what no probe asks for it answers with BAD. A test can
make any command fail (`refuses`) or hang (`hangs_on`), and can take capabilities away.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence

from mailward.testing.mailboxes import StoredMailbox, StoredMessage
from mailward.testing.script import CommandReader
from mailward.testing.steps import Close, Push, Say, Session, Stall, StartTls, Step

CAPABILITIES = ("IMAP4rev1", "SASL-IR", "ID", "IDLE", "LITERAL+", "UIDPLUS", "AUTH=PLAIN")
_ARGUMENT = re.compile(rb'"((?:[^"\\]|\\.)*)"|\{(\d+)\+?\}\r\n|\(((?:[^()]|\([^()]*\))*)\)|([^ \r\n]+)')


class ObedientServer:
    """
    Serves users and their mailboxes.

    Args:
        users: Passwords by user.
        identity: What ID tells, as Dovecot's imap_id_send.
        capabilities: What it offers; without "UIDPLUS" there is no UID EXPUNGE.
        tls: "implicit", "starttls" or "" for none.
        refuses: By command name, what to answer instead of doing it, such as {"LOGIN": "NO [UNAVAILABLE] Sorry."}; an
            answer that begins with "* " is untagged and ends the connection.
        hangs_on: Commands that are never answered.
        greeting: Its first line.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        identity: Mapping[str, str] | None = None,
        capabilities: Iterable[str] = CAPABILITIES,
        tls: str = "implicit",
        refuses: Mapping[str, str] | None = None,
        hangs_on: Iterable[str] = (),
        greeting: str = "* OK ready",
    ) -> None:
        self.users = dict(users)
        self.identity = dict(identity or {})
        self.capabilities = list(capabilities)
        self.tls = tls
        self.refuses = dict(refuses or {})
        self.hangs_on = set(hangs_on)
        self.greeting = greeting
        self.mailboxes: dict[tuple[str, str], StoredMailbox] = {}
        self.heard: list[str] = []
        """The names of the commands of all connections, in order."""
        self.sessions: list[_ObedientSession] = []

    def mailbox(self, user: str, name: str = "INBOX") -> StoredMailbox:
        """The mailbox *name* of *user*; there is always one."""
        return self.mailboxes.setdefault((user, name.upper()), StoredMailbox())

    def session(self) -> Session:
        """Serve one more connection."""
        new = _ObedientSession(self)
        self.sessions.append(new)
        return new


class _ObedientSession:
    def __init__(self, server: ObedientServer) -> None:
        self._server = server
        self._commands = CommandReader()
        self._push: Push = lambda _: None
        self._user = ""
        self._secure = server.tls == "implicit"
        self._mailbox: StoredMailbox | None = None
        self._read_only = False
        self._idle_tag = ""
        self._sasl_tag = ""

    @property
    def may_push(self) -> bool:
        return bool(self._idle_tag)

    def opening(self, push: Push) -> Sequence[Step]:
        self._push = push
        hello = Say(f"{self._server.greeting}\r\n".encode())
        return (StartTls(), hello) if self._server.tls == "implicit" else (hello,)

    def gone(self) -> None:
        self._server.sessions.remove(self)

    def hear(self, data: bytes) -> Sequence[Step]:
        steps: list[Step] = []
        for command in self._commands.feed(data):
            steps += (Say(b"+ go on\r\n"),) if command is None else self._obey(command)
        return steps

    def tell(self, mailbox: StoredMailbox) -> None:
        """Tell an idling client that its mailbox has grown."""
        if self._idle_tag and self._mailbox is mailbox:
            self._push((Say(b"* %d EXISTS\r\n" % len(mailbox.messages)),))

    def _obey(self, command: bytes) -> list[Step]:
        if self._idle_tag:
            tag, self._idle_tag = self._idle_tag, ""
            return _lines(f"{tag} OK idled")
        if self._sasl_tag:
            tag, self._sasl_tag = self._sasl_tag, ""
            return self._authenticated(tag, command.strip())
        tag, _, rest = command.decode("latin-1").partition(" ")
        words = rest.split(None, 2)
        name = " ".join(words[:2] if words and words[0].upper() == "UID" else words[:1]).strip().upper()
        arguments = _arguments(rest[len(name) :].encode("latin-1"))
        self._server.heard.append(name)
        if name in self._server.hangs_on:
            return [Stall()]
        if refusal := self._server.refuses.get(name):
            return [*_lines(refusal), Close()] if refusal.startswith("* ") else _lines(f"{tag} {refusal}")
        if (handler := _HANDLERS.get(name)) is None:
            return _lines(f"{tag} BAD unknown command {name}")
        return handler(self, tag, arguments)

    def _offered(self) -> str:
        offers = [*self._server.capabilities]
        if self._server.tls == "starttls" and not self._secure:
            offers += ("STARTTLS", "LOGINDISABLED")
        return " ".join(offers)

    def _capability(self, tag: str, _: list[bytes]) -> list[Step]:
        return _lines(f"* CAPABILITY {self._offered()}", f"{tag} OK done")

    def _id(self, tag: str, _: list[bytes]) -> list[Step]:
        fields = " ".join(f'"{key}" "{value}"' for key, value in self._server.identity.items())
        return _lines(f"* ID ({fields})" if fields else "* ID NIL", f"{tag} OK done")

    def _noop(self, tag: str, _: list[bytes]) -> list[Step]:
        return _lines(f"{tag} OK done")

    def _start_tls(self, tag: str, _: list[bytes]) -> list[Step]:
        self._secure = True
        return [*_lines(f"{tag} OK begin"), StartTls()]

    def _logout(self, tag: str, _: list[bytes]) -> list[Step]:
        return [*_lines("* BYE good-bye", f"{tag} OK done"), Close()]

    def _login(self, tag: str, arguments: list[bytes]) -> list[Step]:
        user, password = (argument.decode() for argument in arguments[:2])
        return self._logged_in(tag, user, user, password)

    def _authenticate(self, tag: str, arguments: list[bytes]) -> list[Step]:
        if len(arguments) > 1:
            return self._authenticated(tag, arguments[1])
        self._sasl_tag = tag
        return _lines("+ ")

    def _authenticated(self, tag: str, response: bytes) -> list[Step]:
        opened, authenticated, password = b64decode(response).decode().split("\0")
        return self._logged_in(tag, opened or authenticated, authenticated, password)

    def _logged_in(self, tag: str, opened: str, authenticated: str, password: str) -> list[Step]:
        if self._server.users.get(authenticated) != password:
            return _lines(f"{tag} NO [AUTHENTICATIONFAILED] Authentication failed.")
        self._user = opened
        return _lines(f"{tag} OK [CAPABILITY {self._offered()}] Logged in")

    def _select(self, tag: str, arguments: list[bytes]) -> list[Step]:
        return self._open(tag, arguments, read_only=False)

    def _examine(self, tag: str, arguments: list[bytes]) -> list[Step]:
        return self._open(tag, arguments, read_only=True)

    def _open(self, tag: str, arguments: list[bytes], *, read_only: bool) -> list[Step]:
        self._mailbox = opened = self._server.mailbox(self._user, arguments[0].decode())
        self._read_only = read_only
        return _lines(
            r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)",
            f"* {len(opened.messages)} EXISTS",
            f"* OK [UIDVALIDITY {opened.uid_validity}] UIDs valid",
            f"* OK [UIDNEXT {opened.uid_next}] next",
            f"{tag} OK [{'READ-ONLY' if read_only else 'READ-WRITE'}] opened",
        )

    def _append(self, tag: str, arguments: list[bytes]) -> list[Step]:
        mailbox = self._server.mailbox(self._user, arguments[0].decode())
        message = mailbox.add(arguments[-1], set(arguments[1].decode().split()) if len(arguments) > 2 else set())
        for session in self._server.sessions:
            if session is not self:
                session.tell(mailbox)
        code = f"[APPENDUID {mailbox.uid_validity} {message.uid}] " if "UIDPLUS" in self._server.capabilities else ""
        mine = [f"* {len(mailbox.messages)} EXISTS"] if self._mailbox is mailbox else []
        return _lines(*mine, f"{tag} OK {code}stored")

    def _uid_search(self, tag: str, arguments: list[bytes]) -> list[Step]:
        if self._mailbox is None:
            return _lines(f"{tag} BAD no mailbox is open")
        words = [argument.decode() for argument in arguments]
        if words[0].upper() == "HEADER":
            found = [m for m in self._mailbox.messages if words[2].lower() in m.header(words[1]).lower()]
        elif words[0].upper() == "DELETED":
            found = [m for m in self._mailbox.messages if "\\Deleted" in m.flags]
        else:
            found = list(self._mailbox.messages)
        return _lines(" ".join(("* SEARCH", *(str(m.uid) for m in found))), f"{tag} OK done")

    def _uid_fetch(self, tag: str, arguments: list[bytes]) -> list[Step]:
        if self._mailbox is None:
            return _lines(f"{tag} BAD no mailbox is open")
        items = arguments[1].decode()
        found = b"".join(
            b"* %d FETCH (%s)\r\n" % (self._mailbox.messages.index(message) + 1, _fetched(message, items))
            for message in self._mailbox.selected_by(arguments[0].decode())
        )
        return [Say(found), *_lines(f"{tag} OK done")]

    def _uid_store(self, tag: str, arguments: list[bytes]) -> list[Step]:
        if self._mailbox is None or self._read_only:
            return _lines(f"{tag} NO the mailbox is not open for writing")
        for message in self._mailbox.selected_by(arguments[0].decode()):
            message.flags |= set(arguments[2].decode().split())
        return _lines(f"{tag} OK done")

    def _uid_expunge(self, tag: str, arguments: list[bytes]) -> list[Step]:
        if "UIDPLUS" not in self._server.capabilities:
            return _lines(f"{tag} BAD UID EXPUNGE needs UIDPLUS")
        if self._mailbox is None or self._read_only:
            return _lines(f"{tag} NO the mailbox is not open for writing")
        among = {message.uid for message in self._mailbox.selected_by(arguments[0].decode())}
        return _lines(*(f"* {number} EXPUNGE" for number in self._mailbox.expunge(among)), f"{tag} OK done")

    def _expunge(self, tag: str, _: list[bytes]) -> list[Step]:
        if self._mailbox is None or self._read_only:
            return _lines(f"{tag} NO the mailbox is not open for writing")
        return _lines(*(f"* {number} EXPUNGE" for number in self._mailbox.expunge()), f"{tag} OK done")

    def _close(self, tag: str, _: list[bytes]) -> list[Step]:
        if self._mailbox is not None and not self._read_only:
            self._mailbox.expunge()
        self._mailbox = None
        return _lines(f"{tag} OK done")

    def _idle(self, tag: str, _: list[bytes]) -> list[Step]:
        self._idle_tag = tag
        return _lines("+ idling")


_HANDLERS: Mapping[str, Callable[[_ObedientSession, str, list[bytes]], list[Step]]] = {
    "CAPABILITY": _ObedientSession._capability,
    "ID": _ObedientSession._id,
    "NOOP": _ObedientSession._noop,
    "STARTTLS": _ObedientSession._start_tls,
    "LOGOUT": _ObedientSession._logout,
    "LOGIN": _ObedientSession._login,
    "AUTHENTICATE": _ObedientSession._authenticate,
    "SELECT": _ObedientSession._select,
    "EXAMINE": _ObedientSession._examine,
    "APPEND": _ObedientSession._append,
    "UID SEARCH": _ObedientSession._uid_search,
    "UID FETCH": _ObedientSession._uid_fetch,
    "UID STORE": _ObedientSession._uid_store,
    "UID EXPUNGE": _ObedientSession._uid_expunge,
    "EXPUNGE": _ObedientSession._expunge,
    "CLOSE": _ObedientSession._close,
    "IDLE": _ObedientSession._idle,
}


def _lines(*lines: str) -> list[Step]:
    return [Say("".join(f"{line}\r\n" for line in lines).encode())]


def _arguments(text: bytes) -> list[bytes]:
    """Cut a command's arguments; a list counts as one, without its parentheses."""
    found: list[bytes] = []
    at = 0
    while match := _ARGUMENT.search(text, at):
        at = match.end()
        if match[2] is not None:
            at += int(match[2])
            found.append(text[match.end() : at])
        elif match[1] is not None:
            found.append(re.sub(rb"\\(.)", rb"\1", match[1]))
        else:
            found.append(match[3] if match[3] is not None else match[4])
    return found


def _fetched(message: StoredMessage, items: str) -> bytes:
    parts = [b"UID %d" % message.uid]
    if "FLAGS" in items:
        parts.append(b"FLAGS (%s)" % " ".join(sorted(message.flags)).encode())
    if "RFC822.SIZE" in items:
        parts.append(b"RFC822.SIZE %d" % len(message.data))
    if "INTERNALDATE" in items:
        parts.append(b'INTERNALDATE "%s"' % message.internal_date.encode())
    for section in re.findall(r"BODY(?:\.PEEK)?(\[[^\]]*\])", items):
        data = message.data if section == "[]" else _section(message, section)
        parts.append(b"BODY%s {%d}\r\n%s" % (section.encode(), len(data), data))
    return b" ".join(parts)


def _section(message: StoredMessage, section: str) -> bytes:
    """The header, or of the header those lines that HEADER.FIELDS (…) names."""
    lines = [line for line in message.data.partition(b"\r\n\r\n")[0].split(b"\r\n") if line]
    if "(" in section:
        wanted = section[section.index("(") + 1 : section.index(")")].upper().split()
        lines = [line for line in lines if line.split(b":")[0].decode().upper() in wanted]
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"
