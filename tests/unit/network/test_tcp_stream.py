import datetime
import gc
import os
import ssl
from pathlib import Path

import pytest
import trustme

from mailward.model.organization import ImapEndpoint, Security, TlsPolicy
from mailward.model.probing import Cause
from mailward.network import TcpNetwork
from mailward.ports.network import NetworkFailure
from mailward.testing.script import Script
from mailward.testing.scripted_server import ScriptedServer

TLS_SCRIPT = Script().starts_tls().says("* OK ready").hears().closes()
STARTTLS_SCRIPT = Script().says("* OK ready").hears("STARTTLS").says("{tag} OK begin").starts_tls().hears().closes()
LONG_AGO, NOT_SO_LONG_AGO, FAR_OFF = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2010, 2011, 2900))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, str(path)


def served(authority: trustme.CA, *names: str, **validity: datetime.datetime) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **validity).configure_cert(context)
    return context


async def handshake(context: ssl.SSLContext, policy: TlsPolicy, *, starttls: bool = False, network=None):
    """Return what TLS agreed on, or the failure; and how many connections the server saw."""
    script = STARTTLS_SCRIPT if starttls else TLS_SCRIPT
    async with ScriptedServer(script, tls=context).listening() as server:
        endpoint = ImapEndpoint(
            host=server.host,
            port=server.port,
            tls=policy,
            security=Security.STARTTLS if starttls else Security.TLS,
        )
        network = network or TcpNetwork()
        stream = await network.connect(endpoint, await network.resolve(endpoint, timeout=5), timeout=5)
        try:
            if starttls:
                await stream.read(timeout=5)
                await stream.write(b"x STARTTLS\r\n", timeout=5)
                await stream.read(timeout=5)
            await stream.start_tls(timeout=5)
            return stream.tls, server.connections
        except NetworkFailure as failure:
            return failure, server.connections
        finally:
            await stream.close()


async def test_a_good_certificate_is_described(authority):
    ca, ca_file = authority
    agreed, connections = await handshake(served(ca, "127.0.0.1", "::1", "mail.example"), TlsPolicy(ca_file=ca_file))

    assert ("TLSv1.3", 1) == (agreed.version, connections)
    assert agreed.certificate.verified
    assert ("127.0.0.1", "::1", "mail.example") == agreed.certificate.names
    assert agreed.certificate.subject.startswith("OU=Testing cert")
    assert 64 == len(agreed.certificate.sha256)
    assert agreed.certificate.not_after.tzinfo is not None


@pytest.mark.parametrize("starttls", [False, True])
@pytest.mark.parametrize(
    ("names", "validity", "expected", "cause", "problem"),
    [
        (
            ("127.0.0.1",),
            {"not_before": LONG_AGO, "not_after": NOT_SO_LONG_AGO},
            None,
            Cause.TLS_EXPIRED,
            "expired",
        ),
        (("127.0.0.1",), {"not_before": FAR_OFF}, None, Cause.TLS_NOT_YET_VALID, "not yet"),
        (("elsewhere.example",), {}, None, Cause.TLS_NAME, "mismatch"),
        (("127.0.0.1",), {}, "mail.example", Cause.TLS_NAME, "mail.example"),
    ],
)
async def test_a_certificate_that_fails_is_described_by_a_second_look(
    authority, names, validity, expected, cause, problem, starttls
):
    ca, ca_file = authority
    policy = TlsPolicy(ca_file=ca_file, expected_name=expected)
    failure, connections = await handshake(served(ca, *names, **validity), policy, starttls=starttls)

    assert isinstance(failure, NetworkFailure)
    assert (cause, 2) == (failure.cause, connections)
    assert names == failure.certificate.names
    assert not failure.certificate.verified
    assert problem in failure.certificate.problem
    assert problem in failure.detail


async def test_behind_a_load_balancer_the_certificate_that_was_refused_is_the_one_described(authority):
    ca, ca_file = authority
    expired = served(ca, "127.0.0.1", "expired.example", not_before=LONG_AGO, not_after=NOT_SO_LONG_AGO)
    good = served(ca, "127.0.0.1", "good.example")
    handshakes = []

    def in_turns(connection: ssl.SSLObject, *_: object) -> None:
        handshakes.append(connection)
        connection.context = good if len(handshakes) % 2 == 0 else expired

    expired.sni_callback = in_turns
    policy = TlsPolicy(ca_file=ca_file, expected_name="expired.example")
    failure, _ = await handshake(expired, policy)

    assert (Cause.TLS_EXPIRED, 3) == (failure.cause, len(handshakes))
    assert "expired.example" in failure.certificate.names


async def test_an_expired_intermediate_is_not_looked_for_without_end(authority):
    ca, ca_file = authority
    expired = served(ca, "good.example", not_before=LONG_AGO, not_after=NOT_SO_LONG_AGO)
    good = served(ca, "127.0.0.1", "good.example")
    handshakes = []

    def afterwards(connection: ssl.SSLObject, *_: object) -> None:
        handshakes.append(connection)
        connection.context = good if len(handshakes) > 1 else expired

    expired.sni_callback = afterwards
    failure, _ = await handshake(expired, TlsPolicy(ca_file=ca_file, expected_name="good.example"))

    assert (Cause.TLS_EXPIRED, 5) == (failure.cause, len(handshakes))
    assert {"127.0.0.1", "good.example"} == set(failure.certificate.names)


async def test_an_unknown_authority_is_untrusted(authority):
    _, ca_file = authority
    failure, _ = await handshake(served(trustme.CA(), "127.0.0.1"), TlsPolicy(ca_file=ca_file))

    assert Cause.TLS_UNTRUSTED == failure.cause
    assert ("127.0.0.1",) == failure.certificate.names


async def test_the_systems_authorities_are_the_default(authority):
    ca, _ = authority
    failure, _ = await handshake(served(ca, "127.0.0.1"), TlsPolicy())

    assert Cause.TLS_UNTRUSTED == failure.cause


async def test_without_verification_any_certificate_does_and_is_still_described(authority):
    agreed, connections = await handshake(served(trustme.CA(), "elsewhere.example"), TlsPolicy(verify=False))

    assert 1 == connections
    assert not agreed.certificate.verified
    assert ("elsewhere.example",) == agreed.certificate.names


async def test_the_expected_name_is_the_one_that_counts(authority):
    ca, ca_file = authority
    policy = TlsPolicy(ca_file=ca_file, expected_name="mail.example")
    agreed, _ = await handshake(served(ca, "mail.example"), policy)

    assert agreed.certificate.verified


async def test_a_version_that_is_too_old_is_refused(authority):
    ca, ca_file = authority
    context = served(ca, "127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    failure, _ = await handshake(context, TlsPolicy(ca_file=ca_file, minimum_version="TLSv1.3"))
    agreed, _ = await handshake(context, TlsPolicy(ca_file=ca_file, minimum_version="TLSv1.2"))

    assert Cause.TLS_FAILED == failure.cause
    assert "version" in failure.detail
    assert "TLSv1.2" == agreed.version


async def test_every_handshake_is_a_full_one(authority):
    ca, ca_file = authority
    context = served(ca, "127.0.0.1")
    network = TcpNetwork()
    for _ in range(3):
        await handshake(context, TlsPolicy(ca_file=ca_file), network=network)

    stats = context.session_stats()
    assert 0 == stats["hits"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (TlsPolicy(ca_file="/nowhere/ca.pem"), "/nowhere/ca.pem"),
        (TlsPolicy(ca_file=os.devnull), os.devnull),
        (TlsPolicy(verify=False, minimum_version="SSLv3"), "SSLv3"),
    ],
)
async def test_a_policy_that_cannot_be_used_is_our_own_fault(authority, policy, words):
    ca, _ = authority
    failure, _ = await handshake(served(ca, "127.0.0.1"), policy)

    assert Cause.PROBER_FAULT == failure.cause
    assert words in failure.detail


async def test_a_renewed_ca_file_is_noticed(authority, tmp_path):
    old, new = trustme.CA(), trustme.CA()
    path = tmp_path / "ca.pem"
    network = TcpNetwork()
    old.cert_pem.write_to_path(str(path))
    before, _ = await handshake(served(new, "127.0.0.1"), TlsPolicy(ca_file=str(path)), network=network)
    new.cert_pem.write_to_path(str(path))
    os.utime(path, (1, 1))
    after, _ = await handshake(served(new, "127.0.0.1"), TlsPolicy(ca_file=str(path)), network=network)

    assert Cause.TLS_UNTRUSTED == before.cause
    assert after.certificate.verified


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_closing_leaves_no_socket_behind(authority):
    ca, ca_file = authority
    context = served(ca, "127.0.0.1")
    network = TcpNetwork()
    await handshake(context, TlsPolicy(ca_file=ca_file), network=network)
    gc.collect()
    before = open_files()
    for _ in range(5):
        await handshake(context, TlsPolicy(ca_file=ca_file), network=network)
        await handshake(context, TlsPolicy(ca_file=ca_file, expected_name="x.example"), network=network)

    assert before == open_files()
