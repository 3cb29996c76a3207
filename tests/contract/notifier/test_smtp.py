"""What mail by a relay keeps beyond the contract: TLS, passwords, headers."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header

import pytest
import trustme

from mailward.model.alerting import Alert, AlertStatus, Turns, Urgency
from mailward.model.errors import PermanentFailure, TemporaryFailure

NIGHT = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)
ALERT = Alert(
    key="mailbox server/be1",
    status=AlertStatus.FIRING,
    urgency=Urgency.CRITICAL,
    title="CRITICAL be1: IMAP service of Müller broken since 02:14 UTC",
    text="Users of db1 – “all of them”\n.\n.. two dots\nFrom here on\n" + "x" * 1200 + "\n",
    starts_at=NIGHT,
    turns=Turns(number=1, last_at=NIGHT + timedelta(seconds=10), urgency=Urgency.CRITICAL),
)


@pytest.fixture
async def parrot() -> AsyncIterator[Callable[[str, int], Awaitable[int]]]:
    """Start a relay that answers a login with everything it was sent; returns its port."""
    servers: list[asyncio.Server] = []

    async def start(methods: str, code: int) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard: list[str] = []
            writer.write(b"220 parrot\r\n")
            while line := (await reader.readline()).decode().strip():
                if line.startswith("EHLO"):
                    writer.write(f"250-parrot\r\n250 AUTH {methods}\r\n".encode())
                    continue
                heard.append(line.removeprefix("AUTH ").removeprefix(f"{methods} "))
                is_half = methods == "LOGIN" and len(heard) == 1
                answer = "334 UGFzc3dvcmQ6" if is_half else f"{code} I heard {' '.join(heard)}"
                writer.write(f"{answer}\r\n".encode())
            writer.close()

        servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_the_mail_says_what_it_is_and_arrives_letter_for_letter(far_end):
    far = await far_end("smtp")

    await far.notifier.send(ALERT, identity="a|1")

    (mail,) = far.mails
    assert ALERT.title == str(make_header(decode_header(mail["Subject"])))
    assert ("auto-generated", "high", "mailward@example.org", "duty@example.org") == (
        mail["Auto-Submitted"],
        mail["Importance"],
        mail["From"],
        mail["To"],
    )
    assert 'text/plain; charset="utf-8"' == mail["Content-Type"]
    assert "Tue, 24 Nov 2026 02:14:10 +0000" == mail["Date"]
    assert ALERT.text == mail.get_payload(decode=True).decode().replace("\r\n", "\n")
    assert mail["Message-ID"].endswith(".mailward@example.org>")


async def test_a_repeated_attempt_is_the_same_mail_byte_for_byte(far_end):
    far = await far_end("smtp")

    await far.notifier.send(ALERT, identity="a|1")
    await far.notifier.send(ALERT, identity="a|1")

    first, second = (mail.as_bytes() for mail in far.mails)
    assert first == second


async def test_all_notices_of_one_alert_are_one_thread(far_end):
    far = await far_end("smtp")
    over = replace(ALERT, status=AlertStatus.RESOLVED, ends_at=NIGHT + timedelta(hours=1))

    await far.notifier.send(ALERT, identity="a|1")
    await far.notifier.send(over, identity="a|2")
    await far.notifier.send(replace(ALERT, starts_at=NIGHT + timedelta(hours=2)), identity="b|1")

    first, second, other = (mail["References"] for mail in far.mails)
    assert first == second != other


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: all@example.org", "x\nBcc: all@example.org\n\nbody", "x\r\n\r\nbody", "x\x00y"]
)
async def test_nothing_in_a_title_becomes_a_header(evil, far_end):
    far = await far_end("smtp")

    await far.notifier.send(replace(ALERT, title=evil), identity=evil)

    (mail,) = far.mails
    assert None is mail["Bcc"]
    assert ALERT.text == mail.get_payload(decode=True).decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "a@b\r\nBcc: x@y"},
        {"recipients": ("a@b\nc@d",)},
        {"recipients": ("nobody",)},
        {"sender": ""},
        {"sender": "ü@example.org"},
        {"sender": "a@ü.example"},
    ],
)
async def test_an_address_that_is_none_is_refused_before_anything_is_sent(wrong, far_end):
    far = await far_end("smtp", **wrong)

    with pytest.raises(PermanentFailure, match="is no mail address; mend sender or recipients"):
        await far.notifier.send(ALERT, identity="a|1")
    assert [] == far.mails


async def test_without_recipients_it_says_so(far_end):
    far = await far_end("smtp", recipients=())

    with pytest.raises(PermanentFailure, match="set recipients"):
        await far.notifier.send(ALERT, identity="a|1")


async def test_a_recipient_the_relay_refuses_does_not_keep_it_from_the_others(far_end, caplog):
    far = await far_end("smtp", recipients=("duty@example.org", "nobody@example.org"))

    await far.notifier.send(ALERT, identity="a|1")

    assert 1 == len(far.mails)
    assert "refused nobody@example.org" in caplog.text


async def test_recipients_of_whom_one_may_be_taken_later_are_tried_again(far_end):
    far = await far_end("smtp", recipients=("nobody@example.org", "greylisted@example.org"))

    with pytest.raises(TemporaryFailure, match="takes no recipient now: .*greylisted@example.org: 450"):
        await far.notifier.send(ALERT, identity="a|1")


async def test_starttls_is_used_where_it_is_offered_even_with_a_certificate_nobody_signed(far_end, server_context):
    far = await far_end("smtp", starttls_context=server_context)

    await far.notifier.send(ALERT, identity="a|1")

    assert [True] == far.tls


async def test_starttls_that_is_asked_for_is_verified(far_end, server_context, ca_file):
    trusting = await far_end("smtp", starttls_context=server_context, starttls=True, ca_file=ca_file)
    strict = await far_end("smtp", starttls_context=server_context, starttls=True)

    await trusting.notifier.send(ALERT, identity="a|1")
    assert [True] == trusting.tls
    with pytest.raises(PermanentFailure, match="its certificate does not verify: .*mend it, or set ca_file"):
        await strict.notifier.send(ALERT, identity="a|1")
    assert [] == strict.mails


async def test_starttls_that_is_asked_for_and_not_offered_is_a_no(far_end):
    far = await far_end("smtp", starttls=True)

    with pytest.raises(PermanentFailure, match="does not offer STARTTLS"):
        await far.notifier.send(ALERT, identity="a|1")
    assert [] == far.mails


async def test_tls_from_the_first_byte_is_verified(far_end, server_context, ca_file):
    far = await far_end("smtp", tls_context=server_context, tls=True, ca_file=ca_file)
    strict = await far_end("smtp", tls_context=server_context, tls=True)

    await far.notifier.send(ALERT, identity="a|1")
    assert 1 == len(far.mails)
    with pytest.raises(PermanentFailure, match="its certificate does not verify"):
        await strict.notifier.send(ALERT, identity="a|1")


async def test_a_certificate_for_another_host_does_not_verify(far_end, authority, ca_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.org").configure_cert(context)
    far = await far_end("smtp", tls_context=context, tls=True, ca_file=ca_file)

    with pytest.raises(PermanentFailure, match="its certificate does not verify"):
        await far.notifier.send(ALERT, identity="a|1")


async def test_a_relay_that_speaks_no_tls_on_a_tls_port_is_a_temporary_failure(far_end):
    far = await far_end("smtp", tls=True)

    with pytest.raises(TemporaryFailure):
        await far.notifier.send(ALERT, identity="a|1")


async def test_it_logs_in_over_verified_tls(far_end, server_context, ca_file, secret):
    far = await far_end(
        "smtp",
        starttls_context=server_context,
        ca_file=ca_file,
        wants_login=True,
        user="alerts",
        password=secret("password"),
    )

    await far.notifier.send(ALERT, identity="a|1")

    assert ([("alerts", "s3cret-pass")], 1) == (far.logins, len(far.mails))


async def test_a_password_is_not_sent_to_a_relay_whose_certificate_nobody_signed(far_end, server_context, secret):
    far = await far_end("smtp", starttls_context=server_context, user="alerts", password=secret("password"))

    with pytest.raises(PermanentFailure, match="its certificate does not verify"):
        await far.notifier.send(ALERT, identity="a|1")
    assert [] == far.logins


async def test_a_rejected_password_says_which_file_to_mend_and_shows_no_password(
    far_end, server_context, ca_file, secret
):
    far = await far_end(
        "smtp", starttls_context=server_context, ca_file=ca_file, user="somebody", password=secret("password")
    )

    with pytest.raises(PermanentFailure, match="rejects user somebody: 535 .*; mend password") as failure:
        await far.notifier.send(ALERT, identity="a|1")
    assert "s3cret-pass" not in str(failure.value)


@pytest.mark.parametrize("methods", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("code", [454, 535])
async def test_a_relay_that_repeats_what_it_was_sent_puts_no_password_into_the_error(
    methods, code, far_end, parrot, secret
):
    far = await far_end("smtp", port=await parrot(methods, code), user="alerts", password=secret("password"))

    with pytest.raises((TemporaryFailure, PermanentFailure), match=f"{code} I heard …") as failure:
        await far.notifier.send(ALERT, identity="a|1")

    for heard in (b"s3cret-pass", b"\0alerts\0s3cret-pass", b"alerts"):
        assert base64.b64encode(heard).decode().rstrip("=") not in str(failure.value)


async def test_a_ca_file_that_is_missing_says_so(far_end):
    far = await far_end("smtp", ca_file="/nowhere/ca.pem")

    with pytest.raises(PermanentFailure, match="ca_file /nowhere/ca.pem cannot be used"):
        await far.notifier.send(ALERT, identity="a|1")


async def test_a_certificate_of_another_authority_does_not_verify(far_end, server_context, tmp_path):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    far = await far_end("smtp", starttls_context=server_context, ca_file=str(other))

    with pytest.raises(PermanentFailure, match="its certificate does not verify"):
        await far.notifier.send(ALERT, identity="a|1")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("host", "is_sent"), [("127.0.0.1", True), ("127.1", False)])
async def test_without_encryption_a_password_goes_to_this_very_machine_only(host, is_sent, far_end, secret):
    # 127.1 leads to the same server, but is not written as an address of this machine
    far = await far_end("smtp", host=host, user="alerts", password=secret("password"), login_needs_tls=False)

    if is_sent:
        await far.notifier.send(ALERT, identity="a|1")
    else:
        with pytest.raises(PermanentFailure, match="offers no encryption, so the password was not sent"):
            await far.notifier.send(ALERT, identity="a|1")

    assert is_sent == bool(far.logins)
