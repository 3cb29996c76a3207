"""
Which mailbox server served a session: what the logs of both tiers say, put together.

What belongs to one session is known by its id, which both tiers log where the mailbox server trusts its proxies. Where
it does not, a proxy's session and a mailbox server's are one if there is no other way to pair them: the same user, the
server the proxy names, the address it connects from, at most two seconds apart (`wording/logins.py`). A conversation of
a protocol log belongs to the session whose login names its process.

A mailbox server's own log is the best witness; without one the proxy is believed. Who was meant to serve a session and
refused it is named too: the lines say what came of it. What no log says is said to be unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mailward.diagnosis.wording.logins import SessionLine, session_line
from mailward.model.evidence import LogLine
from mailward.model.protocol_log import LoggedLine, LoggedSession, Speaker

#: Logs count whole seconds, and a login takes its time.
_APART = timedelta(seconds=2)
_LONGEST = 500
_LAST = timedelta(microseconds=999_999)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(kw_only=True)
class _Session:
    session: str
    user: str
    on_proxy: list[SessionLine] = field(default_factory=list)
    on_mailbox: list[SessionLine] = field(default_factory=list)
    conversation: LoggedSession | None = None

    @property
    def at(self) -> datetime:
        return min((one.line.at for one in (*self.on_proxy, *self.on_mailbox) if one.line.at), default=_NEVER)

    @property
    def opened(self) -> datetime | None:
        return None if self.at is _NEVER else self.at

    @property
    def sent_to(self) -> str | None:
        return next((one.sent_to for one in self.on_proxy if one.sent_to), None)

    @property
    def mailbox_server(self) -> str | None:
        return self.on_mailbox[0].line.server if self.on_mailbox else None


def served_sessions(
    user: str,
    lines: Sequence[LogLine],
    conversations: Sequence[LoggedSession],
    *,
    names: Mapping[str, str],
    limit: int,
) -> tuple[LoggedSession, ...]:
    """
    Return a user's sessions, the oldest first; the newest *limit*.

    Args:
        user: Whose; by the name he logs in with, or that with his domain.
        lines: Of every server's log.
        conversations: Of the protocol logs of mailbox servers.
        names: Address or name a server is known by, in lower case -> our name of it.
        limit: How many.
    """
    sessions = _by_session(user, lines)
    _pair(sessions, names)
    for conversation in conversations:
        _give(sessions, conversation)
    made = [_made(one, user, names) for one in sessions]
    return tuple(sorted(made, key=lambda one: one.opened or _NEVER))[-limit:]


def _by_session(user: str, lines: Sequence[LogLine]) -> list[_Session]:
    found: dict[str, _Session] = {}
    for line in lines:
        seen = session_line(line)
        if seen is None or not _is(user, seen.user):
            continue
        one = found.setdefault(seen.session, _Session(session=seen.session, user=seen.user))
        (one.on_mailbox if seen.process is not None else one.on_proxy).append(seen)
    # a failed login is in one log only, and on a mailbox server it has neither process nor proxy
    return list(found.values())


def _is(user: str, logged: str) -> bool:
    return logged.lower() == user.lower() or logged.lower().startswith(f"{user.lower()}@")


def _pair(sessions: list[_Session], names: Mapping[str, str]) -> None:
    """Put sessions together that have an id on each tier, where there is one way to do it."""
    passed_on = [one for one in sessions if one.on_proxy and not one.on_mailbox]
    served = [one for one in sessions if one.on_mailbox and not one.on_proxy]
    fits = [(proxied, one) for proxied in passed_on for one in served if _fit(proxied, one, names)]
    for proxied, one in fits:
        if sum(proxied is other for other, _ in fits) == 1 == sum(one is other for _, other in fits):
            proxied.on_mailbox = one.on_mailbox
            sessions.remove(one)


def _fit(proxied: _Session, served: _Session, names: Mapping[str, str]) -> bool:
    origins = {one.sent_from for one in proxied.on_proxy if one.sent_from}
    clients = {one.client for one in served.on_mailbox if one.client}
    return (
        proxied.user.lower() == served.user.lower()
        and names.get(proxied.sent_to or "") == served.mailbox_server
        and bool(origins & clients)
        and abs(proxied.at - served.at) <= _APART
    )


def _give(sessions: list[_Session], conversation: LoggedSession) -> None:
    for one in sessions:
        same = one.mailbox_server == conversation.mailbox_server and one.conversation is None
        # processes' numbers come again, after a while
        near = conversation.opened is not None and abs(conversation.opened - one.at) <= _APART
        if same and near and any(seen.process == conversation.process for seen in one.on_mailbox):
            one.conversation = conversation
            return
    sessions.append(_Session(session="", user=conversation.user, conversation=conversation))


def _made(one: _Session, user: str, names: Mapping[str, str]) -> LoggedSession:
    said = one.conversation
    conversation = ((line.at or _NEVER, line) for line in (said.lines if said else ()))
    placed = sorted((*_placed(one), *conversation), key=lambda pair: pair[0])
    proxy = next((seen.line.server for seen in one.on_proxy if seen.sent_to), None)
    server, because = one.mailbox_server, f"the log of {one.mailbox_server} has its login"
    if server is None and said is not None:
        server, because = said.mailbox_server, said.because
    elif server is None and one.sent_to is not None:
        server = names.get(one.sent_to)
        known = f", which is {server}" if server and server != one.sent_to else ""
        because = f"{proxy} sent it to {one.sent_to}{known}" if server else f"{one.sent_to} is no server known here"
    elif server is None:
        because = f"the log of {one.on_proxy[0].line.server} has a login that no mailbox server has taken"
    return replace(
        said or LoggedSession(user=user, because=because),
        user=user,
        because=because,
        mailbox_server=server,
        proxy=proxy,
        session=one.session,
        process=next((seen.process for seen in one.on_mailbox), said.process if said else None),
        opened=said.opened if said else one.opened,
        lines=tuple(line for _, line in placed),
    )


def _placed(one: _Session) -> Iterator[tuple[datetime, LoggedLine]]:
    """The lines of the servers' logs, each with its place: logs count whole seconds, so an end is the last of its."""
    for seen in (*one.on_proxy, *one.on_mailbox):
        text = "".join(letter if letter.isprintable() else "�" for letter in seen.line.text[:_LONGEST])
        at = seen.line.at or _NEVER
        place = at if seen.opens or at is _NEVER or at.microsecond else at + _LAST
        yield place, LoggedLine(server=seen.line.server, speaker=Speaker.LOG, text=text, at=seen.line.at)
