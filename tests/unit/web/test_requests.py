"""What a request carries is bounded, and read before anybody looks at it."""

import json


async def test_a_probe_needs_an_item_and_a_server(api):
    answered = await api("POST", "/api/v1/probe", body=b"{}")

    assert {"identity", "server"} == {error["parameter"] for error in answered.json["errors"]}


async def test_a_body_must_be_json(api):
    assert 400 == (await api("POST", "/api/v1/probe", body=b"{")).status
    assert 400 == (await api("POST", "/api/v1/probe", body=b"[1]")).status
    assert 400 == (await api("POST", "/api/v1/probe", body=b"[" * 60_000)).status
    answered = await api("POST", "/api/v1/probe", body=b"{}", headers={"content-type": "text/plain"})
    assert (415, "unsupported-media-type") == (answered.status, answered.json["code"])


async def test_a_parameter_of_the_wrong_kind_is_named(api):
    answered = await api("POST", "/api/v1/probe", body=json.dumps({"identity": ["a"], "server": "mbx2"}).encode())

    assert "identity" == answered.json["errors"][0]["parameter"]


async def test_a_body_larger_than_64_kib_is_not_read(api):
    answered = await api("POST", "/api/v1/probe", body=b'{"identity":"' + b"a" * 65_536 + b'"}')

    assert (413, "too-large") == (answered.status, answered.json["code"])


async def test_a_text_longer_than_500_characters_is_not_echoed(api):
    answered = await api("GET", "/api/v1/health", query={"server": "a" * 501})

    assert 400 == answered.status
    assert len(answered.body) < 500
