from datetime import timedelta

from mailward.engine.out_of_sight import OutOfSight
from mailward.model.probing import Cause, Phase, ProbeResult, ResultType
from mailward.model.verdict import Confidence, Tier, Verdict
from mailward.testing.platform import NOON


def a_failure(server: str, phase: Phase = Phase.CONNECT, tier: Tier = Tier.MONITORING) -> ProbeResult:
    return ProbeResult(
        probe="ImapSelfTestProbe",
        health_set="IMAP.Protocol",
        server=server,
        target=server,
        at=NOON,
        took=timedelta(0),
        result=ResultType.FAILED,
        failed_phase=phase,
        cause=Cause.TIMEOUT,
        verdict=Verdict(tier=tier, confidence=Confidence.CERTAIN, because="users get in, we do not"),
    )


def a_success(server: str) -> ProbeResult:
    return ProbeResult(
        probe="ImapSelfTestProbe",
        health_set="IMAP.Protocol",
        server=server,
        target=server,
        at=NOON,
        took=timedelta(0),
        result=ResultType.SUCCEEDED,
    )


def test_a_server_that_keeps_us_out_is_named_until_it_is_seen_again():
    sight = OutOfSight()
    sight.note(a_failure("mbx1"))
    assert ("mbx1 cannot be seen from here: users get in, we do not",) == sight.sentences()

    sight.note(a_success("mbx1"))
    assert () == sight.sentences()


def test_what_is_wrong_with_a_server_or_a_health_mailbox_is_not_ours():
    sight = OutOfSight()
    sight.note(a_failure("mbx1", tier=Tier.MAILBOX_SERVER))
    sight.note(a_failure("mbx2", phase=Phase.AUTH))

    assert () == sight.sentences()


def test_many_servers_are_counted_not_listed():
    sight = OutOfSight()
    for number in range(10):
        sight.note(a_failure(f"mbx{number}"))

    assert (4, "7 more servers cannot be seen from here") == (len(sight.sentences()), sight.sentences()[-1])
