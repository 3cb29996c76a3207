"""/metrics and /probe as routes: whoever may look may scrape."""

import gzip

import pytest

from mailward.web.admission import PeerAdmission
from mailward.web.api import build_api

from .conftest import ACCESS

DEEP = {"target": "mbx2", "module": "ImapDeepTestProbe"}


async def test_a_viewer_scrapes_plain_text(api):
    answered = await api("GET", "/metrics", peer="viewer")

    assert 200 == answered.status
    assert answered.headers["content-type"].startswith("text/plain; version=")
    assert "no-store" == answered.headers["cache-control"]
    assert b"mailward_store_reachable 1.0" in answered.body


async def test_the_form_follows_what_the_asker_reads(api):
    answered = await api(
        "GET", "/metrics", headers={"accept": "application/openmetrics-text", "accept-encoding": "gzip"}
    )

    assert answered.headers["content-type"].startswith("application/openmetrics-text")
    assert "gzip" == answered.headers["content-encoding"]
    assert gzip.decompress(answered.body).endswith(b"# EOF\n")


async def test_a_viewer_has_a_server_probed(api, fake):
    answered = await api("GET", "/probe", query=DEEP, peer="viewer")

    assert (200, True) == (answered.status, b"probe_success 0.0" in answered.body)
    assert 1 == len(fake.probed_by)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"target": "mbx2"}, 400),
        ({"module": "ImapDeepTestProbe"}, 400),
        ({**DEEP, "hostname": "other.example.net"}, 400),
        ({**DEEP, "target": "192.0.2.1"}, 404),
        ({**DEEP, "module": "ImapCTPProbe"}, 404),
    ],
)
async def test_what_is_asked_wrongly_is_a_problem_and_probes_nothing(api, fake, query, status):
    assert status == (await api("GET", "/probe", query=query)).status
    assert [] == fake.probed_by


async def test_where_nothing_is_exposed_there_is_nothing(ask, fake):
    app = build_api(fake, admission=PeerAdmission(access=ACCESS))

    assert 404 == (await ask(app, "GET", "/metrics")).status
