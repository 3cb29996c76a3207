"""The cookie of a session: signed, bounded in time, kept from scripts; and the key it is signed with."""

import stat
from dataclasses import replace
from datetime import timedelta

import pytest

from mailward.model.errors import ConfigError
from mailward.testing.platform import NOON
from mailward.web.sessions import Session, SessionRule, signing_key

HOUR = timedelta(hours=1)
RULE = SessionRule(key=b"k" * 32, lasts=12 * HOUR, idle=2 * HOUR, is_secure=False)
SECURE = replace(RULE, is_secure=True)
SESSION = Session(user="eva", generation=7, begun_at=NOON, seen_at=NOON)


def value(cookie: str) -> str:
    return cookie.partition(";")[0].partition("=")[2]


def test_what_was_written_is_read_and_nothing_else():
    written = value(RULE.written(SESSION))

    assert SESSION == RULE.read(written)
    for other in ("", "x", written[:-1], "A" + written, written.upper()):
        assert None is RULE.read(other)
    assert None is replace(RULE, key=b"x" * 32).read(written)


def test_it_is_hidden_from_scripts_goes_to_this_site_alone_and_by_https_where_there_is_https():
    _, _, plain = RULE.written(SESSION).partition("; ")
    assert "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict" == plain
    assert SECURE.written(SESSION).startswith("__Host-mailward=")
    assert SECURE.written(SESSION).endswith("; HttpOnly; SameSite=Strict; Secure")
    assert "Max-Age=0;" in SECURE.taken_away()


@pytest.mark.parametrize(
    ("begun", "seen", "is_valid"),
    [
        (NOON, NOON, True),
        (NOON - 12 * HOUR, NOON, False),
        (NOON - 11 * HOUR, NOON - HOUR, True),
        (NOON - 3 * HOUR, NOON - 2 * HOUR, False),
        (NOON + HOUR, NOON + HOUR, True),
    ],
)
def test_it_runs_out_by_age_and_by_idleness(begun, seen, is_valid):
    assert is_valid == RULE.is_valid(replace(SESSION, begun_at=begun, seen_at=seen), now=NOON)


def test_it_is_written_anew_once_a_minute_at_most():
    later = NOON + timedelta(minutes=1)

    assert None is RULE.renewed(SESSION, now=later - timedelta(seconds=1))
    assert replace(SESSION, seen_at=later) == RULE.renewed(SESSION, now=later)


def test_the_key_is_in_no_text_of_the_rule():
    assert "kkkk" not in repr(RULE)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "session.key"

    key = signing_key(path)

    assert (32, 0o600) == (len(key), stat.S_IMODE(path.stat().st_mode))
    assert key == signing_key(path)


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    path = tmp_path / "session.key"
    signing_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others: remove it"):
        signing_key(path)

    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(ConfigError, match="is no key: remove it"):
        signing_key(path)


def test_a_key_that_cannot_be_made_is_said_so(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read or made: No such file"):
        signing_key(tmp_path / "nowhere" / "session.key")
