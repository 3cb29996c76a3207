"""What every MailDelivery keeps: it returns when somebody answers for the message, and says why nobody does."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aiosmtpd.lmtp import LMTP

from mailward.model.organization import LmtpEndpoint
from mailward.model.probing import Cause
from mailward.network.lmtp_delivery import LmtpDelivery
from mailward.ports.mail_delivery import DeliveryRefused
from mailward.ports.network import NetworkFailure
from mailward.testing.mail_delivery import MemoryDelivery
from mailward.testing.mailboxes import StoredMailbox

MESSAGE = b"Subject: a test\r\n\r\nThis line is followed by one dot.\r\n.\r\nAnd this is the last.\r\n"
HOST = "127.0.0.1"


class Mailboxes:
    """The far end of a real conversation."""

    def __init__(self) -> None:
        self.stored = {"health": StoredMailbox()}
        self.senders: list[str] = []
        self.answer = ""

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:  # noqa: N802
        if address not in self.stored:
            return f"550 5.1.1 <{address}> is not here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802
        if self.answer:
            return self.answer
        self.senders.append(envelope.mail_from)
        for user in envelope.rcpt_tos:
            self.stored[user].add(envelope.content)
        return "250 2.0.0 saved"


@asynccontextmanager
async def listening(answering, *, at: Path | None = None) -> AsyncIterator[LmtpEndpoint]:
    loop = asyncio.get_running_loop()
    if at is not None:
        server = await loop.create_unix_server(answering, str(at))
        door = LmtpEndpoint(host=str(at), port=None)
    else:
        server = await loop.create_server(answering, HOST, 0)
        door = LmtpEndpoint(host=HOST, port=server.sockets[0].getsockname()[1])
    try:
        yield door
    finally:
        server.close()


@pytest.fixture
def far_end():
    return Mailboxes()


@pytest.fixture(params=["tcp", "unix", "memory"])
async def way(request, far_end):
    """A MailDelivery and the door it finds the far end at."""
    if request.param == "memory":
        yield MemoryDelivery(far_end.stored), LmtpEndpoint(host="memory")
        return
    with TemporaryDirectory(prefix="mw") as name:
        at = Path(name) / "lmtp" if request.param == "unix" else None
        async with listening(lambda: LMTP(far_end, hostname="proxy1"), at=at) as door:
            yield LmtpDelivery(), door


async def test_what_is_answered_for_is_stored_byte_for_byte(way, far_end):
    delivery, door = way

    await delivery.deliver(door, recipient="health", message=MESSAGE, timeout=5)

    assert [MESSAGE] == [message.data for message in far_end.stored["health"].messages]


async def test_a_mailbox_that_is_not_there_is_refused_in_the_server_s_words(way):
    delivery, door = way

    with pytest.raises(DeliveryRefused) as refused:
        await delivery.deliver(door, recipient="nobody", message=MESSAGE, timeout=5)

    assert (550, "5.1.1 <nobody> is not here") == (refused.value.code, refused.value.said)


async def test_the_sender_is_nobody_so_that_no_answer_ever_comes_back(far_end):
    async with listening(lambda: LMTP(far_end, hostname="proxy1")) as door:
        await LmtpDelivery().deliver(door, recipient="health", message=MESSAGE, timeout=5)

    assert ["<>"] == far_end.senders


async def test_it_comes_from_the_address_that_probes_come_from(far_end):
    peers = []

    class Noting(LMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            peers.append(transport.get_extra_info("peername")[0])
            super().connection_made(transport)

    async with listening(lambda: Noting(far_end, hostname="proxy1")) as door:
        ours = replace(door, source_address="127.0.0.77")
        await LmtpDelivery().deliver(ours, recipient="health", message=MESSAGE, timeout=5)

    assert ["127.0.0.77"] == peers


async def test_a_message_that_is_not_answered_for_is_not_delivered(far_end):
    far_end.answer = "451 4.3.0 disk trouble"
    async with listening(lambda: LMTP(far_end, hostname="proxy1")) as door:
        with pytest.raises(DeliveryRefused) as refused:
            await LmtpDelivery().deliver(door, recipient="health", message=MESSAGE, timeout=5)

    assert (451, "4.3.0 disk trouble") == (refused.value.code, refused.value.said)


async def test_nobody_there_is_told_apart_from_nobody_answering():
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        door = LmtpEndpoint(host=HOST, port=unused.getsockname()[1])
        with pytest.raises(NetworkFailure) as failure:
            await LmtpDelivery().deliver(door, recipient="health", message=MESSAGE, timeout=5)
        assert Cause.REFUSED is failure.value.cause

        unused.listen()  # takes connections and never says a word
        with pytest.raises(NetworkFailure) as failure:
            await LmtpDelivery().deliver(door, recipient="health", message=MESSAGE, timeout=0.2)
        assert Cause.TIMEOUT is failure.value.cause


class HangsUp(asyncio.Protocol):
    """Ends the connection in place of an answer to DATA."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(b"220 proxy1 ready\r\n")

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"DATA"):
            self.transport.close()
        else:
            self.transport.write(b"250 2.0.0 OK\r\n")


async def test_a_server_that_hangs_up_leaves_it_unknown():
    async with listening(HangsUp) as door:
        with pytest.raises(NetworkFailure) as failure:
            await LmtpDelivery().deliver(door, recipient="health", message=MESSAGE, timeout=5)

    assert Cause.CLOSED is failure.value.cause


async def test_a_name_that_cannot_be_sent_is_our_own_trouble(far_end):
    async with listening(lambda: LMTP(far_end, hostname="proxy1")) as door:
        with pytest.raises(NetworkFailure) as failure:
            await LmtpDelivery().deliver(door, recipient="j\u00fcrgen", message=MESSAGE, timeout=5)

    assert Cause.PROBER_FAULT is failure.value.cause
