import asyncio
import contextlib
import json

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.platforms.supervisor.host import SupervisedHost
from mailward.platforms.supervisor.supervised_service import SupervisedService
from mailward.ports.service_control import ServiceDeed


@contextlib.asynccontextmanager
async def a_supervisor(path, *answers):
    """Answers every request with the next line, then hangs up."""
    heard = []

    async def serve(reader, writer):
        heard.append(json.loads(await reader.readline())["verb"])
        for answer in answers:
            writer.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield heard
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("running", ServiceState.RUNNING),
        ("starting", ServiceState.RUNNING),
        ("failed", ServiceState.FAILED),
        ("stopped", ServiceState.STOPPED),
        ("stopping", ServiceState.STOPPED),
        ("hung", ServiceState.HUNG),
        ("a new word", ServiceState.UNKNOWN),
    ],
)
async def test_the_state_a_supervisor_tells(shown, expected, tmp_path):
    answer = {"ok": True, "state": shown, "because": "so it is", "pid": 7, "since": 0, "starts": 2, "in_kernel": True}
    async with a_supervisor(tmp_path / "s", answer):
        status = await SupervisedService(tmp_path / "s").status()

    assert (expected, "so it is", 7, 2, True) == (
        status.state,
        status.because,
        status.pid,
        status.starts,
        status.in_kernel,
    )


async def test_ends_are_told_and_everything_else_is_passed_over(tmp_path):
    states = ["running", "stopping", "stopped", "starting", "running", "failed"]
    answers = [{"ok": True, "state": state, "because": state} for state in states]
    async with a_supervisor(tmp_path / "s", *answers) as heard:
        exits = SupervisedService(tmp_path / "s").exits()
        seen = [(await anext(exits)).state for _ in range(2)]
        with pytest.raises(TemporaryFailure, match="hung up"):
            await anext(exits)

    assert ([ServiceState.STOPPED, ServiceState.FAILED], ["watch"]) == (seen, heard)


async def test_a_refusal_is_told_in_the_supervisors_words(tmp_path):
    async with a_supervisor(tmp_path / "s", {"ok": False, "error": "the configuration on disk is invalid"}):
        with pytest.raises(Refused, match="the configuration on disk is invalid"):
            await SupervisedService(tmp_path / "s").reload()


@pytest.mark.parametrize("answer", [b"hello\n", b"[]\n", b"{}\n", b"\xff\n", b"x" * 100_000])
async def test_nonsense_is_unknown_not_down(answer, tmp_path):
    async with a_supervisor(tmp_path / "s", answer):
        with pytest.raises(TemporaryFailure):
            await SupervisedService(tmp_path / "s").status()


async def test_a_supervisor_that_is_not_there_is_unknown_not_down(tmp_path):
    with pytest.raises(TemporaryFailure, match="no supervisor answers"):
        await SupervisedService(tmp_path / "nosuch").status()


@pytest.mark.parametrize("deed", [deed for deed in ServiceDeed if deed is not ServiceDeed.ENABLE])
async def test_a_deed_sends_the_very_verb_that_a_rehearsal_shows(deed, tmp_path):
    service = SupervisedService(tmp_path / "s")
    async with a_supervisor(tmp_path / "s", {"ok": True, "state": "running"}) as heard:
        await getattr(service, deed.value)()

    assert ("supervisor", str(tmp_path / "s"), *heard) == service.command(deed)


@pytest.mark.parametrize(("valid", "expected"), [(True, True), (False, False), (None, None), ("yes", None)])
async def test_what_the_supervisor_says_of_the_configuration(valid, expected, tmp_path):
    async with a_supervisor(tmp_path / "s", {"ok": True, "valid": valid, "because": "line 7"}) as heard:
        check = await SupervisedService(tmp_path / "s").check_configuration()

    assert (["check"], expected, "line 7") == (heard, check.is_valid, check.because)


async def test_a_supervisor_without_that_verb_cannot_check(tmp_path):
    async with a_supervisor(tmp_path / "s", {"ok": False, "error": "there is no verb 'check'"}):
        check = await SupervisedService(tmp_path / "s").check_configuration()

    assert None is check.is_valid


@pytest.mark.parametrize(("state", "busy"), [("starting", 1), ("stopping", 1), ("running", 0), ("failed", 0)])
async def test_a_supervisor_that_starts_or_stops_the_service_is_at_work(state, busy, tmp_path):
    async with a_supervisor(tmp_path / "s", {"ok": True, "state": state, "because": "so it is"}):
        assert busy == len(await SupervisedService(tmp_path / "s").others_at_work())


async def test_a_host_restarts_by_the_verb_that_a_rehearsal_shows(tmp_path):
    host = SupervisedHost(tmp_path / "s")
    async with a_supervisor(tmp_path / "s", {"ok": True, "boot_id": "b1"}) as heard:
        assert "b1" == await host.boot_id()
        await host.restart()

    assert ["boot-id", "restart-host"] == heard
    assert ("supervisor", str(tmp_path / "s"), "restart-host") == host.command()


async def test_a_host_whose_supervisor_is_gone_is_unknown(tmp_path):
    with pytest.raises(TemporaryFailure, match="no supervisor answers"):
        await SupervisedHost(tmp_path / "s").boot_id()


async def test_a_supervisor_without_boot_id_says_nothing(tmp_path):
    async with a_supervisor(tmp_path / "s", {"ok": True}):
        with pytest.raises(TemporaryFailure, match="tells no boot id"):
            await SupervisedHost(tmp_path / "s").boot_id()
