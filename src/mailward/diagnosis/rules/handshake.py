"""Certificates, TLS and garbage: what the server at the door showed of itself, which is proof against it."""

from mailward.diagnosis.case import BEFORE_LOGIN, Case
from mailward.diagnosis.sentences import affected, at_time, shorten, what_happened
from mailward.model.probing import CERTIFICATE_FAULTS, Cause, Phase, ProbeResult
from mailward.model.verdict import Confidence, Dependency, Tier, Verdict


def everybody_is_untrusted(case: Case) -> Verdict | None:
    """
    Three servers or more show certificates we do not trust and none shows a good one: then it is our own list of
    authorities (or our clock) that is wrong, rather than all of theirs.
    """
    ours = (Cause.TLS_UNTRUSTED, Cause.TLS_NOT_YET_VALID)
    if case.cause not in ours or any(seen.healthy for seen in case.sightings):
        return None
    alike = {seen.result.server for seen in case.sightings if seen.result.cause is case.cause}
    if len(alike | {case.result.server}) < 3:
        return None
    wrong = "the authorities mailward trusts (ca_file)" if case.cause is Cause.TLS_UNTRUSTED else "mailward's own clock"
    return Verdict(
        tier=Tier.MONITORING,
        confidence=Confidence.PROBABLE,
        dependency=Dependency.CERTIFICATE,
        because=f"all {len(alike | {case.result.server})} servers fail alike, none passes: {case.result.server}"
        f" {what_happened(case.result)}; look at {wrong}",
    )


def certificate(case: Case) -> Verdict | None:
    """
    The certificate the server showed does not verify: conclusive against whoever was connected to. One on disk that
    differs from the one served only waits for a reload.

    A load balancer passes on the certificate of one of several servers: it is that server's whose own test met the
    very same one, and as long as no test has, it may be the balancer's or any server's behind it.
    """
    if case.cause not in CERTIFICATE_FAULTS:
        return None
    entrance = case.entrance
    tier, server = case.answering
    owner = _owner(case)
    if owner is not None:
        tier, server = case.tier_of(owner), owner
    is_open = len(entrance.servers) > 1 and owner is None
    return Verdict(
        tier=tier,
        confidence=Confidence.PROBABLE if is_open else Confidence.CERTAIN,
        server=server,
        dependency=Dependency.CERTIFICATE,
        because=f"{entrance.name} {what_happened(case.result)}{described(case, case.result)}"
        f"{f', the one of {owner}' if owner else ''}{affected(case, server)}",
    )


def _owner(case: Case) -> str | None:
    """The one server behind a load balancer that shows this certificate at its own door, and fails for it there."""
    shown = case.result.certificate
    if shown is None or len(case.entrance.servers) < 2:
        return None
    alike = {
        seen.result.server
        for seen in case.sightings
        if seen.result.server in case.entrance.servers
        and seen.result.cause is case.cause
        and seen.result.certificate is not None
        and seen.result.certificate.sha256 == shown.sha256
    }
    return alike.pop() if len(alike) == 1 else None


def described(case: Case, result: ProbeResult) -> str:
    """What the certificate says of itself, and whether another one waits on disk."""
    shown = result.certificate
    if shown is None:
        return f" ({shorten(result.detail)})" if result.detail else ""
    words = {
        Cause.TLS_EXPIRED: f" (for {shown.subject}, until {at_time(shown.not_after, case.now)})",
        Cause.TLS_NOT_YET_VALID: f" (for {shown.subject}, from {at_time(shown.not_before, case.now)})",
        Cause.TLS_UNTRUSTED: f" (for {shown.subject}, issued by {shown.issuer})",
        Cause.TLS_NAME: f" (it holds {', '.join(shown.names) or shown.subject})",
    }.get(result.cause or Cause.TLS_FAILED, "")
    host = case.host(result.server)
    if host and host.certificate_on_disk and host.certificate_on_disk != shown.sha256:
        words += "; the certificate on disk is another one, so a reload would serve it"
    return words


def no_handshake(case: Case) -> Verdict | None:
    """TLS itself fails, or STARTTLS is not offered where our configuration says it must be."""
    if case.cause not in (Cause.TLS_FAILED, Cause.STARTTLS_UNAVAILABLE):
        return None
    said = f" ({shorten(case.result.detail)})" if case.result.detail else ""
    return Verdict(
        tier=case.answering[0],
        confidence=Confidence.PROBABLE,
        server=case.entrance.server,
        because=f"{case.entrance.name} {_without_tls(case)}{said}: look at its TLS settings, and whether this port"
        f" speaks TLS from the start or by STARTTLS{affected(case, case.entrance.server)}",
    )


def _without_tls(case: Case) -> str:
    return "does not offer STARTTLS" if case.cause is Cause.STARTTLS_UNAVAILABLE else "fails the TLS handshake"


def not_imap(case: Case) -> Verdict | None:
    """
    What answers breaks the protocol. At the door that is conclusive: whatever listens there is no IMAP service. Later
    and behind a proxy either tier may be at fault, unless a direct probe of the mailbox server meets the same.
    """
    if case.cause is not Cause.PROTOCOL_VIOLATION:
        return None
    said = f" (“{shorten(case.result.detail)}”)" if case.result.detail else ""
    early = case.phase in BEFORE_LOGIN
    alike = [seen for seen in case.direct(case.mailbox_server) if seen.result.cause is Cause.PROTOCOL_VIOLATION]
    if case.entrance.passes_on and not early and alike:
        return Verdict(
            tier=Tier.MAILBOX_SERVER,
            confidence=Confidence.CERTAIN,
            server=case.mailbox_server,
            because=f"{case.mailbox_server} breaks the protocol, through {case.entrance.name} and directly{said}"
            f"{affected(case, case.mailbox_server)}",
        )
    opening = case.phase in (Phase.GREETING, Phase.CAPABILITY, Phase.TLS)
    what = "answers, but not with IMAP" if opening else "breaks the IMAP protocol"
    return Verdict(
        tier=case.answering[0],
        confidence=Confidence.CERTAIN if early or not case.entrance.passes_on else Confidence.PROBABLE,
        server=case.entrance.server,
        because=f"{case.entrance.name} {what}{said}{affected(case, case.entrance.server)}",
    )
