"""What every Credentials keeps; an implementation joins by adding itself to `kept`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from mailward.model.credentials import AccessToken, Role, User
from mailward.model.errors import TemporaryFailure
from mailward.model.event import Event, EventKind
from mailward.ports.credentials import Credentials, KeptToken
from mailward.ports.store import Store
from mailward.storage.credentials import SqliteCredentials
from mailward.storage.sqlite import SqliteStore
from mailward.testing.memory_credentials import MemoryCredentials
from mailward.testing.memory_store import MemoryStore
from mailward.testing.platform import NOON, SetClock

EVA = User(name="eva", role=Role.OPERATOR, created_at=NOON, created_by="root")
UDO = User(name="udo", role=Role.VIEWER, created_at=NOON, created_by="eva")
GRAFANA = AccessToken(
    name="grafana", role=Role.VIEWER, created_at=NOON, created_by="eva", expires_at=NOON + timedelta(days=90)
)


@dataclass
class Kept:
    """Credentials, the store they are in, and how often somebody was told of events."""

    store: Store
    told: list[None] = field(default_factory=list)
    credentials: Credentials = None  # type: ignore[assignment]

    async def events(self) -> list[str]:
        return [event.because for event in await self.store.events()]


@pytest.fixture(params=["memory", "sqlite"])
async def kept(request, tmp_path) -> AsyncIterator[Kept]:
    clock = SetClock()
    if request.param == "memory":
        memory = MemoryStore(clock=clock)
        made = Kept(memory)
        made.credentials = MemoryCredentials(memory, stored=lambda: made.told.append(None))
    else:
        sqlite = SqliteStore(tmp_path / "db", clock=clock)
        await sqlite.open()
        made = Kept(sqlite)
        made.credentials = SqliteCredentials(sqlite.database, stored=lambda: made.told.append(None))
    yield made
    await made.store.close()


@pytest.fixture
def credentials(kept) -> Credentials:
    return kept.credentials


def an_event(because: str) -> Event:
    return Event(at=NOON, kind=EventKind.ACCESS_CHANGED, subject="user eva", because=because, actor="root")


async def generation(credentials: Credentials) -> int:
    (only,) = await credentials.users()
    return only.generation


async def test_a_user_is_given_back_with_what_a_login_is_checked_against(kept, credentials):
    assert await credentials.add_user(UDO, "hash of udo")
    assert await credentials.add_user(EVA, "hash of eva", [an_event("eva was added")])

    users = await credentials.users()

    assert [(EVA, "hash of eva"), (UDO, "hash of udo")] == [(one.user, one.password_hash) for one in users]
    assert (["eva was added"], 1) == (await kept.events(), len(kept.told))


async def test_a_name_is_given_once_and_the_second_attempt_stores_no_event(kept, credentials):
    await credentials.add_user(EVA, "hash")

    assert not await credentials.add_user(replace(EVA, role=Role.VIEWER), "other", [an_event("again")])

    (only,) = await credentials.users()
    assert (EVA, "hash", []) == (only.user, only.password_hash, await kept.events())


@pytest.mark.parametrize("deed", ["set_password", "end_sessions"])
async def test_a_new_password_and_the_end_of_sessions_make_a_new_generation(kept, credentials, deed):
    await credentials.add_user(EVA, "old")
    before = await generation(credentials)

    if deed == "set_password":
        assert await credentials.set_password("eva", "new", [an_event("done")])
    else:
        assert await credentials.end_sessions("eva", [an_event("done")])

    assert before < await generation(credentials)
    (only,) = await credentials.users()
    assert ("new" if deed == "set_password" else "old", ["done"]) == (only.password_hash, await kept.events())


async def test_whoever_gets_the_name_of_somebody_removed_gets_none_of_their_sessions(kept, credentials):
    await credentials.add_user(EVA, "hash")
    before = await generation(credentials)

    assert await credentials.remove_user("eva", [an_event("eva was removed")])
    assert () == await credentials.users()
    await credentials.add_user(EVA, "hash")

    assert before < await generation(credentials)
    assert ["eva was removed"] == await kept.events()


async def test_what_is_not_there_cannot_be_changed_and_stores_no_event(kept, credentials):
    event = an_event("what?")

    done = [
        await credentials.set_password("eva", "hash", [event]),
        await credentials.end_sessions("eva", [event]),
        await credentials.remove_user("eva", [event]),
        await credentials.revoke_token("grafana", [event]),
    ]
    await credentials.note_login("eva", NOON, [event])
    await credentials.note_use("grafana", NOON)

    assert ([False] * 4, []) == (done, await kept.events())


async def test_a_login_is_remembered_with_its_event_and_ends_no_session(kept, credentials):
    await credentials.add_user(EVA, "hash")
    before = await generation(credentials)

    await credentials.note_login("eva", NOON + timedelta(hours=1), [an_event("eva logged in")])

    (only,) = await credentials.users()
    assert (replace(EVA, last_login_at=NOON + timedelta(hours=1)), before) == (only.user, only.generation)
    assert ["eva logged in"] == await kept.events()


async def test_a_token_is_known_by_its_digest_until_it_is_revoked(kept, credentials):
    assert await credentials.add_token(GRAFANA, "ab" * 32, [an_event("grafana was added")])
    assert not await credentials.add_token(GRAFANA, "cd" * 32, [an_event("again")])
    assert (KeptToken(token=GRAFANA, digest="ab" * 32),) == await credentials.tokens()

    assert await credentials.revoke_token("grafana", [an_event("grafana was revoked")])

    assert () == await credentials.tokens()
    assert ["grafana was added", "grafana was revoked"] == await kept.events()


async def test_when_a_token_was_used_is_remembered(credentials):
    await credentials.add_token(GRAFANA, "ab" * 32)

    await credentials.note_use("grafana", NOON + timedelta(minutes=5))

    (only,) = await credentials.tokens()
    assert replace(GRAFANA, last_used_at=NOON + timedelta(minutes=5)) == only.token


async def test_what_came_to_nothing_is_recorded(kept, credentials):
    await credentials.record([an_event("wrong password")])

    assert (["wrong password"], 1) == (await kept.events(), len(kept.told))


async def test_a_hash_is_in_no_text_of_a_value(credentials):
    await credentials.add_user(EVA, "secret hash")
    await credentials.add_token(GRAFANA, "ab" * 32)

    shown = f"{await credentials.users()!r} {await credentials.tokens()!r}"

    assert "eva" in shown
    assert [] == [secret for secret in ("secret hash", "abab") if secret in shown]


async def test_a_store_that_is_gone_is_said_so(kept, credentials):
    if isinstance(kept.store, MemoryStore):
        kept.store.out_of_reach = True
    else:
        await kept.store.close()

    with pytest.raises(TemporaryFailure):
        await credentials.users()
    with pytest.raises(TemporaryFailure):
        await credentials.add_user(EVA, "hash")
