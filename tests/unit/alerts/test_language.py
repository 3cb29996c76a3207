"""How things are said in a language, and what happens where it has no words."""

from datetime import UTC, datetime

from mailward.alerts.language import ENGLISH, Language, language_of, message

GREETS = Language(
    tag="pt-BR", words={"{who} is {how}": "{who} está {how}", "well": "íntegro", "{quoted}": "“{quoted}”"}
)


def test_a_language_says_what_its_catalogue_has_for_the_english_words():
    assert "íntegro" == GREETS.say("well")
    assert "be1 está íntegro" == GREETS.say("{who} is {how}", who="be1", how=message("well"))
    assert "be1 está íntegro" == GREETS.say(message("{who} is {how}", who="be1", how=message("well")))


def test_what_a_catalogue_lacks_is_said_in_english():
    assert "be1 is gone" == GREETS.say("{who} is gone", who="be1")
    assert "be1 is well" == ENGLISH.say(message("{who} is {how}", who="be1", how=message("well")))


def test_a_brace_that_somebody_else_wrote_stays_one():
    assert "fetch {12}" == GREETS.say("fetch {12}")
    assert "“fetch {12}”" == GREETS.say("{quoted}", quoted="fetch {12}")


def test_a_language_nobody_has_words_for_is_english():
    assert ENGLISH == language_of({"pt-BR": GREETS}, "en")
    assert GREETS == language_of({"pt-BR": GREETS}, "pt-BR")


def test_a_moment_is_written_as_the_language_writes_it():
    at = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    numbers = Language(tag="pt-BR", words={"{at:%-d %b %H:%M} UTC": "{at:%d/%m %H:%M} UTC"})

    assert "03/02 04:05 UTC" == numbers.say("{at:%-d %b %H:%M} UTC", at=at)
