"""
A probe never touches a message without its own token: shown in a mailbox full of other people's mail, some of it
marked deleted by its owner, with and without UIDPLUS.
"""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailward.lab import control
from mailward.lab.lab import Lab
from mailward.model.probing import ResultType
from mailward.model.target import Turn
from mailward.probes.customer_touch_point import ImapCTPProbe
from mailward.probes.deep_test import ImapDeepTestProbe
from mailward.probes.messages import CANARY_HEADER, TOKEN_HEADER

USERS = {"uidplus": "anna", "none": "boris"}

#: Mail that looks as much like ours as somebody else's can.
LOOK_ALIKES = (
    "Subject: hello",
    f"Subject: Fwd: {TOKEN_HEADER}: mailward/abc",
    f"{TOKEN_HEADER}: another-organization/abc",
    f"{TOKEN_HEADER}: a note about mailward/abc\r\nX-Mailward-Sent: 2020-01-01T00:00:00+00:00",
    f"{CANARY_HEADER}: mailward/somebody-else",
)


@pytest.fixture(params=["uidplus", "none"])
def dovecot(request: pytest.FixtureRequest, one_box: Lab) -> Iterator[tuple[Lab, str]]:
    """A Dovecot that offers UIDPLUS or does not, and the user whose mailbox is full."""
    host = one_box.blueprint.hosts[0]
    setting = host.fault_settings / "without-uidplus.conf"
    if request.param == "none":
        setting.write_text(
            "protocol imap {\n  imap_capability = IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+\n}\n"
        )
        setting.chmod(0o644)
        control.ask(host.control_socket, "restart")
    yield one_box, USERS[request.param]
    if setting.exists():
        setting.unlink()
        control.ask(host.control_socket, "restart")


@contextmanager
def logged_in(lab: Lab, user: str) -> Iterator[imaplib.IMAP4]:
    """The owner of the mailbox, with Python's own client: what is proven here must not rest on our own code."""
    blueprint = lab.blueprint
    trusting = ssl.create_default_context(cafile=str(blueprint.ca_file))
    with imaplib.IMAP4_SSL(blueprint.hosts[0].address, blueprint.ports.imaps, ssl_context=trusting) as client:
        client.login(user, blueprint.password_file(user).read_text().strip())
        yield client


def fill(lab: Lab, user: str) -> None:
    """Fill the INBOX with other people's mail only; every third message was marked deleted by its owner."""
    with logged_in(lab, user) as client:
        client.select()
        client.uid("STORE", "1:*", "FLAGS", r"(\Deleted)")
        client.expunge()
        for number in range(60):
            header = LOOK_ALIKES[number % len(LOOK_ALIKES)]
            flags = r"(\Deleted)" if number % 3 == 0 else r"(\Flagged)"
            client.append("INBOX", flags, None, f"{header}\r\nFrom: a@b.example\r\n\r\nmail {number}\r\n".encode())


def mail_of(lab: Lab, user: str) -> dict[bytes, tuple[bytes, bytes]]:
    """Every message by its UID: flags and bytes, without ours. Recent is a session's own affair."""
    with logged_in(lab, user) as client:
        client.select(readonly=True)
        _, answers = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
    found = {}
    for answer in answers:
        if isinstance(answer, tuple):
            about, body = answer
            uid = about.split(b"UID ")[1].split(b" ")[0]
            flags = about.split(b"FLAGS (")[1].split(b")")[0].replace(rb"\Recent", b"").strip()
            found[uid] = (flags, body)
    return found


def is_ours(user: str, body: bytes) -> bool:
    return is_token(body) or f"\r\n{CANARY_HEADER}: mailward/{user}\r\n".encode() in body


def is_token(body: bytes) -> bool:
    return f"\r\n{TOKEN_HEADER}: mailward/".encode() in body


async def test_other_peoples_mail_stays_exactly_as_it_was(dovecot, equipment, target_in):
    lab, user = dovecot
    name = lab.blueprint.hosts[0].name
    fill(lab, user)
    before = mail_of(lab, user)
    assert 60 == len(before)

    first = await ImapDeepTestProbe(equipment).run(target_in(lab, name, user, turn=Turn.WRITE))
    results = [first]
    for turn in (Turn.WRITE, Turn.WRITE, Turn.READ, Turn.EXAMINE):
        target = target_in(lab, name, user, turn=turn, canary=first.canary)
        results.append(await ImapDeepTestProbe(equipment).run(target))
    results.append(await ImapCTPProbe(equipment).run(target_in(lab, name, user, canary=first.canary)))

    after = mail_of(lab, user)
    ours = {uid: mail for uid, mail in after.items() if uid not in before}
    assert [ResultType.SUCCEEDED] * 6 == [result.result for result in results], [result.detail for result in results]
    assert before == {uid: after.get(uid) for uid in before}
    assert all(is_ours(user, body) for _, body in ours.values())
    assert first.canary is not None


async def test_what_stays_of_ours_is_the_canary_and_without_uidplus_what_waits_for_the_owners_expunge(
    dovecot, equipment, target_in
):
    lab, user = dovecot
    has_uidplus = user == USERS["uidplus"]

    await ImapDeepTestProbe(equipment).run(target_in(lab, lab.blueprint.hosts[0].name, user, turn=Turn.WRITE))

    ours = [(flags, body) for flags, body in mail_of(lab, user).values() if is_ours(user, body)]
    canaries = [body for _, body in ours if not is_token(body)]
    waiting = [flags for flags, body in ours if is_token(body)]
    assert 1 == len(canaries)
    assert has_uidplus == (not waiting)
    assert all(rb"\Deleted" in flags for flags in waiting)
