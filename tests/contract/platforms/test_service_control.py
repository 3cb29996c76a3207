"""What every ServiceControl keeps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mailward.model.errors import Refused, TemporaryFailure
from mailward.model.evidence import ServiceState
from mailward.ports.service_control import ServiceDeed


@asynccontextmanager
async def watching(control) -> AsyncIterator[asyncio.Queue]:
    """The ends a control tells of, as they come."""
    ends: asyncio.Queue = asyncio.Queue()

    async def watch():
        async for status in control.exits():
            ends.put_nowait(status)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.2)  # the watch has no way to say that it stands
    try:
        yield ends
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def words_or_refusal(control, deed) -> tuple[str, ...] | str:
    try:
        return control.command(deed)
    except Refused as refusal:
        return str(refusal)


async def soon(awaitable):
    async with asyncio.timeout(10):
        return await awaitable


async def test_a_running_service_is_running_with_its_process(service):
    status = await service.control.status()

    assert ServiceState.RUNNING == status.state
    assert status.pid is not None
    assert status.because


async def test_a_killed_service_has_failed_and_that_is_told_at_once(service):
    async with watching(service.control) as ends:
        await service.kill()
        told = await soon(ends.get())

    assert ServiceState.FAILED == told.state
    assert ServiceState.FAILED == (await service.control.status()).state


async def test_a_stopped_service_was_stopped_on_purpose_and_that_is_told(service):
    async with watching(service.control) as ends:
        await service.control.stop()
        told = await soon(ends.get())

    assert ServiceState.STOPPED == told.state
    assert ServiceState.STOPPED == (await service.control.status()).state


async def test_a_service_that_is_not_running_to_begin_with_is_told_at_once(service):
    await service.kill()

    async with watching(service.control) as ends:
        assert ServiceState.FAILED == (await soon(ends.get())).state


async def test_stopping_a_stopped_service_changes_nothing(service):
    await service.control.stop()
    await service.control.stop()

    assert ServiceState.STOPPED == (await service.control.status()).state


async def test_starting_a_running_service_changes_nothing(service):
    before = await service.control.status()

    await service.control.start()

    assert before.pid == (await service.control.status()).pid


async def test_a_failed_service_can_be_started_or_says_why_not(service):
    await service.kill()
    async with asyncio.timeout(10):
        while (await service.control.status()).state is not ServiceState.FAILED:
            await asyncio.sleep(0.005)

    if service.can_start:
        await service.control.start()
        assert ServiceState.RUNNING == (await service.control.status()).state
    else:
        with pytest.raises(Refused):
            await service.control.start()


async def test_restarting_gives_a_new_process_or_leaves_the_old_one_alone(service):
    before = await service.control.status()

    if service.can_start:
        await service.control.restart()
    else:
        with pytest.raises(Refused):
            await service.control.restart()

    after = await service.control.status()
    assert (ServiceState.RUNNING, service.can_start) == (after.state, before.pid != after.pid)


async def test_reloading_keeps_the_process(service):
    before = await service.control.status()

    await service.control.reload()

    assert before.pid == (await service.control.status()).pid


async def test_a_host_that_cannot_be_asked_is_unknown_never_down(service):
    with pytest.raises(TemporaryFailure):
        await service.unreachable.status()
    with pytest.raises(TemporaryFailure):
        await anext(service.unreachable.exits())


@pytest.mark.parametrize("deed", list(ServiceDeed))
async def test_every_deed_has_its_words_or_says_why_not(service, deed):
    said = words_or_refusal(service.control, deed)

    assert "not available on this platform: " in said or (said and all(isinstance(word, str) and word for word in said))


async def test_what_has_no_words_is_refused_and_changes_nothing(service):
    before = await service.control.status()
    for deed in ServiceDeed:
        # a running one is left alone, whether it could be started or not
        if isinstance(words_or_refusal(service.control, deed), str) and deed is not ServiceDeed.START:
            with pytest.raises(Refused, match="not available on this platform: "):
                await getattr(service.control, deed.value)()

    assert before.pid == (await service.control.status()).pid


async def test_a_configuration_check_says_what_it_found_and_changes_nothing(service):
    before = await service.control.status()

    check = await service.control.check_configuration()

    assert check.is_valid in (True, None)
    assert check.because
    assert before.pid == (await service.control.status()).pid


async def test_nobody_else_is_at_work_and_marks_say_who_is(service):
    assert () == await service.control.others_at_work()

    service.mark()

    assert 1 == len(await service.control.others_at_work())


async def test_another_run_of_the_service_shows(service):
    if not service.can_start:
        pytest.skip("it cannot be started again")
    before = await service.control.status()

    await service.control.restart()

    after = await service.control.status()
    assert (before.pid, before.starts) != (after.pid, after.starts)
    if before.since is not None:
        assert before.since <= after.since


async def test_since_when_it_runs_is_the_start_of_its_process_not_the_last_reload(service):
    before = await service.control.status()

    await service.control.reload()

    assert before.since == (await service.control.status()).since


async def test_a_host_that_cannot_be_asked_does_nothing(service):
    with pytest.raises(TemporaryFailure):
        await service.unreachable.stop()
