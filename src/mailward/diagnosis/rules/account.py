"""Faults of the health mailbox: the service is well, and still this account cannot use it."""

from mailward.diagnosis.case import Case
from mailward.diagnosis.sentences import shorten
from mailward.diagnosis.wording.logs import Sign
from mailward.model.probing import Cause
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict


def account_is_limited(case: Case) -> Verdict | None:
    """
    The account has used up what one account may: connections, bandwidth, rate (RFC 5530 LIMIT; field notes §A,
    mail_max_userip_connections). Other users are not concerned.
    """
    if case.cause is not Cause.LIMIT:
        return None
    said_so = case.result.response_code == "LIMIT" or "user" in case.result.detail.lower()
    return monitoring_at_fault(
        sure=said_so,
        because=f"the health mailbox {account_of(case)} is at a limit of {case.entrance.name}:"
        f" “{shorten(case.result.detail)}”; users are not concerned",
    )


def account_is_full(case: Case) -> Verdict | None:
    """
    The health mailbox is over its own quota (RFC 5530 OVERQUOTA). A full disk told as quota has been told apart already
    by its words; a disk known to be full is left to the rules about the store.
    """
    if case.cause is not Cause.OVER_QUOTA or case.sign(case.mailbox_server, Sign.STORE_FULL):
        return None
    return monitoring_at_fault(
        sure=True,
        because=f"the health mailbox {account_of(case)} is over its quota: “{shorten(case.result.detail)}”; make room"
        " in it or raise its quota",
    )


def account_has_expired(case: Case) -> Verdict | None:
    """The password or the account itself has expired (RFC 5530 EXPIRED): the server says so in as many words."""
    if case.cause is not Cause.AUTH_EXPIRED:
        return None
    return monitoring_at_fault(
        sure=True,
        because=f"{case.entrance.name} says that the health mailbox {account_of(case)} or its password has expired:"
        f" “{shorten(case.result.detail)}”",
    )


def login_not_offered(case: Case) -> Verdict | None:
    """
    The server does not let this client log in this way: LOGINDISABLED or PRIVACYREQUIRED without encryption, or no
    mechanism both sides know. On an encrypted connection it is the server's configuration, else ours.
    """
    if case.cause not in (Cause.LOGIN_DISABLED, Cause.NO_MECHANISM):
        return None
    said = shorten(case.result.detail)
    if case.result.tls is not None:
        return Verdict(
            tier=case.entrance.tier,
            confidence=Confidence.PROBABLE,
            server=case.entrance.server,
            dependency=Dependency.AUTHENTICATION,
            because=f"{case.entrance.name} offers no way to log in, although the connection is encrypted: “{said}”",
        )
    return monitoring_at_fault(
        sure=False,
        because=f"{case.entrance.name} wants no password on an unencrypted connection: “{said}”; probe it with TLS",
    )


def account_of(case: Case) -> str:
    """The health mailbox by name."""
    return case.result.account or "the account"


def monitoring_at_fault(*, sure: bool, because: str) -> Verdict:
    """A verdict that no server is at fault, only what mailward was given to probe with."""
    return Verdict(
        tier=Tier.MONITORING,
        confidence=Confidence.CERTAIN if sure else Confidence.PROBABLE,
        dependency=Dependency.MONITORING,
        because=because,
    )
