import pytest

from mailward.imap import (
    Append,
    Authenticate,
    Conversation,
    Credentials,
    Exists,
    Expunge,
    Id,
    Idle,
    Login,
    Noop,
    Select,
    UidExpunge,
    UidFetch,
    UidSearchDeleted,
    UidSearchHeader,
    UidStoreDeleted,
    Update,
)
from mailward.imap.sasl import Plain
from mailward.model.organization import ImapEndpoint, Security
from mailward.model.probing import Cause
from mailward.ports.network import NetworkFailure
from mailward.testing.memory_network import MemoryStream, ScriptedNetwork
from mailward.testing.obedient_server import CAPABILITIES, ObedientServer

ENDPOINT = ImapEndpoint(host="mb1.example", port=143, security=Security.PLAIN)
MESSAGE = b"Subject: token 42\r\nX-A: b\r\n\r\nhello\r\n"


class Client:
    def __init__(self, stream: MemoryStream) -> None:
        self.stream = stream
        self.talk = Conversation(security=Security.PLAIN, allow_plaintext_auth=True)

    async def greeted(self) -> "Client":
        while self.talk.greeting is None:
            self.talk.receive(await self.stream.read(timeout=1))
        return self

    async def run(self, command):
        self.talk.send(command)
        await self.stream.write(self.talk.data_to_send(), timeout=1)
        while self.talk.reply is None:
            self.talk.receive(await self.stream.read(timeout=1))
            await self.stream.write(self.talk.data_to_send(), timeout=1)
        return self.talk.reply


async def a_client(server: ObedientServer, *, logged_in: bool = True) -> Client:
    network = ScriptedNetwork({"mb1.example:143": server})
    addresses = await network.resolve(ENDPOINT, timeout=1)
    client = await Client(await network.connect(ENDPOINT, addresses, timeout=1)).greeted()
    if logged_in:
        assert (await client.run(Login("u1", "sesame"))).ok
        await client.run(Select("INBOX"))
    return client


@pytest.mark.parametrize("without", [(), ("LITERAL+",), ("SASL-IR",)])
async def test_a_message_can_be_stored_found_fetched_and_removed(without):
    offered = [name for name in CAPABILITIES if name not in without]
    client = await a_client(ObedientServer({"u1": "sesame"}, tls="", capabilities=offered))
    stored = await client.run(Append("INBOX", MESSAGE, flags=("\\Seen",)))
    found = await client.run(UidSearchHeader("Subject", "TOKEN 42"))
    fetched = await client.run(UidFetch(found.found, ("FLAGS", "BODY.PEEK[]", "BODY.PEEK[HEADER.FIELDS (X-A)]")))
    await client.run(UidStoreDeleted(found.found))
    marked = await client.run(UidSearchDeleted())
    removed = await client.run(UidExpunge(found.found))

    assert (1, (1,)) == stored.appended
    assert MESSAGE == fetched.messages[0].body
    assert b"X-A: b\r\n\r\n" == fetched.messages[0].bodies["BODY[HEADER.FIELDS (X-A)]"]
    assert (1,) == marked.found
    assert removed.ok
    assert () == (await client.run(UidSearchHeader("Subject", "token"))).found


async def test_uid_expunge_needs_uidplus_and_plain_expunge_takes_all():
    server = ObedientServer({"u1": "sesame"}, tls="", capabilities=["IMAP4rev1"])
    server.mailbox("u1").add(b"Subject: other\r\n\r\n", {"\\Deleted"})
    client = await a_client(server)

    assert (await client.run(Append("INBOX", MESSAGE))).appended is None
    assert not (await client.run(UidExpunge(1))).ok
    assert (await client.run(Expunge())).ok
    assert [2] == [message.uid for message in server.mailbox("u1").messages]


async def test_a_session_that_idles_is_told_of_what_another_stores():
    server = ObedientServer({"u1": "sesame"}, tls="")
    idle, writing = await a_client(server), await a_client(server)
    idle.talk.send(Idle())
    await idle.stream.write(idle.talk.data_to_send(), timeout=1)
    idle.talk.receive(await idle.stream.read(timeout=1))
    await writing.run(Append("INBOX", MESSAGE))

    assert [Update(Exists(1))] == idle.talk.receive(await idle.stream.read(timeout=1))


async def test_a_master_user_opens_another_users_mailbox():
    server = ObedientServer({"master": "key"}, tls="")
    server.mailbox("u1").add(MESSAGE)
    client = await a_client(server, logged_in=False)
    credentials = Credentials(user="u1", password="key", login_as="master")

    assert (await client.run(Authenticate(Plain(credentials)))).ok
    assert 1 == (await client.run(Select("INBOX"))).mailbox.exists


async def test_it_refuses_and_hangs_as_it_is_told():
    server = ObedientServer(
        {"u1": "sesame"},
        tls="",
        identity={"name": "Dovecot", "x-backend": "be1"},
        refuses={"SELECT": "NO [SERVERBUG] Internal error"},
        hangs_on={"NOOP"},
    )
    client = await a_client(server)

    assert {"name": "Dovecot", "x-backend": "be1"} == (await client.run(Id())).identity
    assert "SERVERBUG" == (await client.run(Select("INBOX"))).code_name
    with pytest.raises(NetworkFailure) as caught:
        await client.run(Noop())
    assert Cause.TIMEOUT == caught.value.cause


async def test_a_wrong_password_is_refused():
    client = await a_client(ObedientServer({"u1": "sesame"}, tls=""), logged_in=False)

    assert "AUTHENTICATIONFAILED" == (await client.run(Login("u1", "wrong"))).code_name
