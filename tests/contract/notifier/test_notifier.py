import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from mailward.model.alerting import Alert, AlertStatus, Turns, Urgency
from mailward.model.errors import PermanentFailure, TemporaryFailure
from mailward.notify.channels import notifier_for
from mailward.platforms.local.file_secrets import FileSecrets

KINDS = ("smtp", "webhook", "alertmanager", "dead-man", "tame")
NIGHT = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)
ALERT = Alert(
    key="mailbox server/be1",
    status=AlertStatus.FIRING,
    urgency=Urgency.CRITICAL,
    title="CRITICAL be1: IMAP service broken (db1, Müller) since 02:14 UTC",
    text="CRITICAL be1\n\nUsers of db1 – “all of them”\n.\nFrom here on\n",
    starts_at=NIGHT,
    labels={"alertname": "ImapMailboxServer", "organization": "example", "server": "be1", "tier": "mailbox server"},
    turns=Turns(number=1, last_at=NIGHT + timedelta(seconds=10), urgency=Urgency.CRITICAL),
)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_sent_arrives_once(kind, far_end):
    far = await far_end(kind)

    await far.notifier.send(ALERT, identity="a|1")

    assert 1 == far.arrived()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dead-man"])
async def test_a_repeated_attempt_can_be_recognised_and_another_notice_told_from_it(kind, far_end):
    far = await far_end(kind)

    for identity in ("a|1", "a|1", "a|2"):
        await far.notifier.send(ALERT, identity=identity)

    first, second, third = far.marks()
    assert first == second != third


@pytest.mark.parametrize("kind", KINDS)
async def test_a_far_end_that_says_later_is_a_temporary_failure(kind, far_end):
    far = await far_end(kind, "later")

    with pytest.raises(TemporaryFailure, match=f"channel {kind}"):
        await far.notifier.send(ALERT, identity="a|1")
    assert 0 == far.arrived()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_far_end_that_says_never_is_a_permanent_failure_that_says_what_to_mend(kind, far_end):
    far = await far_end(kind, "never")

    with pytest.raises(PermanentFailure, match=f"channel {kind}.*mend"):
        await far.notifier.send(ALERT, identity="a|1")
    assert 0 == far.arrived()


@pytest.mark.parametrize("manner", ["hangs", "babbles", "hangs up", "absent", "drips"])
@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_the_far_end_does_sending_ends_in_time_as_a_temporary_failure(kind, manner, far_end):
    far = await far_end(kind, manner, timeout=0.3)
    began = monotonic()

    with pytest.raises(TemporaryFailure) as failure:
        await far.notifier.send(ALERT, identity="a|1")

    assert monotonic() - began < 15  # 0.3 s each, and room for a busy machine: who ends at all has been given up
    assert f"channel {kind}" in str(failure.value)
    assert str(failure.value).isprintable()
    assert len(str(failure.value)) < 400


@pytest.mark.parametrize("manner", ["later", "never", "hangs", "babbles", "hangs up", "absent"])
@pytest.mark.parametrize("kind", ["webhook", "alertmanager", "dead-man"])
async def test_no_failure_shows_the_secret_in_an_address_or_a_token(kind, manner, far_end, secret):
    answer = None
    if manner == "never":
        answer = (
            b"HTTP/1.1 403 Forbidden\r\n\r\nno entry for t0ken-of-the-hook at /hooks/t0pSecretPath?key=q8w7e6 (q8w7e6)"
        )
    far = await far_end(
        kind, manner, timeout=0.3, answer=answer, url_secret=secret("url"), bearer_token=secret("token")
    )

    with pytest.raises((TemporaryFailure, PermanentFailure)) as failure:
        await far.notifier.send(ALERT, identity="a|1")

    shown: list[str] = []
    error: BaseException | None = failure.value
    shown.append(str(error))
    for part in ("t0ken-of-the-hook", "t0pSecretPath", "q8w7e6"):
        assert part not in "".join(shown)


@pytest.mark.parametrize("kind", ["smtp", "webhook", "alertmanager", "dead-man"])
async def test_a_secret_that_cannot_be_read_is_a_temporary_failure_that_names_its_file(kind, far_end, secret):
    far = await far_end(kind, password=secret("gone"), bearer_token=secret("gone"))

    with pytest.raises(TemporaryFailure, match="gone"):
        await far.notifier.send(ALERT, identity="a|1")


@pytest.mark.parametrize("kind", ["smtp", "webhook", "alertmanager", "dead-man"])
async def test_a_secret_that_is_no_ordinary_file_is_a_temporary_failure_at_once(kind, far_end, hung_file, secret):
    far = await far_end(kind, password=secret(hung_file), bearer_token=secret(hung_file))

    async with asyncio.timeout(15):
        with pytest.raises(TemporaryFailure, match="is no ordinary file"):
            await notifier_for(far.channel, FileSecrets()).send(ALERT, identity="a|1")


@pytest.mark.parametrize("kind", ["smtp", "webhook", "alertmanager", "dead-man"])
async def test_a_disk_that_hangs_under_an_authority_is_a_temporary_failure_in_time(kind, far_end, hung_file):
    far = await far_end(kind, timeout=0.3, ca_file=hung_file)
    if kind != "smtp":
        far.channel = replace(far.channel, url=far.channel.url.replace("http:", "https:"))
    notifier = notifier_for(far.channel, FileSecrets())

    for _ in range(2):
        async with asyncio.timeout(15):
            with pytest.raises(TemporaryFailure, match=f"channel {kind}.*(read|answer) within 0.3 s"):
                await notifier.send(ALERT, identity="a|1")
