"""Users and tokens as operators change them."""

from datetime import timedelta

import pytest

from mailward.model.credentials import Role
from mailward.model.errors import NotFound, Refused
from mailward.testing.memory_credentials import MemoryCredentials
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON
from mailward.web.keyring import TOKEN_PREFIX, Keyring, digest_of

PASSWORD = "correct horse battery"


@pytest.fixture
def store(clock):
    return MemoryStore(clock=clock)


@pytest.fixture
def keyring(store, clock, passwords):
    return Keyring(MemoryCredentials(store), clock=clock, passwords=passwords)


@pytest.mark.parametrize("name", ["", "-eva", "e v a", "eva/x", "ëva", "x" * 65, "eva\n"])
async def test_a_name_that_cannot_be_is_refused(keyring, name):
    with pytest.raises(Refused, match="cannot be the name of a user"):
        await keyring.add_user(name, Role.VIEWER, PASSWORD, actor="root")
    with pytest.raises(Refused, match="cannot be the name of a token"):
        await keyring.add_token(name, Role.VIEWER, lasting=None, actor="root")


@pytest.mark.parametrize("password", ["short", "a" * 20, "evaevaevaeva", "x" * 501])
async def test_a_password_that_is_easy_to_guess_is_refused_and_not_repeated(keyring, password):
    with pytest.raises(Refused, match="a few words make a good one") as refused:
        await keyring.add_user("eva", Role.VIEWER, password, actor="root")

    assert password not in str(refused.value)
    assert () == await keyring.users()


async def test_a_user_is_added_once_whatever_the_capitals(keyring):
    added = await keyring.add_user("Eva", Role.OPERATOR, PASSWORD, actor="root")

    assert ("eva", NOON, "root") == (added.name, added.created_at, added.created_by)
    with pytest.raises(Refused, match="there is a user eva already"):
        await keyring.add_user("EVA", Role.VIEWER, PASSWORD, actor="root")


async def test_an_unknown_name_is_not_found_and_the_nearest_is_named(keyring):
    await keyring.add_user("eva", Role.VIEWER, PASSWORD, actor="root")
    await keyring.add_token("grafana", Role.VIEWER, lasting=None, actor="root")

    for deed in (
        lambda: keyring.set_password("evan", PASSWORD, actor="root"),
        lambda: keyring.remove_user("evan", actor="root"),
    ):
        with pytest.raises(NotFound, match="no user 'evan'; did you mean 'eva'"):
            await deed()
    with pytest.raises(NotFound, match="no token 'grafan'; did you mean 'grafana'"):
        await keyring.revoke_token("grafan", actor="root")


async def test_a_tokens_secret_is_told_once_and_kept_as_a_digest_alone(keyring, store):
    issued = await keyring.add_token("grafana", Role.VIEWER, lasting=timedelta(days=90), actor="root")

    assert issued.secret.startswith(TOKEN_PREFIX)
    assert NOON + timedelta(days=90) == issued.token.expires_at
    assert [digest_of(issued.secret)] == list((await keyring.known()).tokens)
    assert issued.secret not in f"{issued!r} {store.tokens!r}"


async def test_every_change_is_recorded_with_who_made_it(keyring, store):
    await keyring.add_user("eva", Role.VIEWER, PASSWORD, actor="root")
    await keyring.set_password("eva", PASSWORD + "!", actor="root")
    await keyring.add_token("grafana", Role.VIEWER, lasting=None, actor="eva")
    await keyring.revoke_token("grafana", actor="eva")
    await keyring.end_sessions("eva")
    await keyring.remove_user("eva", actor="root")

    assert [
        ("user eva", "root added the viewer eva"),
        ("user eva", "root changed the password of eva"),
        ("token grafana", "eva made the viewer token grafana that does not expire"),
        ("token grafana", "eva revoked the token grafana"),
        ("user eva", "eva logged out, everywhere"),
        ("user eva", "root removed the viewer eva"),
    ] == [(event.subject, event.because) for event in await store.events()]


async def test_the_use_of_a_token_is_stored_once_a_minute(keyring, store, clock):
    issued = await keyring.add_token("grafana", Role.VIEWER, lasting=None, actor="root")

    used = []
    for passed in (0, 59, 1):
        clock.advance(timedelta(seconds=passed))
        keyring.note_use(issued.token)
        await keyring.close()
        used.append((await keyring.tokens())[0].last_used_at)

    assert [NOON, NOON, NOON + timedelta(minutes=1)] == used
