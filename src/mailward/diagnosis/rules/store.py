"""What fails once the user is in: the mail store, the copy it should be, or what stands in between."""

from mailward.diagnosis.case import IN_MAILBOX, Case, Sighting
from mailward.diagnosis.rules.account import account_of, monitoring_at_fault
from mailward.diagnosis.sentences import listed, log_says, passed, shorten, what_happened
from mailward.diagnosis.wording.logs import Sign
from mailward.model.evidence import DiskUsage
from mailward.model.items import DEEP_TEST_PROBE
from mailward.model.probing import Cause, Phase
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict

_OF_THE_STORE = (Sign.STORE_FULL, Sign.STORE_READ_ONLY, Sign.STORE_DAMAGED, Sign.STORE_FORBIDDEN)
_BROKEN = frozenset({Cause.STORE_ERROR, Cause.STORE_READ_ONLY, Cause.OVER_QUOTA})
_WRITING = frozenset({Phase.APPEND, Phase.EXPUNGE})
_FULL_BELOW_BYTES = 1024 * 1024


def store_changed(case: Case) -> Verdict | None:
    """
    The canary is gone or UIDVALIDITY is new: another store stands in place of the right one, and everything else about
    it looks healthy (field notes, "Later measurements"). What was recorded before and what was read now are two
    sources. Only a proxy that leads elsewhere than to the active copy makes it the map instead of the store.
    """
    if case.cause is not Cause.STORE_CHANGED:
        return None
    right = _deep_of_same(case)
    database = case.organization.databases.get(case.result.target)
    if case.entrance.passes_on and right is not None and right.healthy:
        return Verdict(
            tier=Tier.DIRECTORY,
            confidence=Confidence.PROBABLE,
            server=case.entrance.server,
            dependency=Dependency.DIRECTORY,
            because=f"{case.entrance.name} leads {case.result.target} to another mailbox than the right one, which is"
            f" where it should be ({passed(right, case.now)}): look at the map of users to servers",
        )
    elsewhere = (
        f"; it was served by {case.mailbox_server}, but the active copy is on {database.active}"
        if database and case.mailbox_server not in (None, database.active)
        else ""
    )
    return _store(
        case,
        sure=True,
        why=f"{_whose(case)} is another one than before (do not synchronise from it):"
        f" {shorten(case.result.detail) or 'its canary is gone'}{elsewhere}",
    )


def content_differs(case: Case) -> Verdict | None:
    """The canary is there and its bytes differ: the store, unless it reads right without the proxy in between."""
    if case.cause is not Cause.CONTENT_MISMATCH:
        return None
    right = _deep_of_same(case)
    if case.entrance.passes_on and right is not None and right.healthy:
        return _between(case, right, "changes what the mailbox server sends")
    return _store(
        case,
        sure=not case.entrance.passes_on or _same_elsewhere(case) is not None,
        why=f"{_whose(case)} returns a message that differs from what was stored: {shorten(case.result.detail)}",
    )


def store_broken(case: Case) -> Verdict | None:
    """
    After a good login the mailbox cannot be opened, read or written: the store, by RFC 5530 (SERVERBUG, CORRUPTION) and
    field notes §A. Certain when the log or the disk says the same, or another conversation meets it too.
    """
    if case.cause not in _BROKEN:
        return None
    server = case.mailbox_server
    line, disk, again = case.sign(server, *_OF_THE_STORE), _exhausted(case), _same_elsewhere(case)
    reason = next(
        filter(
            None,
            (
                f": {log_says(server, line)}" if line else "",
                f": {_of(disk)}" if disk else "",
                f"; so does {again.result.probe} of {again.result.server} for {again.result.target}" if again else "",
            ),
        ),
        "",
    )
    return _store(
        case, sure=bool(line or disk or again), why=f"{_whose(case)} fails: it {what_happened(case.result)}{reason}"
    )


def mailbox_unanswered(case: Case) -> Verdict | None:
    """
    The login succeeds and the mailbox then stays silent: a store that hangs, unless the same mailbox answers without
    the proxy in between (rootless notes §B: Dovecot 2.4.1 now and then holds back a reply to a proxy).
    """
    if case.cause is not Cause.TIMEOUT or case.phase not in IN_MAILBOX:
        return None
    right, again = _deep_of_same(case), _same_elsewhere(case)
    if case.entrance.passes_on and right is not None and right.healthy:
        return _between(case, right, "holds back replies of the mailbox server")
    line = case.sign(case.mailbox_server, *_OF_THE_STORE)
    also = f"; so does {again.result.probe} of {again.result.server} for {again.result.target}" if again else ""
    return _store(
        case,
        sure=bool(line or again),
        why=f"{_whose(case)} hangs: it {what_happened(case.result)}"
        f"{f', and {log_says(case.mailbox_server, line)}' if line else also}",
    )


def session_ended(case: Case) -> Verdict | None:
    """The connection ends in the middle of a session: the process that served it, here or behind the proxy."""
    if case.cause not in (Cause.CLOSED, Cause.BYE) or case.phase not in IN_MAILBOX:
        return None
    right = _deep_of_same(case)
    if case.entrance.passes_on and right is not None and right.healthy:
        return _between(case, right, "cuts sessions")
    line = case.sign(case.mailbox_server, *_OF_THE_STORE)
    if line:
        return _store(
            case,
            sure=True,
            why=f"{_whose(case)} ends sessions, and {log_says(case.mailbox_server, line)}",
        )
    return Verdict(
        tier=Tier.MAILBOX_SERVER,
        confidence=Confidence.PROBABLE,
        server=case.mailbox_server,
        because=f"{case.result.server} {what_happened(case.result)}: the process that served the session ended; look"
        " for a crash or a restart",
    )


def mailbox_missing(case: Case) -> Verdict | None:
    """There is no such mailbox: a health mailbox that was never created there, or one that is served elsewhere."""
    if case.cause is not Cause.MAILBOX_MISSING:
        return None
    return monitoring_at_fault(
        sure=False,
        because=f"the health mailbox {account_of(case)} does not exist on {case.mailbox_server or case.result.server}:"
        f" “{shorten(case.result.detail)}”; create it (mailward accounts create), or look where its database went",
    )


def mailbox_in_use(case: Case) -> Verdict | None:
    """A lock on the health mailbox is held for longer than the server waits (RFC 5530 INUSE); only probes use it."""
    if case.cause is not Cause.IN_USE:
        return None
    return _store(
        case,
        sure=False,
        why=f"a lock on {_whose(case)} is not let go: “{shorten(case.result.detail)}”; look for a session that hangs",
    )


def push_missed(case: Case) -> Verdict | None:
    """A client in IDLE was not told of a new message (RFC 2177): inotify limits or the notify plug-in."""
    if case.cause is not Cause.PUSH_MISSED:
        return None
    return Verdict(
        tier=Tier.MAILBOX_SERVER,
        confidence=Confidence.PROBABLE,
        server=case.mailbox_server,
        dependency=Dependency.INFORMATION_STORE,
        because=f"{case.mailbox_server or case.result.server} {what_happened(case.result)}; look at its inotify limits",
    )


def _deep_of_same(case: Case) -> Sighting | None:
    """The deep test of the same database on the server that should serve it."""
    looks = case.at(case.mailbox_server, DEEP_TEST_PROBE)
    return next((seen for seen in looks if seen.result.target == case.result.target), None)


def _same_elsewhere(case: Case) -> Sighting | None:
    """Another conversation with the same store or server that meets the same fault."""
    looks = (*case.at(case.mailbox_server, DEEP_TEST_PROBE), *case.through(case.mailbox_server))
    alike = _BROKEN if case.cause in _BROKEN else {case.cause}
    return next((seen for seen in looks if seen.failed and seen.result.cause in alike), None)


def _exhausted(case: Case) -> DiskUsage | None:
    """A file system under the store that explains the failure: read-only, or full when something was to be written."""
    host = case.host(case.mailbox_server)
    for disk in host.disks if host else ():
        full = disk.free_bytes < _FULL_BELOW_BYTES or (disk.free_inodes == 0 and bool(disk.total_inodes))
        if disk.read_only or (full and case.phase in _WRITING):
            return disk
    return None


def _of(disk: DiskUsage) -> str:
    return f"{disk.path} on {disk.server} is {'mounted read-only' if disk.read_only else 'full'}"


def _whose(case: Case) -> str:
    where = f" on {case.mailbox_server or case.result.server}"
    what = f"the store of {case.database}" if case.database else "the mail store"
    if case.database and case.mailbox_server in case.organization.databases[case.database].passive:
        what = f"the passive copy of {case.database}"
    return f"{what}{where}"


def _between(case: Case, right: Sighting, does: str) -> Verdict:
    return Verdict(
        tier=Tier.PROXY,
        confidence=Confidence.PROBABLE,
        server=case.entrance.server,
        because=f"{case.entrance.name} {what_happened(case.result)}, while the same mailbox answers directly"
        f" ({passed(right, case.now)}): the proxy {does}",
    )


def _store(case: Case, *, sure: bool, why: str) -> Verdict:
    server = case.mailbox_server
    hurt = [
        seen.result.target
        for seen in case.at(server, DEEP_TEST_PROBE)
        if seen.failed and seen.result.failed_phase in IN_MAILBOX
    ]
    active = {database.name for database in case.organization.active_on(server)} if server else set()
    names = sorted(active & {*hurt, case.result.target})
    affects = f"; {listed(names)} {'is' if len(names) == 1 else 'are'} affected" if names else ""
    return Verdict(
        tier=Tier.STORE,
        confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
        server=server,
        dependency=Dependency.INFORMATION_STORE,
        because=f"{why}{affects}",
    )
