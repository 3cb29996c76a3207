"""How every probe ends, whatever the server does: silence, refusal, lies, and faults of our own."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.organization import HealthMailbox, ImapEndpoint, SecretKind, SecretRef, Security
from mailward.model.probing import Cause, Certificate, Phase, PhaseOutcome, ResultType
from mailward.model.target import Turn
from mailward.network.tcp_network import TcpNetwork
from mailward.probes.customer_touch_point import ImapCTPProbe
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.proxy_test import ImapProxyTestProbe
from mailward.probes.self_test import ImapSelfTestProbe
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer

ALL = [ImapSelfTestProbe, ImapProxyTestProbe, ImapDeepTestProbe, ImapCTPProbe]
PASSWORD = "tr0ub4dor-and-three"


def told(result):
    return result.result, result.failed_phase, result.cause


@pytest.mark.parametrize("probe", ALL)
async def test_a_healthy_server_succeeds_with_every_phase_timed(probe, world):
    result = await probe(world.equipment).run(world.target)

    assert (ResultType.SUCCEEDED, None, None) == told(result)
    assert {PhaseOutcome.OK} == {timing.outcome for timing in result.phases}
    assert [Phase.DNS, Phase.CONNECT, Phase.TLS, Phase.GREETING] == [timing.phase for timing in result.phases][:4]
    assert Phase.LOGOUT == result.phases[-1].phase
    assert ("be1", "DB1") == (result.server, result.target)


@pytest.mark.parametrize("probe", ALL)
async def test_every_probe_says_good_bye_and_closes(probe, world):
    await probe(world.equipment).run(world.target)

    assert "LOGOUT" == world.server.heard[-1]
    assert 0 == world.network.open_streams


@pytest.mark.parametrize("probe", ALL)
async def test_a_name_nobody_knows_fails_at_the_name(probe, world):
    target = world.against(endpoint=ImapEndpoint(host="nosuch.example"))

    assert (ResultType.FAILED, Phase.DNS, Cause.NAME_UNKNOWN) == told(await probe(world.equipment).run(target))


@pytest.mark.parametrize("probe", ALL)
async def test_a_port_nobody_listens_on_is_refused_and_the_address_is_named(probe, world):
    target = world.against(endpoint=ImapEndpoint(host="127.0.0.1", port=1))

    result = await probe(world.equipment).run(target)

    assert (ResultType.FAILED, Phase.CONNECT, Cause.REFUSED) == told(result)
    assert "127.0.0.1:1" == result.address


@pytest.mark.parametrize("probe", ALL)
async def test_lost_packets_time_out_while_connecting(probe, world):
    world.network.silent.add("mail.example:993")

    result = await probe(world.equipment).run(world.target)

    assert (ResultType.TIMED_OUT, Phase.CONNECT, Cause.TIMEOUT) == told(result)
    assert [PhaseOutcome.OK, PhaseOutcome.TIMED_OUT] == [timing.outcome for timing in result.phases]


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        (Script().stalls(), Phase.TLS),
        (Script().starts_tls().stalls(), Phase.GREETING),
        (Script().starts_tls().says("* OK hi").hears("CAPABILITY").stalls(), Phase.CAPABILITY),
        (
            Script().starts_tls().says("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi").hears("AUTHENTICATE").stalls(),
            Phase.AUTH,
        ),
        (
            Script()
            .starts_tls()
            .says("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi")
            .answers("AUTHENTICATE")
            .hears("SELECT")
            .stalls(),
            Phase.SELECT,
        ),
    ],
)
async def test_silence_is_placed_at_the_phase_it_fell_in(script, phase, world):
    world.serve(script)

    result = await ImapDeepTestProbe(world.equipment).run(world.target)

    assert (ResultType.TIMED_OUT, phase, Cause.TIMEOUT) == told(result)
    assert PhaseOutcome.TIMED_OUT == result.phases[-1].outcome
    assert not script.complaints
    assert 0 == world.network.open_streams


@pytest.mark.parametrize(
    ("command", "reply", "phase", "cause", "code"),
    [
        ("AUTHENTICATE", "NO [AUTHENTICATIONFAILED] no", Phase.AUTH, Cause.AUTH_REJECTED, "AUTHENTICATIONFAILED"),
        (
            "AUTHENTICATE",
            "NO [UNAVAILABLE] Account is temporarily unavailable.",
            Phase.AUTH,
            Cause.BACKEND_UNAVAILABLE,
            "UNAVAILABLE",
        ),
        ("SELECT", "NO [SERVERBUG] Internal error occurred.", Phase.SELECT, Cause.STORE_ERROR, "SERVERBUG"),
        ("SELECT", "* BYE shutting down", Phase.SELECT, Cause.BYE, None),
        ("UID SEARCH", "NO [LIMIT] too much", Phase.FETCH, Cause.LIMIT, "LIMIT"),
    ],
)
async def test_a_refusal_is_placed_by_diagnosis_and_keeps_its_code(command, reply, phase, cause, code, make_world):
    world = make_world(refuses={command: reply})

    result = await ImapDeepTestProbe(world.equipment).run(world.target)

    assert (ResultType.FAILED, phase, cause) == told(result)
    assert code == result.response_code
    assert reply.removeprefix("* ").split("] ")[-1] in result.detail


async def test_a_greeting_that_turns_us_away_fails_at_the_greeting(make_world):
    world = make_world(greeting="* BYE [UNAVAILABLE] too busy")

    result = await ImapProxyTestProbe(world.equipment).run(world.target)

    assert (Phase.GREETING, "BYE [UNAVAILABLE] too busy") == (result.failed_phase, result.detail)


async def test_a_server_that_hangs_up_on_us_is_closed_not_timed_out(world):
    world.serve(Script().starts_tls().says("* OK hi").hears("CAPABILITY").closes())

    assert (ResultType.FAILED, Phase.CAPABILITY, Cause.CLOSED) == told(
        await ImapProxyTestProbe(world.equipment).run(world.target)
    )


async def test_what_is_not_imap_is_a_protocol_violation(world):
    world.serve(Script().starts_tls().says("220 mail.example ESMTP ready"))

    assert (ResultType.FAILED, Phase.GREETING, Cause.PROTOCOL_VIOLATION) == told(
        await ImapProxyTestProbe(world.equipment).run(world.target)
    )


async def test_a_certificate_that_does_not_verify_is_described_all_the_same(world):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    refused = Certificate(
        subject="CN=mail.example",
        issuer="CN=nobody",
        names=(),
        not_before=moment,
        not_after=moment,
        sha256="ab",
        verified=False,
        problem="certificate has expired",
    )
    world.network.tls_failures["mail.example:993"] = (Cause.TLS_EXPIRED, refused)

    result = await ImapSelfTestProbe(world.equipment).run(world.target)

    assert (ResultType.FAILED, Phase.TLS, Cause.TLS_EXPIRED) == told(result)
    assert refused == result.certificate


async def test_starttls_protects_before_anybody_logs_in(make_world):
    world = make_world(security=Security.STARTTLS, tls="starttls")

    result = await ImapDeepTestProbe(world.equipment).run(world.target)

    assert ResultType.SUCCEEDED == result.result
    assert ["CAPABILITY", "STARTTLS", "CAPABILITY", "AUTHENTICATE"] == world.server.heard[:4]
    assert [Phase.GREETING, Phase.CAPABILITY, Phase.TLS, Phase.AUTH] == [timing.phase for timing in result.phases][2:6]


async def test_a_server_without_starttls_gets_no_password(make_world):
    world = make_world(security=Security.STARTTLS, tls="")

    result = await ImapDeepTestProbe(world.equipment).run(world.target)

    assert (ResultType.FAILED, Phase.TLS, Cause.STARTTLS_UNAVAILABLE) == told(result)
    assert ["CAPABILITY", "LOGOUT"] == world.server.heard


async def test_a_password_stays_here_when_the_connection_is_not_encrypted(make_world):
    world = make_world(security=Security.PLAIN, tls="")

    result = await ImapSelfTestProbe(world.equipment).run(world.target)

    assert (ResultType.FAILED, Phase.AUTH, Cause.PROBER_FAULT) == told(result)
    assert "AUTHENTICATE" not in world.server.heard


async def test_a_password_may_leave_unencrypted_where_the_endpoint_allows_it(make_world):
    world = make_world(security=Security.PLAIN, tls="")
    target = world.against(endpoint=replace(world.target.endpoint, allow_plaintext_auth=True))

    assert ResultType.SUCCEEDED == (await ImapSelfTestProbe(world.equipment).run(target)).result


async def test_a_master_user_opens_the_health_mailbox_by_authorization_identity(world):
    world.server.users["monitor"] = "master-secret"
    world.equipment.secrets.secrets["master"] = "master-secret"
    account = HealthMailbox(user="health", password=SecretRef(kind=SecretKind.FILE, name="master"), login_as="monitor")
    world.inbox.add(b"X: y\r\n\r\nsomebody's mail\r\n")

    result = await ImapDeepTestProbe(world.equipment).run(world.against(account=account))

    assert (ResultType.SUCCEEDED, "health") == (result.result, result.account)


async def test_a_password_that_cannot_be_read_is_a_fault_of_the_monitoring_with_its_reason(world):
    world.equipment.secrets.secrets.clear()

    result = await ImapSelfTestProbe(world.equipment).run(world.target)

    assert (Phase.AUTH, Cause.PROBER_FAULT) == (result.failed_phase, result.cause)
    assert "health.password cannot be read" in result.detail


async def test_an_exception_of_our_own_code_becomes_a_result_that_blames_nobody(world):
    class BrokenSecrets:
        def reveal(self, ref):
            raise ZeroDivisionError("who divides here?")

    equipment = replace(world.equipment, secrets=BrokenSecrets())

    result = await ImapSelfTestProbe(equipment).run(world.target)

    assert (ResultType.PROBER_OVERLOADED, Cause.PROBER_FAULT) == (result.result, result.cause)
    assert "ZeroDivisionError: who divides here? (test_measurement.py" in result.detail
    assert 0 == world.network.open_streams


@pytest.mark.parametrize(("blocked_s", "expected"), [(0.6, ResultType.PROBER_OVERLOADED), (0.0, ResultType.TIMED_OUT)])
async def test_a_time_out_while_our_own_loop_was_blocked_blames_nobody(blocked_s, expected, world):
    script = Script().says("* OK hi").hears("CAPABILITY").stalls()
    async with ScriptedServer(script).listening() as served:
        endpoint = ImapEndpoint(host=served.host, port=served.port, security=Security.PLAIN)
        target = world.against(endpoint=endpoint, timeout=timedelta(seconds=0.2))
        asyncio.get_running_loop().call_later(0.1, time.sleep, blocked_s)

        result = await ImapProxyTestProbe(replace(world.equipment, network=TcpNetwork())).run(target)

    assert (expected, Phase.CAPABILITY, Cause.TIMEOUT) == told(result)


async def test_the_password_is_in_no_part_of_the_result_even_when_the_server_repeats_it(make_world):
    world = make_world(refuses={"AUTHENTICATE": f"NO [AUTHENTICATIONFAILED] the password {PASSWORD} is wrong"})

    result = await ImapSelfTestProbe(world.equipment).run(world.target)

    assert Cause.AUTH_REJECTED == result.cause
    assert PASSWORD not in repr(result)
    assert any("AUTHENTICATE" in line for line in result.transcript)


async def test_a_good_bye_that_is_not_answered_fails_nothing(make_world):
    world = make_world(hangs_on=["LOGOUT"])

    result = await ImapSelfTestProbe(world.equipment).run(world.target)

    assert ResultType.SUCCEEDED == result.result
    assert (Phase.LOGOUT, PhaseOutcome.TIMED_OUT) == (result.phases[-1].phase, result.phases[-1].outcome)
    assert 0 == world.network.open_streams


async def test_id_is_not_sent_to_a_server_that_does_not_know_it(make_world):
    world = make_world(capabilities=("IMAP4rev1", "AUTH=PLAIN", "SASL-IR"))

    await ImapSelfTestProbe(world.equipment).run(world.target)

    assert "ID" not in world.server.heard


async def test_a_refused_id_fails_nothing(make_world):
    world = make_world(refuses={"ID": "BAD I do not talk to strangers"})

    assert ResultType.SUCCEEDED == (await ImapSelfTestProbe(world.equipment).run(world.target)).result


async def test_the_mailbox_server_behind_a_proxy_is_named_by_its_id(world):
    target = world.against(server="proxy1", server_names=(("be1", "Backend One"),))

    assert "Backend One" == (await ImapCTPProbe(world.equipment).run(target)).mailbox_server


async def test_a_touch_point_that_does_not_say_who_served_leaves_it_open(make_world):
    world = make_world(identity={})

    assert (await ImapCTPProbe(world.equipment).run(world.target)).mailbox_server is None


async def test_the_proxy_test_does_not_log_in_and_names_no_mailbox_server(world):
    result = await ImapProxyTestProbe(world.equipment).run(world.target)

    assert ["CAPABILITY", "ID", "LOGOUT"] == world.server.heard
    assert result.mailbox_server is None


async def test_the_self_test_selects_nothing(world):
    await ImapSelfTestProbe(world.equipment).run(world.target)

    assert ["CAPABILITY", "AUTHENTICATE", "ID", "NOOP", "LOGOUT"] == world.server.heard


async def test_a_self_test_without_health_mailbox_ends_before_the_login(world):
    result = await ImapSelfTestProbe(world.equipment).run(world.against(account=None))

    assert (ResultType.SUCCEEDED, ["CAPABILITY", "ID", "LOGOUT"]) == (result.result, world.server.heard)


@pytest.mark.parametrize("probe", [ImapDeepTestProbe, ImapCTPProbe])
async def test_without_a_health_mailbox_there_is_nothing_to_read(probe, world):
    result = await probe(world.equipment).run(world.against(account=None, turn=Turn.WRITE))

    assert ResultType.NOT_APPLICABLE == result.result
    assert [] == world.server.heard
