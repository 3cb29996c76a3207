"""What every HostControl keeps."""

import pytest

from mailward.model.errors import Refused, TemporaryFailure


async def test_the_boot_id_stays_until_the_host_restarts(host):
    first = await host.control.boot_id()
    assert first == await host.control.boot_id()

    await host.control.restart()

    assert first != await host.control.boot_id()


async def test_a_host_that_says_no_is_not_restarted(host):
    before = await host.refusing.boot_id()

    with pytest.raises(Refused):
        await host.refusing.restart()

    assert before == await host.refusing.boot_id()


async def test_a_host_that_does_not_answer_is_unknown(host):
    with pytest.raises(TemporaryFailure):
        await host.gone.boot_id()
    with pytest.raises(TemporaryFailure):
        await host.gone.restart()


async def test_the_words_of_a_restart(host):
    assert all(isinstance(word, str) and word for word in host.control.command())
    assert len(host.control.command()) > 1
