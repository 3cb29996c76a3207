"""What the channels over HTTP keep beyond the contract: bodies, headers, TLS, redirects."""

import asyncio
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailward.model.alerting import Alert, AlertStatus, Turns, Urgency
from mailward.model.errors import PermanentFailure, TemporaryFailure
from mailward.notify.channels import notifier_for
from mailward.testing.platform import KnownSecrets

NIGHT = datetime(2026, 11, 24, 2, 14, tzinfo=UTC)
ALERT = Alert(
    key="mailbox server/be1",
    status=AlertStatus.FIRING,
    urgency=Urgency.CRITICAL,
    title="CRITICAL be1: IMAP service broken",
    text="CRITICAL be1\n\nUsers of db1 – “all of them”\n",
    starts_at=NIGHT,
    labels={"alertname": "ImapMailboxServer", "organization": "example", "server": "be1", "tier": "mailbox server"},
    annotations={"because": "nothing repairs it"},
    operation=12,
    databases=("db1", "db2"),
    turns=Turns(number=1, last_at=NIGHT + timedelta(seconds=10), urgency=Urgency.CRITICAL),
)


async def test_a_webhook_gets_alertmanagers_version_4(far_end):
    far = await far_end("webhook")

    await far.notifier.send(ALERT, identity="a|1")

    ((line, headers, body),) = far.requests
    sent = json.loads(body)
    assert "POST /hooks/t0pSecretPath?key=q8w7e6 HTTP/1.1" == line
    assert "application/json" == headers["content-type"]
    assert {
        "version",
        "groupKey",
        "truncatedAlerts",
        "status",
        "receiver",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "alerts",
    } == set(sent)
    assert ("4", 0, "firing", "webhook") == (
        sent["version"],
        sent["truncatedAlerts"],
        sent["status"],
        sent["receiver"],
    )
    (alert,) = sent["alerts"]
    assert {
        "status",
        "labels",
        "annotations",
        "startsAt",
        "endsAt",
        "generatorURL",
        "fingerprint",
    } == set(alert)
    assert ("critical", "be1", ALERT.text, "12") == (
        alert["labels"]["severity"],
        alert["labels"]["server"],
        alert["annotations"]["description"],
        alert["annotations"]["recovery_id"],
    )
    assert ("2026-11-24T02:14:00.000Z", "0001-01-01T00:00:00Z") == (alert["startsAt"], alert["endsAt"])


async def test_the_same_alert_has_the_same_group_and_fingerprint_whatever_its_urgency_and_status(far_end):
    far = await far_end("webhook")
    over = replace(ALERT, status=AlertStatus.RESOLVED, urgency=Urgency.WARNING, ends_at=NIGHT + timedelta(hours=1))

    await far.notifier.send(ALERT, identity="a|1")
    await far.notifier.send(over, identity="a|2")

    first, second = (json.loads(body) for _, _, body in far.requests)
    assert first["groupKey"] == second["groupKey"]
    assert first["alerts"][0]["fingerprint"] == second["alerts"][0]["fingerprint"]
    assert ("resolved", "2026-11-24T03:14:00.000Z") == (second["status"], second["alerts"][0]["endsAt"])


@pytest.mark.parametrize("path", ["", "/", "/am", "/am/api/v2/alerts"])
async def test_alertmanager_is_posted_to_its_v2_api_wherever_it_lives(path, far_end):
    far = await far_end("alertmanager", path=path)

    await far.notifier.send(ALERT, identity="a|1")

    ((line, _, body),) = far.requests
    assert f"POST {'/am' if 'am' in path else ''}/api/v2/alerts HTTP/1.1" == line
    (alert,) = json.loads(body)
    assert {"labels", "annotations", "startsAt", "endsAt", "generatorURL"} == set(alert)
    assert "2026-11-25T03:14:10.000Z" == alert["endsAt"], "it holds until after the longest repeat"


async def test_an_alert_that_became_more_urgent_ends_the_less_urgent_one_at_alertmanager(far_end):
    far = await far_end("alertmanager")
    at = NIGHT + timedelta(minutes=5)
    risen = replace(ALERT, turns=Turns(number=2, last_at=at, urgency=Urgency.CRITICAL))

    await far.notifier.send(risen, identity="a|2")

    alerts = json.loads(far.requests[0][2])
    ends = {alert["labels"]["severity"]: alert["endsAt"] for alert in alerts}
    ended = "2026-11-24T02:19:00.000Z"
    assert {"critical": "2026-11-25T03:19:00.000Z", "warning": ended, "info": ended} == ends


@pytest.mark.parametrize("number", [1, 2])
async def test_what_was_told_once_has_no_less_urgent_self_to_end(number, far_end):
    far = await far_end("alertmanager")
    over = replace(ALERT, status=AlertStatus.RESOLVED, ends_at=NIGHT, turns=replace(ALERT.turns, number=2))

    await far.notifier.send(ALERT if number == 1 else over, identity="a|1")

    assert ["critical"] == [alert["labels"]["severity"] for alert in json.loads(far.requests[0][2])]


async def test_an_end_never_lies_before_the_beginning_which_alertmanager_refuses(far_end):
    far = await far_end("alertmanager")
    over = replace(ALERT, status=AlertStatus.RESOLVED, ends_at=NIGHT - timedelta(seconds=1))

    await far.notifier.send(over, identity="a|2")

    (alert,) = json.loads(far.requests[0][2])
    assert alert["startsAt"] == alert["endsAt"]


async def test_an_end_ends_everything_that_was_told_at_alertmanager(far_end):
    far = await far_end("alertmanager")
    end = NIGHT + timedelta(hours=1)
    turns = Turns(number=3, last_at=NIGHT + timedelta(minutes=5), urgency=Urgency.CRITICAL)
    over = replace(ALERT, status=AlertStatus.RESOLVED, urgency=Urgency.WARNING, ends_at=end, turns=turns)

    await far.notifier.send(over, identity="a|3")

    alerts = json.loads(far.requests[0][2])
    assert {"critical", "warning", "info"} == {alert["labels"]["severity"] for alert in alerts}
    assert {"2026-11-24T03:14:00.000Z"} == {alert["endsAt"] for alert in alerts}


async def test_a_ping_is_a_get_without_a_body(far_end):
    far = await far_end("dead-man")

    await far.notifier.send(ALERT, identity="a|1")

    ((line, _, body),) = far.requests
    assert ("GET /hooks/t0pSecretPath?key=q8w7e6 HTTP/1.1", b"") == (line, body)


async def test_a_token_goes_into_the_header_and_is_read_anew_each_time(far_end, secret):
    far = await far_end("webhook", bearer_token=secret("token"))

    await far.notifier.send(ALERT, identity="a|1")

    assert "Bearer t0ken-of-the-hook" == far.requests[0][1]["authorization"]


async def test_an_address_can_be_a_secret(far_end, secret):
    far = await far_end("webhook", url_secret=secret("url"))

    await far.notifier.send(ALERT, identity="a|1")

    assert 1 == far.arrived()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_followed_nowhere(status, far_end):
    other = await far_end("webhook")
    answer = f"HTTP/1.1 {status}\r\nLocation: {other.channel.url}\r\nContent-Length: 0\r\n\r\n".encode()
    far = await far_end("webhook", "never", answer=answer)

    with pytest.raises(PermanentFailure, match="redirects are not followed"):
        await far.notifier.send(ALERT, identity="a|1")
    assert 0 == other.arrived()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_later_is_a_temporary_failure(status, far_end):
    far = await far_end("webhook", "later", answer=f"HTTP/1.1 {status} Later\r\nContent-Length: 0\r\n\r\n".encode())

    with pytest.raises(TemporaryFailure, match=f"answered {status}"):
        await far.notifier.send(ALERT, identity="a|1")


@pytest.mark.parametrize(
    ("status", "mend"),
    [(400, "right kind"), (401, "token"), (403, "token"), (404, "address"), (410, "address"), (418, "mend")],
)
async def test_no_is_a_permanent_failure_that_says_what_to_mend(status, mend, far_end):
    far = await far_end("webhook", "never", answer=f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())

    with pytest.raises(PermanentFailure, match=f"answered {status}.*{mend}"):
        await far.notifier.send(ALERT, identity="a|1")


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content"])
async def test_every_2xx_means_taken_even_when_the_connection_breaks_in_the_body(status, far_end):
    far = await far_end("webhook", answer=f"HTTP/1.1 {status}\r\nContent-Length: 100\r\n\r\nhalf".encode())

    await far.notifier.send(ALERT, identity="a|1")


async def test_https_is_verified_with_ones_own_authority(far_end, server_context, ca_file):
    far = await far_end("webhook", tls_context=server_context, ca_file=ca_file)
    strict = await far_end("webhook", tls_context=server_context)

    await far.notifier.send(ALERT, identity="a|1")
    assert 1 == far.arrived()
    with pytest.raises(PermanentFailure, match="the certificate does not verify"):
        await strict.notifier.send(ALERT, identity="a|1")


async def test_a_proxy_of_the_environment_is_not_used(far_end, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    far = await far_end("webhook")

    await far.notifier.send(ALERT, identity="a|1")

    assert 1 == far.arrived()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "http://[::1/",
        "http://user:pw@127.0.0.1/",
    ],
)
async def test_an_address_that_cannot_be_used_is_a_permanent_failure_that_does_not_show_it(url, far_end):
    far = await far_end("webhook", url=url)

    with pytest.raises(PermanentFailure, match="channel webhook: the address") as failure:
        await far.notifier.send(ALERT, identity="a|1")
    assert "pw" not in str(failure.value).replace("password", "")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_server_that_drips_keeps_no_thread(scheme, far_end):
    far = await far_end("webhook", "drips", timeout=0.3)
    notifier = notifier_for(replace(far.channel, url=far.channel.url.replace("http:", f"{scheme}:")), KnownSecrets({}))

    with pytest.raises(TemporaryFailure):
        await notifier.send(ALERT, identity="a|1")

    async with asyncio.timeout(30):
        while any(thread.name == "channel webhook" for thread in threading.enumerate()):
            await asyncio.sleep(0.01)


async def test_a_ca_file_that_is_missing_says_so(far_end, server_context):
    far = await far_end("webhook", tls_context=server_context, ca_file="/nowhere/ca.pem")

    with pytest.raises(PermanentFailure, match="ca_file /nowhere/ca.pem cannot be used"):
        await far.notifier.send(ALERT, identity="a|1")


@pytest.mark.parametrize("kind", ["webhook", "alertmanager"])
async def test_the_alerts_own_page_is_where_it_comes_from(kind, far_end):
    far = await far_end(kind)
    page = "https://mailward.example.org/alerts/mailbox%20server%2Fbe1"

    await far.notifier.send(replace(ALERT, annotations={"dashboard": page}), identity="a|1")

    sent = json.loads(far.requests[0][2])
    (alert,) = sent["alerts"] if kind == "webhook" else sent
    assert page == alert["generatorURL"]
