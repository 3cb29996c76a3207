"""Logging in and out, as a browser without JavaScript does it."""

import logging
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import urlencode

import pytest

from mailward.model.credentials import Role
from mailward.model.event import EventKind
from mailward.testing.memory_credentials import MemoryCredentials
from mailward.testing.memory_store import MemoryStore
from mailward.web.door import site_for
from mailward.web.keyring import Keyring
from mailward.web.logging_in import REFUSED
from mailward.web.pages.login import local_path
from mailward.web.settings import WebSettings
from mailward.web.throttling import FREE_ATTEMPTS

PASSWORD = "correct horse battery"
PAGE = {"host": "localhost", "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def store(clock):
    return MemoryStore(clock=clock)


@pytest.fixture
async def keyring(store, clock, passwords):
    keyring = Keyring(MemoryCredentials(store), clock=clock, passwords=passwords)
    await keyring.add_user("Eva", Role.OPERATOR, PASSWORD, actor="root")
    return keyring


@pytest.fixture
def browser(ask, fake, keyring, clock):
    """Ask the site; what it says of a cookie is kept."""
    web = WebSettings(trusted_proxies=(ip_network("127.0.0.1"),))
    site = site_for(fake, web, keyring=keyring, key=b"k" * 32, clock=clock)
    jar = {}

    async def do(method, path, *, client="127.0.0.1", form=None, **headers):
        cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        body = urlencode(form or {}).encode()
        where, _, query = path.partition("?")
        sent = {**PAGE, **cookies, **{name.replace("_", "-"): value for name, value in headers.items()}}
        answered = await ask(site, method, where, query=query, body=body, client=client, headers=sent)
        if "set-cookie" in answered.headers:
            name, _, value = answered.headers["set-cookie"].partition(";")[0].partition("=")
            jar[name] = value
        return answered

    do.jar = jar
    return do


async def log_in(browser, password=PASSWORD, name="eva", **more):
    return await browser("POST", "/login", form={"name": name, "password": password, **more})


async def kinds(store) -> list[EventKind]:
    return [event.kind for event in await store.events()]


async def test_whoever_logs_in_gets_where_they_wanted_to_go(browser, keyring, store):
    wanted = await browser("GET", "/?show=all")
    assert (303, "/login?next=%2F%3Fshow%3Dall") == (wanted.status, wanted.headers["location"])
    page = await browser("GET", wanted.headers["location"])
    assert b'name="next" value="/?show=all"' in page.body

    answered = await log_in(browser, name=" EVA ", next="/?show=all")

    assert (303, "/?show=all") == (answered.status, answered.headers["location"])
    overview = await browser("GET", "/")
    assert (200, True) == (overview.status, b"Log out" in overview.body)
    await keyring.close()
    assert [EventKind.ACCESS_CHANGED, EventKind.LOGGED_IN] == await kinds(store)


async def test_a_page_to_log_in_on_tells_nothing_of_the_organization(browser, fake):
    page = await browser("GET", "/login")

    assert (200, False) == (page.status, fake.status_now.organization.encode() in page.body.lower())
    assert b"<script" not in page.body


@pytest.mark.parametrize("name", ["eva", "nobody", "", "'; --", "e" * 300])
async def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(browser, name):
    answered = await log_in(browser, name=name, password="wrong wrong wrong")

    assert (401, True) == (answered.status, REFUSED.encode() in answered.body)
    assert {} == browser.jar


async def test_an_unknown_user_costs_the_same_check(browser, passwords, monkeypatch):
    checked = []
    real = passwords.fits

    async def fits(password, password_hash):
        checked.append(password_hash is None)
        return await real(password, password_hash)

    monkeypatch.setattr(passwords, "fits", fits)
    await log_in(browser, name="eva", password="x")
    await log_in(browser, name="nobody", password="x")

    assert [False, True] == checked


async def test_too_many_attempts_wait_and_then_go_on(browser, clock):
    for _ in range(FREE_ATTEMPTS):
        assert 401 == (await log_in(browser, "wrong")).status

    answered = await log_in(browser)
    assert (429, "1") == (answered.status, answered.headers["retry-after"])
    assert b"too many attempts failed; the next is looked at in 1 s" in answered.body

    clock.advance(timedelta(seconds=1))
    assert 303 == (await log_in(browser)).status


async def test_attempts_are_counted_and_recorded_by_the_address_behind_a_trusted_proxy(browser, keyring, store):
    await browser("POST", "/login", form={"name": "eva", "password": "x"}, x_forwarded_for="1.2.3.4, 198.51.100.9")
    await keyring.close()

    failed = (await store.events())[-1]
    assert (EventKind.LOGIN_FAILED, "user eva", "198.51.100.9") == (failed.kind, failed.subject, failed.actor)


async def test_neither_a_password_nor_a_name_nobody_has_is_written_down(browser, keyring, store, caplog):
    caplog.set_level(logging.DEBUG)
    await log_in(browser, name="hunter2hunter2", password="hunter3hunter3")
    await log_in(browser)
    issued = await keyring.add_token("grafana", Role.VIEWER, lasting=None, actor="root")
    await keyring.close()

    written = f"{caplog.text} {await store.events()!r}"

    assert "somebody there is not" in written
    for secret in ("hunter2", "hunter3", PASSWORD, issued.secret):
        assert secret not in written


@pytest.mark.parametrize("deed", ["log out", "password", "remove"])
async def test_a_session_ends_at_once(browser, keyring, deed):
    await log_in(browser)
    assert 200 == (await browser("GET", "/")).status
    cookies = dict(browser.jar)

    if deed == "log out":
        answered = await browser("POST", "/logout")
        assert (303, "/login") == (answered.status, answered.headers["location"])
    elif deed == "password":
        await keyring.set_password("eva", "another horse battery", actor="root")
    else:
        await keyring.add_user("udo", Role.VIEWER, PASSWORD, actor="root")
        await keyring.remove_user("eva", actor="root")

    browser.jar.update(cookies)  # whoever kept the cookie
    assert 303 == (await browser("GET", "/")).status


async def test_a_session_lives_by_what_people_ask_for_and_not_by_a_page_that_refreshes_itself(browser, clock):
    await log_in(browser)
    for _ in range(3):
        clock.advance(timedelta(minutes=90))
        assert 200 == (await browser("GET", "/")).status

    for _ in range(2):
        clock.advance(timedelta(minutes=90))
        refreshed = await browser("GET", "/", hx_request="true")

    assert 303 == refreshed.status


async def test_with_the_first_user_login_is_asked_for_at_once_and_with_the_last_gone_no_more(browser, keyring):
    assert 303 == (await browser("GET", "/")).status

    await keyring.remove_user("eva", actor="root")
    assert 200 == (await browser("GET", "/")).status
    assert 403 == (await browser("GET", "/", client="192.0.2.1")).status

    await keyring.add_token("grafana", Role.VIEWER, lasting=None, actor="root")
    assert 303 == (await browser("GET", "/")).status


async def test_where_the_store_was_never_read_nobody_comes_in_but_load_balancers(ask, fake, store, clock, passwords):
    unread = Keyring(MemoryCredentials(store), clock=clock, passwords=passwords)
    site = site_for(fake, WebSettings(), keyring=unread, key=b"k" * 32, clock=clock)
    store.out_of_reach = True

    answered = [await ask(site, "GET", path, client="127.0.0.1") for path in ("/", "/api/v1/status", "/livez")]

    assert [503, 503, 200] == [one.status for one in answered]


async def test_while_the_store_is_gone_people_still_log_in(browser, keyring, store):
    store.out_of_reach = True

    assert 303 == (await log_in(browser)).status
    assert 200 == (await browser("GET", "/")).status
    await keyring.close()


async def test_a_link_from_another_site_asks_again_from_here_so_that_the_cookie_comes_along(browser):
    answered = await browser("GET", "/?show=all", sec_fetch_site="cross-site", sec_fetch_mode="navigate")

    assert 200 == answered.status
    assert b'<meta http-equiv="refresh" content="0; url=/?show=all">' in answered.body


async def test_a_form_of_another_site_cannot_log_anybody_in(browser):
    answered = await browser("POST", "/login", form={"name": "eva", "password": PASSWORD}, sec_fetch_site="cross-site")

    assert (403, {}) == (answered.status, browser.jar)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/", "/"),
        ("/servers/mbx1?x=%20y#z", "/servers/mbx1?x=%20y#z"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("\\\\evil.example/", "/"),
        ("/a\\b", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        (" /x", "/"),
        ("javascript:alert(1)", "/"),
        ("/login?next=/login", "/"),
        ("/logout", "/"),
        ("/" + "x" * 3000, "/"),
    ],
)
def test_after_logging_in_nobody_is_sent_elsewhere(text, path):
    assert path == local_path(text)
