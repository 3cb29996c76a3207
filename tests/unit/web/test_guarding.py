"""An answer that lasts ends when whoever gets it may come in no more."""

from mailward.model.credentials import Role
from mailward.testing.manager_values import EVENTS
from mailward.web.door import site_for
from mailward.web.settings import WebSettings


class Reader:
    """Reads a stream over ASGI; `said` is what has come, `ended` whether it is over."""

    def __init__(self, site, secret):
        self._site, self.said, self.ended = site, b"", False
        self.headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {secret}".encode())]

    async def read(self, *, told):
        async def receive():
            await told(None)
            return {"type": "http.disconnect"}

        async def send(message):
            self.said += message.get("body", b"")
            if message["type"] == "http.response.body":
                self.ended = not message.get("more_body", False)
                await told(self.said)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "path": "/api/v1/events/stream",
            "raw_path": b"/api/v1/events/stream",
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": self.headers,
            "client": ("192.0.2.7", 1),
            "server": ("127.0.0.1", 8143),
            "state": {},
        }
        await self._site(scope, receive, send)


async def test_a_stream_ends_with_the_token_it_was_opened_with(fake, keyring, clock):
    issued = await keyring.add_token("grafana", Role.VIEWER, lasting=None, actor="root")
    await keyring.add_token("another", Role.VIEWER, lasting=None, actor="root")
    site = site_for(fake, WebSettings(), keyring=keyring, key=b"k" * 32, clock=clock)
    reader, steps = Reader(site, issued.secret), []

    async def told(said):
        if said is None:
            return
        steps.append(len(steps))
        if len(steps) == 1:  # open: one event comes through
            await fake.record(EVENTS[0])
        elif len(steps) == 2:  # it came: the next does not any more
            await keyring.revoke_token("grafana", actor="root")
            await fake.record(EVENTS[1])

    await reader.read(told=told)

    assert reader.ended
    assert 1 == reader.said.count(b"\ndata: ")
