"""The dashboard without a socket, on the example organization: for an operator, or for a viewer."""

from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from mailward.testing.manager import FakeManager
from mailward.testing.platform import SetClock
from mailward.testing.repair_values import NOON
from mailward.web.access import Peer
from mailward.web.admission import PeerAdmission
from mailward.web.site import build_site


@dataclass
class Pages:
    """Gets pages and posts their forms."""

    ask: object
    manager: FakeManager
    more: dict

    async def get(self, path, *, query=None, viewer=False):
        return await self.ask(self._site(), "GET", path, query=query, peer=self._peer(viewer=viewer))

    async def post(self, path, *, viewer=False, **form):
        sent = urlencode(form).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        peer = self._peer(viewer=viewer)
        return await self.ask(self._site(), "POST", path, body=sent, headers=headers, peer=peer)

    def _site(self):
        admission = PeerAdmission(access=self.ask.access)
        return build_site(self.manager, admission=admission, clock=SetClock(NOON), **self.more)

    def _peer(self, *, viewer):
        access = self.ask.access
        return Peer(uid=1000, groups=frozenset({access.viewer_group})) if viewer else Peer(uid=0, groups=frozenset())


@pytest.fixture
def pages(ask, fake):
    return Pages(ask=ask, manager=fake, more={})


@pytest.fixture
def text():
    """A page's body as text."""
    return lambda answered: answered.body.decode()
