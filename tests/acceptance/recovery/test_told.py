"""People are told by a real manager: once each, whatever happens to the manager, and of the end too."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import Any

import pytest

from mailward.lab.lab import Lab

from .conftest import Acting, until


class Receiver:
    """What Alertmanager's webhook receivers are: it keeps every body that was posted."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.keys.append(self.headers.get("Idempotency-Key"))
                outer.bodies.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def told(self, status: str) -> list[str]:
        """The texts of what fires, or is resolved, about the server's service."""
        return [
            alert["annotations"].get("description", "") + alert["annotations"].get("text", "")
            for body in self.bodies
            for alert in body["alerts"]
            if alert["status"] == status and "mail" in json.dumps(alert["labels"])
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_an_outage_is_told_once_also_across_a_killed_manager_and_its_end_is_told_too(
    one_box: Lab, receiver: Receiver
) -> None:
    more = f'group_wait = "1s"\n\n[notify.hook]\nkind = "webhook"\nurl = "{receiver.url}"\n'
    with Acting(one_box, more=more) as acting:
        tested = acting.client.test_channels("hook")
        assert [True] == [notice.sent_at is not None for notice in tested]
        receiver.bodies.clear()

        one_box.break_("service-stopped@mail")
        until(lambda: receiver.told("firing"), seconds=240, otherwise=acting.told)
        os.kill(acting.manager.pid, signal.SIGKILL)
        until(lambda: acting.manager.has_ended)
        acting.manager.start()
        until(acting.client.alerts, otherwise=acting.told)
        over = monotonic() + 6
        while monotonic() < over:  # time enough for a second notice, if there were one
            sleep(0.2)

        assert 1 == len(receiver.told("firing")), receiver.bodies
        (body,) = receiver.bodies
        assert ("4", "firing") == (body["version"], body["status"])
        text = json.dumps(body)
        for words in ("stopped on purpose", "mailward service start mail", "wiki.lab.example", "the mail team"):
            assert words in text

        one_box.heal()
        until(lambda: receiver.told("resolved"), seconds=240, otherwise=acting.told)
        assert len(set(receiver.keys)) == len(receiver.keys)
