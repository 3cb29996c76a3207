import asyncio
import socket

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.platforms.haproxy.runtime_socket import DONE, RuntimeSocket, excerpt


async def endless(writer):
    while True:
        writer.write(b"# pxname" + b"," * 65_536)
        await writer.drain()


async def drip(writer):
    """A letter now and then, for ever: each read succeeds, the whole never ends."""
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("\n", DONE),
        ("No such server.\n\n", "No such server."),
        ("one\ntwo\n\n", "one\ntwo"),
        ("\nPermission denied\n\n", "\nPermission denied"),
    ],
)
async def test_an_answer_comes_without_the_empty_line_that_ends_it(scripted, said, answer):
    scripted.answers = {"": [said]}

    assert answer == await RuntimeSocket(scripted.path).ask("show info")
    assert ["show info"] == scripted.heard


@pytest.mark.parametrize("said", ["", "No such ser", "No such server.\n", "# pxname,svname\nproxies,pro"])
async def test_an_answer_that_breaks_off_is_not_taken_for_an_answer(scripted, said):
    scripted.answers = {"": [said]}

    with pytest.raises(TemporaryFailure, match=r"breaks off|without an answer"):
        await RuntimeSocket(scripted.path).ask("show info")


@pytest.mark.parametrize("behaviour", [None, drip], ids=["silent", "a letter at a time"])
async def test_an_answer_that_takes_too_long_is_given_up(scripted, behaviour):
    scripted.answers = {"": [behaviour]}

    with pytest.raises(TemporaryFailure, match=r"did not answer 'show info' within 0.1 s"):
        await RuntimeSocket(scripted.path, seconds=0.1).ask("show info")


async def test_an_answer_without_end_is_given_up(scripted):
    scripted.answers = {"": [endless]}

    with pytest.raises(TemporaryFailure, match="does not end"):
        await RuntimeSocket(scripted.path, seconds=10).ask("show info")


async def test_bytes_that_are_no_text_are_an_answer_all_the_same(scripted):
    async def noise(writer):
        writer.write(bytes(range(128, 256)) + b"\n\n")

    scripted.answers = {"": [noise]}

    assert "\N{REPLACEMENT CHARACTER}" in await RuntimeSocket(scripted.path).ask("show info")


async def test_no_socket_and_nobody_behind_a_socket_say_where(tmp_path):
    deaf = tmp_path / "deaf.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(deaf))

    for path in (tmp_path / "nosuch.sock", deaf, tmp_path / ("x" * 200)):
        with pytest.raises(TemporaryFailure, match="HAProxy does not answer at"):
            await RuntimeSocket(path).ask("show info")


def test_an_excerpt_is_the_first_line_that_says_something_harmless_and_short():
    assert "No such server." == excerpt("\n  No such server.\nand more")
    assert "a?b" == excerpt("a\x1bb")
    assert 120 == len(excerpt("x" * 5000))
    assert "" == excerpt("\n\n")
