"""What every Clock, Chance and Secrets keeps: the machine's own, and those that tests use."""

import re

import pytest

from mailward.model.errors import TemporaryFailure
from mailward.model.organization import SecretKind, SecretRef
from mailward.platforms.local.file_secrets import FileSecrets
from mailward.platforms.local.system_chance import SystemChance
from mailward.platforms.local.system_clock import SystemClock
from mailward.testing.platform import CountedChance, KnownSecrets, SetClock


@pytest.mark.parametrize("clock", [SystemClock(), SetClock()])
def test_a_clock_tells_aware_moments_that_do_not_run_backwards(clock):
    first, second = clock.now(), clock.now()

    assert 0 == first.utcoffset().total_seconds()
    assert first <= second


@pytest.mark.parametrize("chance", [SystemChance(), CountedChance()])
def test_chance_stays_between_its_bounds_and_never_repeats_a_token(chance):
    tokens = [chance.token() for _ in range(50)]

    assert 50 == len(set(tokens))
    assert all(re.fullmatch("[0-9A-Za-z]{22,}", token) for token in tokens)
    assert all(1.5 <= chance.between(1.5, 2.5) <= 2.5 for _ in range(50))


@pytest.fixture(params=["file", "known"])
def secrets(request, tmp_path):
    if request.param == "known":
        return KnownSecrets({"probe": "s3cret"})
    (tmp_path / "probe").write_text("s3cret\n")
    (tmp_path / "probe").chmod(0o600)
    return FileSecrets(tmp_path)


def test_a_secret_is_revealed_by_its_name(secrets):
    assert "s3cret" == secrets.reveal(SecretRef(kind=SecretKind.FILE, name="probe"))


def test_a_secret_that_cannot_be_read_is_named(secrets):
    with pytest.raises(TemporaryFailure, match="nosuch"):
        secrets.reveal(SecretRef(kind=SecretKind.FILE, name="nosuch"))
