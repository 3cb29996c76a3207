from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailward.config.mistakes import Mistake, WrongConfiguration, hint, quoted, spelled


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("servers", "be1", "imap", "port"), "servers.be1.imap.port"),
        (("servers", "mail.example.org"), 'servers."mail.example.org"'),
        (("servers", ""), 'servers.""'),
        (("list", 3, "a"), "list.a"),
        ((), ""),
    ],
)
def test_a_path_is_spelled_as_in_toml(path, text):
    assert text == spelled(path)


@pytest.mark.parametrize(
    ("word", "known", "text"),
    [
        ("Be2", ["be1", "proxy1"], '; did you mean "be1"?'),
        ("x", ["b", "a"], "; known: a, b"),
        ("x", [], ""),
        ("x", [f"server{number}" for number in range(40)], "; there are 40 others"),
    ],
)
def test_a_hint_names_the_nearest_or_all_when_they_are_few(word, known, text):
    assert text == hint(word, known)


def test_mistakes_are_listed_one_a_line_each_with_its_place():
    mistakes = [
        Mistake(file=Path("a.toml"), line=3, text="x is wrong"),
        Mistake(file=Path("b.toml"), line=0, text="is not TOML"),
    ]

    assert "a.toml:3: x is wrong\nb.toml: is not TOML" == str(WrongConfiguration(mistakes))


@given(st.text(max_size=200))
def test_nothing_a_terminal_would_obey_is_repeated_and_nothing_without_end(word):
    assert quoted(word).isprintable()
    assert len(quoted(word)) <= 63
