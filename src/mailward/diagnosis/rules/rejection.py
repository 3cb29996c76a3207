"""
A rejected user name or password: is it the account, or whoever checks it?

A right password that is rejected leads people astray for hours, so each answer here says what it rests on.
"""

from dataclasses import dataclass

from mailward.diagnosis.case import Case, Sighting, serving, was_let_in
from mailward.diagnosis.rules.account import account_of, monitoring_at_fault
from mailward.diagnosis.sentences import affected, listed, log_says, what_happened
from mailward.diagnosis.wording.logs import Sign
from mailward.model.items import CTP_PROBE
from mailward.model.probing import Cause, ProbeResult
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict


def was_rejected(result: ProbeResult) -> bool:
    """Whether user name or password were rejected."""
    return result.cause is Cause.AUTH_REJECTED


@dataclass(frozen=True, kw_only=True, slots=True)
class _Check:
    """Who said no to the password, and what it says to others meanwhile."""

    server: str | None
    name: str
    let_in: tuple[Sighting, ...]
    """Other accounts it lets in."""
    refused: tuple[str, ...]
    """Other accounts it rejects."""
    stuck: Sighting | None
    """Somebody it told that it cannot check anybody."""


def rejected(case: Case) -> Verdict | None:
    """
    User name or password were rejected. Others who get in with the same server leave the account itself; a server that
    rejects everybody, or cannot check some, leaves whoever it asks (field notes §A: a missing password file looks
    exactly like a wrong password). Certain only with others let in, or with a log or an answer that says why.
    """
    if case.cause is not Cause.AUTH_REJECTED:
        return None
    check = _who_checked(case)
    for answer in (_log_explains, _cannot_check_some, _users_get_in, _others_get_in, _nobody_gets_in):
        verdict = answer(case, check)
        if verdict is not None:
            return verdict
    return monitoring_at_fault(
        sure=False,
        because=f"{case.entrance.name} rejects the user name or password of {account_of(case)}; whether others get"
        " in is not known",
    )


def _who_checked(case: Case) -> _Check:
    """
    Through a proxy the mailbox server's own "no" comes back word for word (field notes §A). So it was the mailbox
    server, unless that lets the very same account in by another way.
    """
    server = case.mailbox_server
    about = [seen for seen in case.sightings if server and serving(seen.result, case.organization) == server]
    mine = case.result.account
    right = any(was_let_in(seen.result) and seen.result.account == mine for seen in about)
    if server is None or right:
        server, about = case.entrance.server, list(case.at(case.result.server))
    others = [seen for seen in about if seen.result.account not in (None, mine)]
    return _Check(
        server=server,
        name=server or case.entrance.name,
        let_in=tuple(seen for seen in others if was_let_in(seen.result)),
        refused=tuple(sorted({seen.result.account or "" for seen in others if was_rejected(seen.result)})),
        stuck=next((seen for seen in others if seen.result.cause is Cause.AUTH_UNAVAILABLE), None),
    )


def _log_explains(case: Case, check: _Check) -> Verdict | None:
    for server in dict.fromkeys([check.server, case.mailbox_server, *case.entrance.servers]):
        if line := case.sign(server, Sign.ADDRESS_NOT_ALLOWED):
            return monitoring_at_fault(
                sure=True,
                because=f"{account_of(case)} may not log in from the prober's address: {log_says(server, line)}",
            )
        if line := case.sign(server, Sign.PASSWORDS_UNREADABLE, Sign.DIRECTORY_BROKEN):
            because = f"{server} rejects {account_of(case)}, and {log_says(server, line)}"
            return _directory(case, server, sure=True, because=because)
    return None


def _cannot_check_some(case: Case, check: _Check) -> Verdict | None:
    """Some it rejects, others it tells that it cannot check them: it has lost a part of what it asks."""
    if check.stuck is None:
        return None
    return _directory(
        case,
        check.server,
        sure=True,
        because=f"{check.name} rejects {account_of(case)} and {what_happened(check.stuck.result)} for"
        f" {check.stuck.result.account}: it cannot ask its directory of users",
    )


def _users_get_in(case: Case, check: _Check) -> Verdict | None:
    line = case.served_somebody(check.server)
    if line is None:
        return None
    return monitoring_at_fault(
        sure=True,
        because=f"{check.name} rejects {_all(case, check)} while users get in: {log_says(check.server, line)};"
        " check the passwords of the health mailboxes (mailward accounts check)",
    )


def _others_get_in(case: Case, check: _Check) -> Verdict | None:
    if not check.let_in:
        return None
    proof = next((seen for seen in check.let_in if seen.during), check.let_in[0])
    return monitoring_at_fault(
        sure=proof.during and not check.refused,
        because=f"{check.name} rejects {_all(case, check)} while other accounts get in ({proof.result.account} at"
        f" {proof.result.server}); check its password (mailward accounts check)",
    )


def _nobody_gets_in(case: Case, check: _Check) -> Verdict | None:
    """
    It rejects every account we have. On one mailbox server alone these are more likely our passwords than its
    directory, which would take all users along and usually says that it is unavailable; a proxy or everybody doing so
    points at the directory. Probable at best: only users who get in or stay out would tell.
    """
    known = [seen for seen in case.sightings if seen.result.account is not None]
    elsewhere = [seen for seen in known if was_let_in(seen.result) and seen.result.server != case.result.server]
    rejecting = sorted({check.name, *(_checker(case, seen) for seen in known if was_rejected(seen.result))})
    if not check.refused and (elsewhere or len(rejecting) < 2):
        return None
    line = case.sign(check.server, Sign.LOGIN_REJECTED)
    if line is not None and rejecting == [case.mailbox_server]:
        return monitoring_at_fault(
            sure=False,
            because=f"{check.name} rejects {_all(case, check)} and its log shows no other trouble"
            f" ({log_says(check.server, line)}); check their passwords (mailward accounts check)",
        )
    alone = [seen for seen in elsewhere if serving(seen.result, case.organization) != check.server]
    if check.server is not None and check.server == case.mailbox_server and alone:
        return monitoring_at_fault(
            sure=False,
            because=f"{check.name} rejects every health mailbox ({_all(case, check)}), other servers do not; check"
            " their passwords (mailward accounts check), and if users stay out as well, its directory of users",
        )
    doors = [seen for seen in elsewhere if seen.result.probe == CTP_PROBE]
    where = check.name if doors else listed(rejecting)
    right = ", although they are right elsewhere" if elsewhere else ""
    return _directory(
        case,
        check.server if doors else None,
        sure=False,
        because=f"{where} reject{'' if where == listed(rejecting) and len(rejecting) > 1 else 's'} every account tried"
        f" ({_all(case, check)}){right}: the directory has lost its users, or all passwords have changed",
    )


def _checker(case: Case, seen: Sighting) -> str:
    return serving(seen.result, case.organization) or seen.result.server


def _all(case: Case, check: _Check) -> str:
    return listed(sorted({account_of(case), *check.refused}))


def _directory(case: Case, server: str | None, *, sure: bool, because: str) -> Verdict:
    return Verdict(
        tier=Tier.DIRECTORY,
        confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
        server=server,
        dependency=Dependency.DIRECTORY,
        because=f"{because}{affected(case, server)}",
    )
