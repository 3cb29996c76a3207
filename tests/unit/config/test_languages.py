"""Every sentence people are told exists in every language, and says the same."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import mailward.alerts
import mailward.config
from mailward.alerts.language import words_of_the_model
from mailward.config.languages import LanguageTag, languages
from mailward.config.load import load

ALERTS = Path(mailward.alerts.__path__[0])
CATALOGUES = Path(mailward.config.__path__[0]) / "catalogue"
OTHERS = [tag for tag in get_args(LanguageTag) if tag != "en"]
_SAYS = ("say", "_say", "message")


def english() -> set[str]:
    """Everything that alerts say: what stands in their code, and what they say of the model."""
    return {*words_of_the_model(), *(words for file in ALERTS.glob("*.py") for words in _said_in(file))}


def _said_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in _SAYS:
            first = node.args[0]
            if isinstance(first, ast.JoinedStr):
                pytest.fail(f"{file.name}:{node.lineno}: no catalogue knows a sentence that is put together here")
            if isinstance(first, ast.Constant):
                yield first.value


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_code_is_read_for_its_sentences():
    assert {"WHO IS AFFECTED", "nothing repairs it", "restart the server", "RESOLVED {what}"} <= english()


def test_every_language_that_can_be_configured_has_its_catalogue_and_there_is_no_other():
    assert sorted(OTHERS) == sorted(file.stem for file in CATALOGUES.glob("*.toml"))


@pytest.mark.parametrize("tag", OTHERS)
def test_every_sentence_is_in_the_catalogue(tag):
    missing = english() - set(languages([tag])[tag].words)

    assert [] == sorted(missing), f"say them in config/catalogue/{tag}.toml"


@pytest.mark.parametrize("tag", OTHERS)
def test_no_catalogue_says_what_nobody_says_any_more(tag):
    left = set(languages([tag])[tag].words) - english()

    assert [] == sorted(left), f"take them out of config/catalogue/{tag}.toml"


@pytest.mark.parametrize("tag", OTHERS)
def test_a_sentence_has_the_same_places_in_every_language(tag):
    other = {source: own for source, own in languages([tag])[tag].words.items() if places(source) != places(own)}

    assert {} == other


@pytest.mark.parametrize("tag", OTHERS)
def test_a_sentence_stands_once_in_a_catalogue(tag):
    sections = tomllib.loads((CATALOGUES / f"{tag}.toml").read_text())
    standing = [source for words in sections.values() for source in words]

    assert sorted(set(standing)) == sorted(standing)


def test_english_needs_no_words():
    assert {} == languages(["en"])


def test_a_channel_speaks_the_organizations_language_unless_it_has_its_own(write):
    mail = "kind = 'smtp'\nhost = 'relay'\nsender = 'a@example.org'\nrecipients = ['b@example.org']\n"
    file = write(
        "[organization]\nname = 'example'\nlanguage = 'pt-BR'\ndocumentation = 'https://wiki.example.org/docs'\n"
        f"[servers.be1]\nroles = ['mailbox']\n[notify.mail]\n{mail}[notify.abroad]\nlanguage = 'en'\n{mail}"
    )

    snapshot = load(file)

    assert "pt-BR" == snapshot.organization.language
    assert "https://wiki.example.org/docs" == snapshot.organization.documentation
    assert {"mail": "pt-BR", "abroad": "en"} == {channel.name: channel.language for channel in snapshot.channels}
    assert ["pt-BR"] == list(snapshot.languages)


def test_without_a_word_about_it_people_are_told_in_english(write):
    snapshot = load(write("[organization]\nname = 'example'\n[servers.be1]\nroles = ['mailbox']\n"))

    assert ("en", "", {}) == (snapshot.organization.language, snapshot.organization.documentation, snapshot.languages)


def test_a_language_there_is_not_is_a_mistake_that_names_those_there_are(write, mistakes_of):
    found = mistakes_of(
        write("[organization]\nname = 'example'\nlanguage = 'pt'\n[servers.be1]\nroles = ['mailbox']\n")
    )

    assert ['organization.language must be "en" or "pt-BR", not "pt"'] == found
