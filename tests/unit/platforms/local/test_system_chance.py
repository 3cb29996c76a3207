import re

from mailward.platforms.local.system_chance import SystemChance


def test_jitter_stays_between_its_bounds():
    chance = SystemChance()

    assert all(0.9 <= chance.between(0.9, 1.1) <= 1.1 for _ in range(200))


def test_tokens_are_long_plain_and_never_the_same():
    tokens = [SystemChance().token() for _ in range(100)]

    assert 100 == len(set(tokens))
    assert all(re.fullmatch(r"[0-9a-zA-Z]{22,}", token) for token in tokens)
