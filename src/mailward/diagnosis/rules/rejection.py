"""
A rejected user name or password: is it the account, or whoever checks it?

A right password that is rejected leads people astray for hours, so each answer here says what it rests on.
"""

from mailward.diagnosis.case import Case, Sighting, was_let_in
from mailward.diagnosis.rules.account import account_of, monitoring_at_fault
from mailward.diagnosis.sentences import affected, listed, log_says
from mailward.diagnosis.wording.logs import Sign
from mailward.model.items import CTP_PROBE
from mailward.model.probing import Cause, ProbeResult
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict


def was_rejected(result: ProbeResult) -> bool:
    """Whether user name or password were rejected."""
    return result.cause is Cause.AUTH_REJECTED


def rejected(case: Case) -> Verdict | None:
    """
    User name or password were rejected. Others who still get in on the same server leave the account itself; a right
    password that is rejected for several accounts leaves whoever checks them (field notes §A: a missing password file
    looks exactly like a wrong password). Certain only with others let in, or with a log that says why.
    """
    if case.cause is not Cause.AUTH_REJECTED:
        return None
    for answer in (_log_explains, _checked_by_mailbox_server, _others_get_in, _nobody_gets_in):
        verdict = answer(case)
        if verdict is not None:
            return verdict
    return monitoring_at_fault(
        sure=False,
        because=f"{case.entrance.name} rejects the user name or password of {account_of(case)}; whether others get"
        " in is not known",
    )


def _log_explains(case: Case) -> Verdict | None:
    for server in dict.fromkeys([case.mailbox_server, *case.entrance.servers]):
        if line := case.sign(server, Sign.ADDRESS_NOT_ALLOWED):
            return monitoring_at_fault(
                sure=True,
                because=f"{account_of(case)} may not log in from the prober's address: {log_says(server, line)}",
            )
        if line := case.sign(server, Sign.PASSWORDS_UNREADABLE, Sign.DIRECTORY_BROKEN):
            return _directory(
                case, server, sure=True, because=f"{server} rejects {account_of(case)}, and {log_says(server, line)}"
            )
    return None


def _checked_by_mailbox_server(case: Case) -> Verdict | None:
    """
    Through a proxy the mailbox server's own "no" comes back word for word (field notes §A), so what it says to direct
    probes decides; a user seen to log in there proves the account wrong.
    """
    server = case.mailbox_server
    if server is None:
        return None
    here = [seen for seen in case.direct(server) if seen.result.account is not None]
    refused = {seen.result.account for seen in here if was_rejected(seen.result)}
    if not refused or any(was_let_in(seen.result) for seen in here):
        return None
    refused.add(case.result.account)
    user = case.served_somebody(server)
    rejections = case.sign(server, Sign.LOGIN_REJECTED)
    if user is not None or rejections is not None:
        line = user or rejections
        return monitoring_at_fault(
            sure=user is not None,
            because=f"{server} rejects {listed(_names(refused))}, but its log shows no trouble"
            f"{f' and lets users in: {log_says(server, line)}' if user and line else ''}; check the passwords of the"
            " health mailboxes (mailward accounts check)",
        )
    if len(refused) < 2 or not _let_in(case, not_at=server):
        return None
    return _directory(
        case,
        server,
        sure=False,
        because=f"{server} rejects {listed(_names(refused))}, every account tried, while other servers let theirs in",
    )


def _others_get_in(case: Case) -> Verdict | None:
    """Another account is let in on the same server, or the same one is rejected at a second place while others pass."""
    same_door = [seen for seen in case.at(case.result.server) if seen.result.account not in (None, case.result.account)]
    let_in = [seen for seen in same_door if was_let_in(seen.result)]
    twice = [
        seen
        for seen in case.sightings
        if seen.result.account == case.result.account
        and was_rejected(seen.result)
        and seen.result.server != case.result.server
    ]
    anywhere = _let_in(case) if twice else []
    proof = next(iter([*let_in, *anywhere]), None)
    if proof is None:
        return None
    refused_too = [seen for seen in same_door if was_rejected(seen.result)]
    where = f"{case.entrance.name} and {twice[0].result.server}" if twice else case.entrance.name
    return monitoring_at_fault(
        sure=proof.during and not refused_too,
        because=f"{where} reject{'' if twice else 's'} {account_of(case)} while other accounts get in"
        f" ({_as(proof)}); check its password (mailward accounts check)",
    )


def _nobody_gets_in(case: Case) -> Verdict | None:
    """Several accounts are rejected here and none is let in."""
    refused = {seen.result.account for seen in case.at(case.result.server) if was_rejected(seen.result)} | {
        case.result.account
    }
    elsewhere = _let_in(case, not_at=case.result.server)
    doors = [seen for seen in elsewhere if seen.result.probe == CTP_PROBE]
    rejecting = {seen.result.server for seen in case.sightings if was_rejected(seen.result)} | {case.result.server}
    if len(refused) < 2 and len(rejecting) < 2:
        return None
    if len(refused) >= 2 and (doors or (elsewhere and not case.entrance.passes_on)):
        return _directory(
            case,
            case.entrance.server,
            sure=False,
            because=f"{case.entrance.name} rejects every account tried ({listed(_names(refused))}), while others are"
            f" let in elsewhere ({_as((doors or elsewhere)[0])})",
        )
    right = " although the mailbox servers accept the same accounts directly" if elsewhere else ""
    return Verdict(
        tier=Tier.DIRECTORY,
        confidence=Confidence.PROBABLE,
        dependency=Dependency.DIRECTORY,
        because=f"{listed(sorted(rejecting))} reject every account tried ({listed(_names(refused))}){right}: the"
        " directory they ask has lost its users, or the passwords of all health mailboxes are wrong",
    )


def _let_in(case: Case, *, not_at: str | None = None) -> list[Sighting]:
    return [seen for seen in case.sightings if was_let_in(seen.result) and seen.result.server != not_at]


def _as(seen: Sighting) -> str:
    if seen.healthy:
        return f"{seen.result.account} on {seen.result.server}"
    return f"{seen.result.account} logged in on {seen.result.server}"


def _names(accounts: set[str | None]) -> list[str]:
    return sorted(account for account in accounts if account)


def _directory(case: Case, server: str | None, *, sure: bool, because: str) -> Verdict:
    return Verdict(
        tier=Tier.DIRECTORY,
        confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
        server=server,
        dependency=Dependency.DIRECTORY,
        because=f"{because}{affected(case, server)}",
    )
