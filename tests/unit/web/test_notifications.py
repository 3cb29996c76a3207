"""Alertmanager's webhook as a route."""

import json

import pytest

from mailward.testing.repair_values import NOON
from mailward.web.notifications import ALERTS_MAX, BYTES_MAX

PATH = "/api/v1/alertmanager"
ALERT = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "server": "mbx1", "severity": "warning"},
    "annotations": {"summary": "/srv is\nfull", "runbook_url": "https://runbooks.example.org/disk"},
    "startsAt": "2026-11-24T12:00:00.123Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "",
    "fingerprint": "a1b2",
}
BODY = {
    "receiver": "mailward",
    "status": "firing",
    "alerts": [ALERT],
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://am.example.org",
    "version": "4",
    "groupKey": "{}:{}",
    "truncatedAlerts": 0,
}


async def post(api, body=BODY, **how):
    return await api("POST", PATH, body=json.dumps(body).encode(), **how)


async def test_what_fires_is_taken_as_it_was_said(api, fake):
    fake.server_names.append("mbx1")

    answered = await post(api)

    assert 200 == answered.status
    ((actor, taken),) = fake.notifications
    assert ("mailward", "DiskFull", True, "a1b2", "mbx1") == (
        actor,
        taken.name,
        taken.firing,
        taken.fingerprint,
        taken.server,
    )
    assert ("warning", "/srv is full", NOON) == (taken.severity, taken.summary, taken.starts_at)
    assert ["mbx1"] == [one["server"] for one in answered.json["items"]]


async def test_the_end_is_taken_too(api, fake):
    await post(api, {**BODY, "alerts": [{**ALERT, "status": "resolved"}]})

    assert [False] == [one.firing for _, one in fake.notifications]


async def test_what_a_later_alertmanager_adds_is_passed_over(api):
    assert 200 == (await post(api, {**BODY, "notificationReason": "x", "alerts": [{**ALERT, "more": 1}]})).status


async def test_without_a_fingerprint_the_labels_identify(api, fake):
    bare = {key: value for key, value in ALERT.items() if key != "fingerprint"}
    await post(api, {**BODY, "alerts": [bare, bare, {**bare, "labels": {"alertname": "Other"}}]})

    assert 2 == len({one.fingerprint for _, one in fake.notifications})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**BODY, "version": "3"},
        {**BODY, "alerts": None},
        {**BODY, "alerts": "x"},
        {**BODY, "alerts": ["x"]},
        {**BODY, "alerts": [{**ALERT, "status": "burning"}]},
        {**BODY, "alerts": [{**ALERT, "status": {}}]},
        {**BODY, "alerts": [{**ALERT, "labels": []}]},
        {**BODY, "alerts": [{**ALERT, "annotations": {"summary": 7}}]},
        {**BODY, "alerts": [{**ALERT, "startsAt": "yesterday"}]},
        {**BODY, "alerts": [ALERT] * (ALERTS_MAX + 1)},
    ],
)
async def test_what_cannot_be_read_is_refused_as_a_whole(api, fake, body):
    assert (await post(api, body)).status in (400, 413)
    assert [] == fake.notifications


async def test_a_group_may_be_large_but_not_boundless(api):
    large = {**ALERT, "annotations": {"text": "x" * 100_000}}

    assert 200 == (await post(api, {**BODY, "alerts": [large]})).status
    assert 413 == (await api("POST", PATH, body=b"x" * (BYTES_MAX + 1))).status
